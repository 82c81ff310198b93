/* delay: what is done with a query, some time later, as rules of test benches want it. */
#ifndef QUERY_DELAY_H
#define QUERY_DELAY_H

#include "query/query.h"

/* The query goes on with this verdict (ANSWER: with q->answer, which is copied) after that time. */
enum verdict delay(struct query *, enum verdict, unsigned ms);

#endif
