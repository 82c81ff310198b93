/* glob: patterns of `*` and `?` over the octets of a name. */
#ifndef RULES_GLOB_H
#define RULES_GLOB_H

#include "dns/name.h"

#include <stdbool.h>

struct glob;

/* Reads one, as pattern.h says. NULL: why says what is wrong with it. */
struct glob *glob_new(const char *text, char *why, size_t why_size);
void glob_free(struct glob *);

/* The name that all that match are, or are below: the whole labels behind the last wildcard. 0:
 * there is no such name, so none matches. */
size_t glob_tail(const struct glob *, uint8_t tail[NAME_MAX_WIRE]);

/* Does a name (uncompressed, in lower case) match? In time of its length, times that of the glob.
 */
bool glob_matches(const struct glob *, const uint8_t *name);

#endif
