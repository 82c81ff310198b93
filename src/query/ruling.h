/* ruling: what rules say of a query, and of the answers of servers, and how it is done. */
#ifndef QUERY_RULING_H
#define QUERY_RULING_H

#include "query/query.h"

/* The stage. NEXT: it is asked of the cache and of servers, maybe of a certain group, or it has
 * become another question. */
enum verdict ruling_decide(struct query *);

/* May q->answer, which is of servers of env->group, be told? */
enum verdict ruling_judge(struct query *);

/* Is A asked instead, and made AAAA of, where there is no AAAA? There must be rules. */
bool ruling_makes_addresses(const struct query *);

static inline enum verdict ruling_pass(struct query *q)
{
	return q->env->set ? ruling_judge(q) : ANSWER;
}

#endif
