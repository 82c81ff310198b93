/* recorder: who wants to know how a query is decided. It hears of it while the query goes through
 * the stages; whatever is handed over is borrowed for the call.
 */
#ifndef QUERY_RECORDER_H
#define QUERY_RECORDER_H

#include "query/query.h"

struct recorder {
	struct trace trace; /* entries of rules that are looked at, for what is told next */
	/* It enters this stage, with q->asked. */
	void (*entered)(struct recorder *, const struct query *, const char *stage);
	/* What rules say of q->asked; and of an answer that they object to. */
	void (*decided)(struct recorder *, const struct query *, const struct decision *);
	void (*objected)(struct recorder *, const struct query *, const struct decision *);
	/* What the cache has is in env->found, of what env->group was asked. */
	void (*found)(struct recorder *, const struct query *);
	/* Servers of env->group would be asked. */
	void (*asks)(struct recorder *, struct query *);
	/* What the client is told. */
	void (*answered)(struct recorder *, struct span message);
};

#endif
