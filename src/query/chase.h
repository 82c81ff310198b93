/* chase: another question of the same query: where an alias leads, what is asked instead of a name,
 * or, by DNS64, addresses of the other kind. The answer is told as that to the client's question.
 */
#ifndef QUERY_CHASE_H
#define QUERY_CHASE_H

#include "dns/splice.h"
#include "query/query.h"

/* How often one query may become another one; a loop ends there. */
#define CHASE_STEPS 8

struct chase {
	struct question question; /* that is asked now, ... */
	uint8_t name[NAME_MAX_WIRE]; /* ... its name */
	struct alias aliases[CHASE_STEPS]; /* in front of the answer */
	unsigned alias_count, steps;
	bool authoritative; /* the first of them are of a zone that is served here */
	bool is_dns64;
	struct dns64_prefix prefix;
	uint32_t dns64_ttl_s;
};

/* Each makes q->asked the next question, which goes through the stages from stage on. It is copied,
 * as all that is said of it. NEXT; or ANSWER: that it cannot be is said. */

/* The name that is asked is an alias. Of alias, the owner is that. */
enum verdict chase_alias(struct query *, const struct alias *, bool authoritative);
/* The target is asked instead. */
enum verdict chase_rewrite(struct query *, struct span target);
/* A is asked instead of AAAA, and told as that, for no longer than ttl_s. */
enum verdict chase_dns64(struct query *, const struct dns64_prefix *, uint32_t ttl_s);

/* q->answer becomes one to what the client asked. */
void chase_tell(struct query *);
void chase_end(struct query *);

#endif
