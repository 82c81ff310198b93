/* discovery: what is said below resolver.arpa, where clients ask whether the resolver of which they
 * know the address can be had over TLS as well (RFC 9462).
 *
 * The zone is served here (RFC 9462 §6.4), whatever servers there are: another resolver would name
 * itself, and clients would refuse it, since its certificate is not for the address that they know.
 * What is said follows from the arguments alone.
 */
#ifndef QUERY_DISCOVERY_H
#define QUERY_DISCOVERY_H

#include "dns/pack.h"
#include "net/addr.h"
#include "net/tls_front.h"

/* Places where TLS is spoken; more are not told of. */
#define DISCOVERY_MAX 64

/* As what, and where, a client can have us over TLS. */
struct discovery {
	const struct tls_shown *as; /* what it is shown there; NULL: nothing that proves us */
	struct addr asked_at; /* where the client asks */
	struct addr at[DISCOVERY_MAX]; /* where TLS is spoken, the best first */
	size_t count;
};

/* Is it about a name of this zone? */
bool discovery_is_asked(const struct question *);

/* The answer, in memory of PACKED_MAX octets: the services and the addresses of their name, if they
 * are asked for and there are any; else that there is nothing of the kind. */
void discovery_answer(
	struct packed *, void *memory, const struct question *, const struct discovery *);

#endif
