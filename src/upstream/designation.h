/* designation: whom a resolver designates to be asked over TLS in its place (RFC 9462 §4): what its
 * reply to the question for `_dns.resolver.arpa SVCB` says. A pure function, but for the order of
 * equals.
 */
#ifndef UPSTREAM_DESIGNATION_H
#define UPSTREAM_DESIGNATION_H

#include "upstream/upstream.h"

/* Endpoints that are kept, and addresses of each; and room for a name. */
#define DESIGNATION_MAX   3
#define DESIGNATION_ADDRS 4
#define DESIGNATION_NAME  256

/* Where DNS over TLS is spoken, as the resolver says. */
struct designee {
	char name[DESIGNATION_NAME]; /* for the server to know whom we look for; proves nothing */
	uint16_t priority, port;
	struct addr hints[DESIGNATION_ADDRS]; /* both families in turn; with that port */
	size_t hint_count; /* 0: its addresses are those of the name */
};

/* Why there is no endpoint: what the record lacks that came nearest to being one. */
enum lack {
	LACKS_RECORDS, /* it designates nobody */
	LACKS_SENSE, /* a record is malformed */
	LACKS_SERVICE, /* it is an alias, which is not followed */
	LACKS_KEY, /* it can only be used by who understands a key that we do not */
	LACKS_DOT, /* it speaks other protocols */
	LACKS_NAME, /* none, one under resolver.arpa, or one that is no host name */
	LACKS_PORT, /* one that never carries TLS (RFC 7858 §3.1), or none */
	LACKS_NOTHING,
};

struct designation {
	struct designee endpoints[DESIGNATION_MAX]; /* the best ones first */
	size_t count;
	uint32_t ttl_s; /* the shortest of them; of use with endpoints only */
	enum lack lack;
};

/* Reads the records that the name which was asked owns. Endpoints of one priority are in an order
 * of chance (RFC 9460 §2.4.1). */
void designation_read(const struct reply *, struct rand *, struct designation *);

/* Says what is wrong with a designation that lacks something; where: the resolver, for people. */
void designation_fault(const struct designation *, const char *where, struct fault *);

#endif
