/* tls_fault: what OpenSSL found wrong, in words. For tls_*.c only. Each function replaces what the
 * fault held. */
#ifndef NET_TLS_FAULT_H
#define NET_TLS_FAULT_H

#include "net/fault.h"

#include <openssl/x509.h>

/* What must be in a certificate: its name; its address; or that of who designated it. */
enum tls_proof { TLS_BY_NAME, TLS_BY_ADDRESS, TLS_BY_DESIGNATION };

/* The chain did not verify; store tells why and at which certificate. expected: what must be in it.
 */
void tls_fault_verify(struct fault *, X509_STORE_CTX *store, const char *expected, enum tls_proof);
/* The chain may be good, but no configured pin is in it; cert is the server's own. */
void tls_fault_pin(struct fault *, X509 *cert);
/* The first octet is not TLS. */
void tls_fault_not_tls(struct fault *);
/* The server said goodbye before it had said who it is. */
void tls_fault_closed(struct fault *);
/* The first error in OpenSSL's queue. */
void tls_fault_library(struct fault *, enum phase);

/* ---- of clients ---- */

/* As above; verified: what came of their certificate, X509_V_OK also if there was none. */
void tls_fault_client(struct fault *, enum phase, long verified);
void tls_fault_client_closed(struct fault *);
/* It sends more than a handshake takes. */
void tls_fault_client_too_long(struct fault *);

#endif
