/* shared: what the workers of a process have in common. */
#ifndef QUERY_SHARED_H
#define QUERY_SHARED_H

#include "cache/cache.h"
#include "query/flights.h"
#include "query/lab.h"
#include "query/pace.h"
#include "report/dump.h"
#include "report/events.h"

struct query_shared {
	struct siphash_key key; /* of questions */
	struct cache *cache; /* NULL: there is none */
	struct flights *flights; /* NULL: there is one worker */
	struct pace *pace; /* of clients */
	struct lab *lab; /* what rules of test benches count */
	struct dump *dump; /* messages that are written to a file */
	struct events *events; /* what rules have told of */
};

/* False: out of memory, which is said in the log. conf is borrowed. */
bool shared_init(struct query_shared *, const struct cache_conf *conf, unsigned workers);
/* Nothing of it may be in use. */
void shared_clear(struct query_shared *);

#endif
