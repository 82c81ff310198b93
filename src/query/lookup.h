/* lookup: one question being asked upstream, of as many servers and as often as it takes, for all
 * queries that ask it at the same time. */
#ifndef QUERY_LOOKUP_H
#define QUERY_LOOKUP_H

#include "query/query.h"

/* Asks, or joins a lookup of the same question (name, type, class, RD, AD, CD, DO) that is under
 * way, and wakes the waiter once, from the loop, within query_conf.deadline_ms: with a reply, or
 * with the reason why there is none. Where every server is known to be down, that comes within 40
 * ms, or, where one may just be started anew, a second. The ask is copied. 0, or -ENOMEM or -EAGAIN
 * (nobody can be asked), when the waiter is not woken. */
int lookup_ask(struct query_env *, const struct ask *, struct waiter *);

/* Why nobody can be asked this, in words. */
const char *lookup_refusal(struct query_env *, const struct ask *);

/* Prepares env->lookups and the table of them. 0 or -ENOMEM. */
int lookups_init(struct query_env *);
void lookups_clear(struct query_env *);

#endif
