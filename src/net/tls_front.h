/* tls_front: what listeners show to clients, and whom among clients they trust.
 *
 * A snapshot: loaded and checked once, never changed, shared by threads, and replaced whole. Each
 * worker makes a tls_server of it.
 */
#ifndef NET_TLS_FRONT_H
#define NET_TLS_FRONT_H

#include "net/addr.h"
#include "net/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_front;

struct tls_pair {
	const char *cert, *key; /* PEM files; key NULL: it is in cert's */
};

struct tls_front_conf {
	/* The first is shown to whom no certificate is for: neither for the server that it names
	 * nor, if it names none, for the address that it asks at. */
	const struct tls_pair *pairs;
	size_t count;
	/* And a throw-away one, made now and never written anywhere, behind the pairs ... */
	bool self_signed;
	/* ... or, if this front has one, that: so that a reload does not change its pin. Or NULL.
	 */
	const struct tls_front *before;
	const char *clients_ca; /* a PEM file: of whom clients must be; NULL: they are not asked */
	bool clients_required; /* who shows no certificate is refused */
};

/* Keeps nothing of conf. NULL and a fault: a file is not readable, or not fit to be shown; or out
 * of memory. At least one certificate is asked for. The caller has one reference. */
struct tls_front *tls_front_load(const struct tls_front_conf *, struct fault *);
/* Another reference; each is given back by tls_front_free(). From any thread. */
struct tls_front *tls_front_share(struct tls_front *);
void tls_front_free(struct tls_front *);

/* Do they show the same, and trust the same? NULL is the same as NULL. */
bool tls_front_same(const struct tls_front *, const struct tls_front *);

/* What others are told of a certificate. Lives as long as the front. */
struct tls_shown {
	char pin[52]; /* of its key, as ?pin= of an upstream has it: "sha256/BASE64" */
	int64_t not_after_s; /* when it ends, since 1970 */
	const char *name; /* the first in it that is no wildcard; NULL: there is none */
	const struct addr *addresses; /* those in it, with port 0 */
	size_t address_count;
	bool self_signed; /* made by us */
};

size_t tls_front_count(const struct tls_front *);
const struct tls_shown *tls_front_shown(const struct tls_front *, size_t which);

/* By which certificate can a client that knows us by that IP address verify us (RFC 9462 §4.2)? It
 * is for the address, has a name, and is what is shown under that name; a throw-away one proves
 * nothing. NULL: by none. */
const struct tls_shown *tls_front_proof(const struct tls_front *, const struct addr *);

/* ---- for tls_server.c ---- */

struct tls_credentials;
struct tls_trust;
struct stack_st_X509_NAME; /* OpenSSL's STACK_OF(X509_NAME) */

const struct tls_credentials *tls_front_credentials(const struct tls_front *, size_t which);

/* Which certificate is for a server of that name? One that has it, else one with a wildcard for it,
 * else the first. */
size_t tls_front_choose(const struct tls_front *, const char *name);
/* Which one is for the IP address, whatever its port? The first, if several are; a throw-away one
 * proves nothing. An address of IPv4 that is mapped into IPv6 is the one that it carries. False:
 * none is, and *which stays. */
bool tls_front_covers(const struct tls_front *, const struct addr *, size_t *which);

/* Of whom clients must be; ca NULL: they are not asked. */
struct tls_clients {
	struct tls_trust *ca;
	struct stack_st_X509_NAME *names; /* of the CAs, told to clients */
	uint8_t digest[32]; /* of all of this: sessions are resumed where it is the same */
	bool required;
};
const struct tls_clients *tls_front_clients(const struct tls_front *);

#endif
