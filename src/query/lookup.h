/* lookup: one question being asked upstream, of as many servers and as often as it takes. */
#ifndef QUERY_LOOKUP_H
#define QUERY_LOOKUP_H

#include "query/query.h"

/* Asks, and wakes the waiter once, from the loop, within query_conf.deadline_ms: with a reply, or
 * with the reason why there is none. The ask is copied, but for the question's name, which must
 * live until then. 0, or -ENOMEM or -EAGAIN (nobody can be asked), when the waiter is not woken. */
int lookup_ask(struct query_env *, const struct ask *, struct waiter *);

/* Prepares env->lookups. */
void lookups_init(struct query_env *);

#endif
