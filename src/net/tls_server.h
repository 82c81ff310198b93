/* tls_server: sessions with clients.
 *
 * One struct tls_server per worker and front: an SSL_CTX for each of its certificates. TLS 1.2 and
 * 1.3, with forward secrecy and authenticated encryption (RFC 9325 §4.2). The protocol is `dot`;
 * who names none means it as well, who names only others is refused (RFC 7301 §3.2). No
 * renegotiation, no early data (RFC 9210 §4.4).
 *
 * A client may be asked for a certificate; what it shows must be good. Who it is, tls_facts() tells
 * as `client`: the first URI in its certificate, else the first DNS name, else the first mail
 * address, else the common name.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H

#include "net/tls.h"
#include "net/tls_front.h"
#include "net/tls_tickets.h"

/* It has references of its own. NULL: out of memory. */
struct tls_server;
struct tls_server *tls_server_new(struct tls_front *, struct tls_tickets *);
/* Sessions that live go on. NULL is nothing. */
void tls_server_free(struct tls_server *);

/* What it was made of. */
const struct tls_front *tls_server_front(const struct tls_server *);

/* Begins a session with a client that knows us by that address, or NULL: by one that we do not
 * know. Who names no server is shown the certificate for it (RFC 9462 §6.3). NULL: out of memory.
 */
struct tls *tls_server_session(struct tls_server *, const struct addr *at);

#endif
