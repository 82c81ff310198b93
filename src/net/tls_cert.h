/* tls_cert: what a certificate says. For tls_*.c only. */
#ifndef NET_TLS_CERT_H
#define NET_TLS_CERT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/* SHA-256 of its SubjectPublicKeyInfo (RFC 7858 §4.2). False: out of memory. */
#define TLS_PIN_LEN 32
bool tls_cert_pin(X509 *, uint8_t pin[TLS_PIN_LEN]);
/* The same as ?pin= of an upstream has it: "sha256/BASE64". */
#define TLS_PIN_TEXT 52
bool tls_cert_print_pin(X509 *, char text[TLS_PIN_TEXT]);

/* When it ends, since 1970; 0: that is unknown, or there is no certificate. */
int64_t tls_cert_end(const X509 *);
/* When it begins, likewise. */
int64_t tls_cert_begin(const X509 *);

/* Who it is about: the first URI in its subjectAltName, else the first DNS name, else the first
 * mail address, else the common name. What is not printed is not part of a name: it is left out.
 * The caller's; NULL: nobody, or out of memory. */
char *tls_cert_who(X509 *);

#endif
