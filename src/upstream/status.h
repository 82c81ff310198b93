/* status: what a worker knows of its servers, for people and for machines.
 *
 * A status is plain data: the statuses of several workers for one server can be added up, and read
 * in another thread.
 */
#ifndef UPSTREAM_STATUS_H
#define UPSTREAM_STATUS_H

#include "upstream/designation.h"
#include "upstream/rtt.h"
#include "upstream/upstream.h"

/* How a server stands. */
enum standing {
	UNTRIED, /* nothing is known, or what was known is too old */
	GOOD, /* it answers */
	DOUBTFUL, /* it is late, or its last connection came to nothing */
	DOWN, /* connections come to nothing, one after the other */
};

/* What is counted of each server. */
#define SERVER_COUNTERS(X)                                                                         \
	X(requests, "Queries sent to it")                                                          \
	X(responses, "Replies of it that counted")                                                 \
	X(servfails, "Of these: SERVFAIL")                                                         \
	X(refusals, "Of these: REFUSED")                                                           \
	X(retries, "Queries sent again, here or elsewhere, because it failed or was late")         \
	X(hedges, "Queries sent to it because another one was late")                               \
	X(hedges_won, "Of these: its reply came first")                                            \
	X(probes, "Questions of our own, to see whether it is back")                               \
	X(unmatched, "Replies dropped: no such ID, or another question")                           \
	X(dials, "Connections begun")                                                              \
	X(opened, "Connections made")                                                              \
	X(resumed, "Of these: TLS sessions resumed")                                               \
	X(closed_idle, "Connections closed while nothing was asked, by either side")               \
	X(lost, "Connections that died with queries in flight")                                    \
	X(suspected, "Connections that owed answers for too long")

struct server_status {
	const struct server_conf *conf;
	enum standing standing;
	uint64_t standing_ms; /* for so long */
	struct addr addr; /* of the latest connection; AF_UNSPEC: there was none */
	unsigned connections; /* made and being made */
	size_t in_flight;
	bool connected_once; /* facts are of the latest connection that was made */
	uint64_t connected_ms; /* that was so long ago */
	struct tls_facts facts; /* version NULL: not TLS */
	char designated[DESIGNATION_NAME]; /* whom that was with, of who was designated; or empty */
	struct rtt rtt;
	struct fault last_fault; /* phase NONE: there was none */
	uint64_t last_fault_ms; /* ago */
	uint64_t errors[PHASES]; /* by enum phase */
#define X(name, help) uint64_t name;
	SERVER_COUNTERS(X)
#undef X
};

/* Fills in the status of the server with this index in the configuration. */
void upstreams_status(const struct upstreams *, size_t server, struct server_status *);

/* Adds what another worker knows of the same server; sum starts zeroed. Counters are summed up, the
 * later facts win. Of the standings the better one wins, for the longer time where both are the
 * same; a worker that has not tried has no say. */
void server_status_add(struct server_status *sum, const struct server_status *);

/* For people and machines: "untried", "answers", "late", "down". */
const char *standing_name(enum standing);
/* As the configuration has them. */
const char *policy_name(enum policy);

#endif
