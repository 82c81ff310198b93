/* spelled: upstreams with a scheme, as programs for encrypted DNS write them. */
#ifndef IMPORT_SPELLED_H
#define IMPORT_SPELLED_H

#include "import/recipe.h"

/* `[/DOMAIN/.../]SCHEME://...`, or an address, which is plain DNS. What is DNS over HTTPS or QUIC
 * is carried as DNS over TLS to the same host, and told. Goes to the upstreams or zones, or, if a
 * key is given, to that. Cuts the text. */
void spelled_add(struct recipe *, const struct said *, char *text, const char *key);

#endif
