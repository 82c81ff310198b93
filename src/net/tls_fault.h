/* tls_fault: what OpenSSL found wrong, in words. For tls.c only. */
#ifndef NET_TLS_FAULT_H
#define NET_TLS_FAULT_H

#include "net/fault.h"

#include <openssl/x509.h>
#include <stdbool.h>

/* The chain did not verify; store tells why and at which certificate. expected: the name that must
 * be in it, or, if by_address, the address. */
void tls_fault_verify(struct fault *, X509_STORE_CTX *store, const char *expected, bool by_address);
/* The chain may be good, but no configured pin is in it. */
void tls_fault_pin(struct fault *);
/* The session was resumed and is not, or no longer, the configured server's. */
void tls_fault_resumed(struct fault *);
/* The first octet is not TLS. */
void tls_fault_not_tls(struct fault *);
/* The first error in OpenSSL's queue. */
void tls_fault_library(struct fault *, enum phase);

#endif
