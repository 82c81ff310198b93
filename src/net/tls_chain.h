/* tls_chain: the certificates that a server showed, for people. */
#ifndef NET_TLS_CHAIN_H
#define NET_TLS_CHAIN_H

#include "net/tls.h"

#include <stddef.h>
#include <stdint.h>

/* One of them. Names are as RFC 2253 writes them, what is not ASCII is escaped, and what is longer
 * is cut off. */
#define TLS_LINK_NAME 256
struct tls_link {
	char subject[TLS_LINK_NAME], issuer[TLS_LINK_NAME];
	char pin[52]; /* of its key, as ?pin= of an upstream has it: "sha256/BASE64" */
	int64_t not_before_s, not_after_s; /* since 1970; 0: unknown */
};

/* The first of the chain, at most `most`, the server's own in front; how many. Of a resumed session
 * they are those it was made with. facts: those that a session of a client gave, no copy, while the
 * session lives. Out of memory, the chain is shorter. */
size_t tls_chain(const struct tls_facts *, struct tls_link *, size_t most);

#endif
