/* uri_params: what stands behind the question mark of an upstream. */
#ifndef CONFIG_URI_PARAMS_H
#define CONFIG_URI_PARAMS_H

#include "config/uri_parts.h"

/* The weight of a server that is given none. */
#define URI_WEIGHT 100

/* `key=value&...`, as it stands behind the question mark. Cuts up the text. */
bool uri_params_read(struct uri_parts *, char *text);
/* What must hold between them, when all parts have been read. */
bool uri_params_check(struct uri_parts *);
/* Adds to the text the parameters that tell servers apart; all others. */
const char *uri_params_add_identity(const struct server_conf *, const char *text, struct memory *);
const char *uri_params_add_others(const struct server_conf *, const char *text, struct memory *);

#endif
