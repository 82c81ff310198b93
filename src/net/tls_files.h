/* tls_files: what tls.h reads from PEM files: CA certificates, and certificates of our own. For
 * tls.c only; tls.h has the functions. */
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include "net/tls.h"

#include <openssl/x509.h>

/* RFC 9325 §4.2.1 and §4.5: 112 bits, so no RSA below 2048 and no SHA-1. */
#define TLS_SECURITY_LEVEL 2

struct tls_trust {
	X509_STORE *store;
};

struct tls_credentials {
	X509 *cert;
	STACK_OF(X509) * chain; /* what stands behind it in the file; NULL: nothing */
	EVP_PKEY *key;
};

#endif
