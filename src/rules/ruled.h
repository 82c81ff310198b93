/* ruled: the rules that are in force of one configuration, for all workers. They are replaced while
 * they run, when files have changed. */
#ifndef RULES_RULED_H
#define RULES_RULED_H

#include "rules/ruleset.h"

#include <pthread.h>
#include <stdatomic.h>

struct ruled {
	pthread_mutex_t lock; /* for the time in which an owner is added, or the set replaced */
	_Atomic(struct ruleset *) set;
};

/* One worker's, zeroed. It owns its set with others, so no other set can lie where that one does:
 * the address alone says whether it is the one in force. */
struct ruled_here {
	struct ruleset *set;
};

/* Takes the set. */
void ruled_init(struct ruled *, struct ruleset *);
void ruled_clear(struct ruled *);

/* From now on that; takes it, and gives what was there before, to be freed outside of the loops
 * when nobody else owns it. From any thread. */
struct ruleset *ruled_replace(struct ruled *, struct ruleset *);

/* The set in force, for this turn of this worker; of another configuration from `of` on. Never
 * frees the last of one: whoever replaces keeps an owner of it. */
const struct ruleset *ruled_get(struct ruled *of, struct ruled_here *);
void ruled_here_clear(struct ruled_here *);

#endif
