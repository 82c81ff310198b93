/* explain: what would become of a query, without asking anybody for it.
 *
 * It is a query like any other, and goes through the same stages in its worker's thread, until it
 * is answered or a server would be asked. Its core is one of its own that borrows the worker's
 * rules, servers and cache: nothing is counted, no place is taken, no rule of a test bench is used
 * up, nothing that the cache has is touched.
 */
#ifndef QUERY_EXPLAIN_H
#define QUERY_EXPLAIN_H

#include "query/recorder.h"

/* Who would ask, and what. */
struct explained {
	struct addr client;
	struct client_facts facts;
	bool stream, encrypted;
	struct behind behind; /* for whom it asks, as it says */
	struct question question;
};

/* The recorder hears all of it before this returns. 0 or -ENOMEM. */
int explain(const struct query_env *, const struct explained *, struct recorder *);

/* Would A be asked, where servers have no AAAA (RFC 6147)? To be called by asks(). */
bool explain_makes_addresses(const struct query *);

#endif
