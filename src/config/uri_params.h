/* uri_params: what stands behind the question mark of an upstream, and what uri.c shares with
 * it. */
#ifndef CONFIG_URI_PARAMS_H
#define CONFIG_URI_PARAMS_H

#include "config/uri.h"

/* The weight of a server that is given none. */
#define URI_WEIGHT 100

/* The parts of one spelling, cut out of a copy. */
struct uri_parts {
	struct memory *memory;
	struct uri_reading *reading;
	struct server_conf *server;
	char *host, *port, *name;
};

/* Writes what is wrong into the reading; false. */
bool uri_fail(struct uri_reading *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *uri_scheme_name(enum scheme);
/* Is it 224.0.0.0/4 or above, or ff00::/8, or no host at all? */
bool uri_is_no_host(const struct addr *);

/* `key=value&...`, as it stands behind the question mark. Cuts up the text. */
bool uri_params_read(struct uri_parts *, char *text);
/* What must hold between them, when all parts have been read. */
bool uri_params_check(struct uri_parts *);
/* Adds to the text the parameters that tell servers apart; all others. */
const char *uri_params_add_identity(const struct server_conf *, const char *text, struct memory *);
const char *uri_params_add_others(const struct server_conf *, const char *text, struct memory *);

#endif
