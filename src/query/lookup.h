/* lookup: one question being asked upstream, of as many servers and as often as it takes, for all
 * queries that ask it at the same time, or for the cache alone. */
#ifndef QUERY_LOOKUP_H
#define QUERY_LOOKUP_H

#include "query/query.h"

/* What is to be looked up: both borrowed for the call. */
struct lookup_question {
	const struct question *question; /* as it was spelled */
	const struct key *key; /* of it */
	struct group *group; /* that is asked */
};

/* Asks, or joins a lookup of the same question that is under way in any worker, and wakes the
 * waiter once, from the loop, within the time given: with an answer, which is in the cache by then
 * if it is worth it, or with what is to be said instead. Where every server is known to be down,
 * that comes within 40 ms, or, where one may just be started anew, a second.
 *
 * 0; -EEXIST: another worker has just had the answer, which is in the cache; -EAGAIN: nobody can be
 * asked; -ENOMEM: no place. Unless 0, the waiter is not woken. */
int lookup_ask(
	struct query_env *, const struct lookup_question *, struct waiter *, unsigned within_ms);

/* Asks for the cache alone, unless it is being asked already. */
void lookup_refresh(struct query_env *, const struct lookup_question *);

/* Why nobody can be asked this, in words. */
const char *lookup_refusal(struct group *);

/* Prepares the lookups of env. 0 or -ENOMEM. */
int lookups_init(struct query_env *);
void lookups_clear(struct query_env *);

#endif
