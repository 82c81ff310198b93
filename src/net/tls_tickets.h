/* tls_tickets: the keys that sessions are put away under, so that clients may resume them.
 *
 * They are of the process, shared by the workers, so that a client may come back to any of them,
 * and after a reload. Either they are made here: a new one every six hours, each good for twelve;
 * or they are read from a file that several hosts share, who then resume each other's sessions, and
 * somebody else changes them. No ticket is good for longer than twelve hours; in TLS 1.3, a session
 * that is resumed gets a new one.
 */
#ifndef NET_TLS_TICKETS_H
#define NET_TLS_TICKETS_H

#include "net/fault.h"

#include <stdbool.h>

#define TLS_TICKET_LIFE_S (12 * 3600)

/* file: one or more keys of 80 octets each: 16 of its name, 32 for HMAC, 32 for AES. The first
 * encrypts, all decrypt. NULL: keys are made here. NULL and a fault: the file is not readable, or
 * is no such file; or out of memory. The caller has one reference. */
struct tls_tickets;
struct tls_tickets *tls_tickets_new(const char *file, struct fault *);

/* The same keys anew from a file, or from now on made here. False and a fault: the keys stay those
 * they were. From any thread. */
bool tls_tickets_load(struct tls_tickets *, const char *file, struct fault *);

/* Another reference; each is given back by tls_tickets_free(). From any thread. */
struct tls_tickets *tls_tickets_share(struct tls_tickets *);
void tls_tickets_free(struct tls_tickets *);

/* ---- for tls_server.c ---- */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* Has the context's sessions put away under these keys, which must outlive it. */
bool tls_tickets_apply(struct tls_tickets *, struct ssl_ctx_st *);

#endif
