/* tell: what stages show others of a query: it goes to the dump, or an event is told. */
#ifndef QUERY_TELL_H
#define QUERY_TELL_H

#include "query/query.h"

/* It was found to be no query, or none that is taken. */
void tell_invalid(struct query *);
/* That rule has decided, and says that it is told. */
void tell_decided(struct query *, const struct rule_conf *);

#endif
