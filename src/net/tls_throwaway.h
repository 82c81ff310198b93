/* tls_throwaway: a certificate that nobody vouches for, made when it is needed and kept in memory
 * only. For tls_front.c. */
#ifndef NET_TLS_THROWAWAY_H
#define NET_TLS_THROWAWAY_H

/* For localhost, the host's name, 127.0.0.1 and ::1, of a key of its own (P-256). NULL: out of
 * memory, or of random numbers. */
struct tls_credentials;
struct tls_credentials *tls_throwaway_new(void);

#endif
