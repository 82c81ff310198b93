/* tls_client: sessions with servers, and who these must be.
 *
 * One struct tls_client per worker and server (an SSL_CTX); the trust store behind it is loaded
 * once and shared. A peer is authenticated before tls_handshake() says TLS_OK: by name (RFC 8310
 * §8.1: subjectAltName only), by IP address in the certificate, by SPKI pin (RFC 7858 §4.2), or by
 * both where both are configured. Dates are judged by base/clock. A resumed session is judged as a
 * full one is: by the chain it was made with, and by what is trusted and what day it is now.
 */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include "net/addr.h"
#include "net/tls.h"
#include "net/tls_files.h"

#include <stdbool.h>
#include <stdint.h>

#define TLS_PINS_MAX    8
#define TLS_TICKETS_MAX 4

struct tls_client_conf {
	/* For this one server: shown only when it asks, and has proved who it is. NULL: nothing. */
	const struct tls_credentials *credentials;
	bool tls13; /* nothing older is spoken */
};

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
	const char *sni; /* sent where there is no name to authenticate; NULL: none */
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN]; /* SHA-256 of the SubjectPublicKeyInfo */
	unsigned pin_count;
	bool opportunistic; /* whoever answers is taken; tls_facts() tells who did not prove it */

	/* Sessions to resume, those of TLS 1.3 once each (RFC 8446 C.4). Nobody else has them, so
	 * that none is offered to another server. Where trust changes, clear them. */
	void *tickets[TLS_TICKETS_MAX];
	unsigned ticket_count;
};
void tls_identity_clear(struct tls_identity *); /* frees the tickets */

/* Begins a session; borrows client and identity. NULL: out of memory. */
struct tls *tls_client_session(struct tls_client *, struct tls_identity *);

#endif
