/* agreed: what TLS with the server came to, kept beyond its session, for people and programs. */
#ifndef ASK_AGREED_H
#define ASK_AGREED_H

#include "net/tls_chain.h"

#include <jansson.h>
#include <stdio.h>

/* Certificates of a chain that are told of. */
#define AGREED_LINKS 8

struct agreed {
	char version[16], cipher[64], group[32], alpn[16]; /* "": there is none */
	bool resumed, verified;
	char doubt[256]; /* why it is not verified; "" */
	struct tls_link links[AGREED_LINKS];
	size_t count;
};

void agreed_keep(struct agreed *, const struct tls_facts *);
/* In lines that begin with ";; ". now_s: since 1970, for the days that are left. */
void agreed_put(const struct agreed *, int64_t now_s, FILE *);
/* As an object (docs/query.md); NULL: out of memory. */
json_t *agreed_json(const struct agreed *, int64_t now_s);

#endif
