/* servers: upstreams, as other programs spell them, in the spelling of ours. */
#ifndef IMPORT_SERVERS_H
#define IMPORT_SERVERS_H

#include "import/recipe.h"

struct server_said {
	const char *scheme; /* tls, udp, tcp */
	const char *host; /* an address, or a name */
	const char *port; /* NULL: the usual one */
	const char *name; /* that its certificate must have; NULL: none is said */
	const char *parameters; /* what stands behind the question mark; NULL: nothing */
};

/* The spelling; NULL: it is left, since it is none of ours. Never less is verified than was: a TLS
 * server without a name proves its address. */
const char *server_spell(struct recipe *, const struct said *, const struct server_said *);

/* `ADDRESS[SEPARATOR PORT][#NAME]`, with or without brackets around the address; cuts the text. */
void server_cut(struct server_said *, char *text, char separator);

/* Adds it to the upstreams, or, if there is one, to those of a domain. */
void server_add(
	struct recipe *, const struct said *, const struct server_said *, const char *domain);

/* The source has no server in clear but for those that are said to be: what they need is set. */
void servers_end(struct recipe *);

#endif
