/* tls: who we trust, and one TLS session fed and drained through buffers. No sockets, no clock.
 *
 * One struct tls_client per worker (an SSL_CTX); the trust store behind it is loaded once and
 * shared. A peer is authenticated before tls_handshake() says TLS_OK: by name (RFC 8310 §8.1:
 * subjectAltName only), by IP address in the certificate, by SPKI pin (RFC 7858 §4.2), or by both
 * where both are configured. A resumed session is held to the same identity as a full one.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"
#include "net/addr.h"
#include "net/fault.h"

#include <stdbool.h>
#include <stdint.h>

#define TLS_PIN_LEN     32
#define TLS_PINS_MAX    8
#define TLS_TICKETS_MAX 4

/* The CA certificates. NULL and a fault (phase VERIFY) if ca is not readable or holds none.
 * ca: a PEM file; NULL: the system's bundle. */
struct tls_trust;
struct tls_trust *tls_trust_load(const char *ca, struct fault *);
void tls_trust_free(struct tls_trust *);

/* What we show to a server that wants to know who we are: a certificate with its chain, and its key,
 * from PEM files. NULL and a fault (phase HANDSHAKE). */
struct tls_credentials;
struct tls_credentials *tls_credentials_load(const char *cert, const char *key, struct fault *);
void tls_credentials_free(struct tls_credentials *);

/* A worker's TLS context; it holds its own reference to the trust. NULL: out of memory. */
struct tls_client;
struct tls_client *tls_client_new(struct tls_trust *);
void tls_client_free(struct tls_client *);

/* Who a peer must be, and what it gave us for the next time. Owned by the server it describes; one
 * thread's. Zero it, fill in the first part. */
struct tls_identity {
	const char *name; /* authenticated, and sent as SNI; NULL: ... */
	const struct addr *ip; /* ... this address must be in the certificate; NULL: only pins */
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN]; /* SHA-256 of the SubjectPublicKeyInfo */
	unsigned pin_count;
	bool opportunistic; /* whoever answers is taken; tls_facts() tells who did not prove it */

	void *tickets[TLS_TICKETS_MAX]; /* sessions to resume, each used once (RFC 8446 C.4) */
	unsigned ticket_count;
};
void tls_identity_clear(struct tls_identity *); /* frees the tickets */

struct tls_facts {
	const char *version, *cipher, *group; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519" */
	bool resumed;
	bool verified; /* false only where whoever answers is taken */
	int64_t not_after_s; /* when the peer's certificate ends, since 1970; 0: unknown */
};

enum tls_status {
	TLS_OK,
	TLS_WANT, /* feed it; drain it */
	TLS_CLOSED, /* close_notify came */
	TLS_FAILED /* tls_fault() says why */
};

struct tls;
/* A client's session; borrows client and identity. NULL: out of memory. */
struct tls *tls_new(struct tls_client *, struct tls_identity *);
void tls_free(struct tls *);

/* Records from the peer go into tls_in(); records for the peer come out of tls_out(), also after a
 * failure (the alert). */
struct buf *tls_in(struct tls *);
struct buf *tls_out(struct tls *);

enum tls_status tls_handshake(struct tls *);
/* Decrypts what is in tls_in() and appends it to plain: WANT when there is no more. */
enum tls_status tls_read(struct tls *, struct buf *plain);
/* Encrypts all of plain, as few records as possible. OK or FAILED. Only after the handshake. */
enum tls_status tls_write(struct tls *, struct span plain);
/* Says close_notify. */
void tls_shutdown(struct tls *);

const struct fault *tls_fault(const struct tls *);
const struct tls_facts *tls_facts(const struct tls *);

#endif
