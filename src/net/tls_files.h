/* tls_files: whom we trust and who we are, from PEM files. */
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include "net/fault.h"

#include <stdbool.h>
#include <stdint.h>

/* The CA certificates. NULL and a fault (phase VERIFY) if ca is not readable or holds none.
 * ca: a PEM file; NULL: the system's bundle. */
struct tls_trust;
struct tls_trust *tls_trust_load(const char *ca, struct fault *);
/* The file that they are in. */
const char *tls_trust_path(const char *ca);
void tls_trust_free(struct tls_trust *);
/* Are these the same certificates, wherever they were read from? NULL is the same as NULL. */
bool tls_trust_same(const struct tls_trust *, const struct tls_trust *);

/* What we show to who wants to know who we are: a certificate with its chain, and its key; key
 * NULL: it is in cert's file. NULL and a fault (phase HANDSHAKE): a file is not readable, is empty,
 * or is encrypted; the key is not that of the certificate; they are too weak to be shown. May be
 * shared by threads. */
struct tls_credentials;
struct tls_credentials *tls_credentials_load(const char *cert, const char *key, struct fault *);
void tls_credentials_free(struct tls_credentials *);
/* As above; the same certificate has the same key. */
bool tls_credentials_same(const struct tls_credentials *, const struct tls_credentials *);

/* The pin of the key that the first certificate of a PEM file is for: SHA-256 of its
 * SubjectPublicKeyInfo (RFC 7858 §4.2). False and a fault: there is none to be had. */
#define TLS_PIN_LEN 32
bool tls_files_pin(const char *cert, uint8_t pin[TLS_PIN_LEN], struct fault *);

/* ---- for tls_*.c ---- */

/* RFC 9325 §4.2.1 and §4.5: 112 bits, so no RSA below 2048 and no SHA-1. */
#define TLS_SECURITY_LEVEL 2

/* OpenSSL's SSL_CTX, X509, EVP_PKEY, STACK_OF(X509_NAME). */
struct ssl_ctx_st;
struct x509_st;
struct evp_pkey_st;
struct stack_st_X509_NAME;

/* Each hands it to a context, which holds references of its own. False: out of memory. */
void tls_trust_apply(struct tls_trust *, struct ssl_ctx_st *);
bool tls_credentials_apply(const struct tls_credentials *, struct ssl_ctx_st *);

/* The same of the same certificates. */
#define TLS_TRUST_DIGEST 32 /* octets */
const uint8_t *tls_trust_digest(const struct tls_trust *);
/* Whose certificates these are; the caller's. While no other thread has the trust. NULL: out of
 * memory. */
struct stack_st_X509_NAME *tls_trust_names(const struct tls_trust *);

/* Of a certificate that is its own chain. It takes references. NULL: out of memory. */
struct tls_credentials *tls_credentials_of(struct x509_st *, struct evp_pkey_st *);
/* Another that shares certificates and key. NULL: out of memory. */
struct tls_credentials *tls_credentials_share(const struct tls_credentials *);
struct x509_st *tls_credentials_cert(const struct tls_credentials *);

#endif
