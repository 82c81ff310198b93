/* tls: who we trust, and one TLS session fed and drained through buffers. No sockets.
 *
 * One struct tls_client per worker and server (an SSL_CTX); the trust store behind it is loaded
 * once and shared. A peer is authenticated before tls_handshake() says TLS_OK: by name (RFC 8310
 * §8.1: subjectAltName only), by IP address in the certificate, by SPKI pin (RFC 7858 §4.2), or by
 * both where both are configured. Dates are judged by base/clock. A resumed session is judged as a
 * full one is: by the chain it was made with, and by what is trusted and what day it is now.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"
#include "net/addr.h"
#include "net/fault.h"
#include "net/tls_files.h"

#include <stdbool.h>
#include <stdint.h>

#define TLS_PIN_LEN     32
#define TLS_PINS_MAX    8
#define TLS_TICKETS_MAX 4

struct tls_client_conf {
	/* For this one server: shown only when it asks, and has proved who it is. NULL: nothing. */
	const struct tls_credentials *credentials;
	bool tls13; /* nothing older is spoken */
};

/* Before anything else is called of OpenSSL: has it take its memory through base/lack, since it
 * goes on without what it does not get. */
void tls_watch_memory(void);

/* How one worker speaks with one server; it holds its own references to trust and credentials, and
 * keeps nothing of conf. NULL: out of memory. */
struct tls_client;
struct tls_client *tls_client_new(struct tls_trust *, const struct tls_client_conf *conf);
void tls_client_free(struct tls_client *);

/* Who a peer must be, and what it gave us for the next time. Owned by the server it describes,
 * never shared; one thread's. Zero it, fill in the first part. */
struct tls_identity {
	const char *name; /* authenticated, and sent as SNI; NULL: ... */
	const struct addr *ip; /* ... this address must be in the certificate; NULL: only pins */
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN]; /* SHA-256 of the SubjectPublicKeyInfo */
	unsigned pin_count;
	bool opportunistic; /* whoever answers is taken; tls_facts() tells who did not prove it */

	/* Sessions to resume, those of TLS 1.3 once each (RFC 8446 C.4). Nobody else has them, so
	 * that none is offered to another server. Where trust changes, clear them. */
	void *tickets[TLS_TICKETS_MAX];
	unsigned ticket_count;
};
void tls_identity_clear(struct tls_identity *); /* frees the tickets */

/* What was agreed on. All of it also of resumed sessions. */
struct tls_facts {
	const char *version, *cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	const char *group; /* of the key exchange: "x25519"; NULL: it has no name */
	bool resumed;
	bool verified; /* false only where whoever answers is taken */
	const struct fault *doubt; /* why not; NULL: it is verified. Lives as long as the session */
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
