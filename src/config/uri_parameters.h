/* uri_parameters: what stands behind the question mark of an upstream, and what uri.c shares with
 * it. */
#ifndef CONFIG_URI_PARAMETERS_H
#define CONFIG_URI_PARAMETERS_H

#include "config/uri.h"

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
bool uri_parameters_read(struct uri_parts *, char *text);
/* What must hold between them, when all parts have been read. */
bool uri_parameters_check(struct uri_parts *);
/* The text with those parameters behind it that tell servers apart, or all others. */
const char *uri_parameters_add(
	const struct server_conf *, const char *text, bool telling, struct memory *);

#endif
