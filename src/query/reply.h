/* reply: the answer to a query, fitted to its client. */
#ifndef QUERY_REPLY_H
#define QUERY_REPLY_H

#include "query/query.h"

/* The longest message there is. */
#define REPLY_MAX 65535

struct shape {
	struct span message; /* in the memory given */
	bool truncated;
};

/* Shapes q's answer into out, of REPLY_MAX octets: its ID, spelling, size, EDNS. */
struct shape reply_shape(const struct query *q, uint8_t *out);

#endif
