/* name: domain names on the wire (RFC 1035 §3.1). No allocation; labels are arbitrary octets.
 *
 * A name is checked once, by name_len() or name_skip(); all other functions rely on it.
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/span.h"

#include <stdbool.h>

#define NAME_MAX_WIRE 255
/* Text of the longest name, every octet as \ddd, and the NUL. */
#define NAME_TEXT 1025
/* Pointers that one name may go through. Encoders need a handful; more is an attack on our time. */
#define NAME_HOPS 32

/* The length of the uncompressed name that starts at `at`, with its root label; 0 if it is
 * compressed, too long, or runs past the end. */
size_t name_len(struct span message, size_t at);

/* Moves *at past the name there (its pointer, if it has one), having followed every pointer: each
 * must lead behind the header, to a name that stands wholly before the labels that brought us to
 * it; there are at most NAME_HOPS of them, and the whole name keeps to 255 octets. */
bool name_skip(struct span message, size_t *at);

/* Where the name at `at` ends, its own octets alone: no pointer is followed. */
size_t name_end(struct span message, size_t at);

/* ASCII letters of an uncompressed name to lower case, in place. */
void name_lower(uint8_t *name, size_t len);

/* Are two uncompressed names of this length the same? ASCII letters without case. */
bool name_equals(const uint8_t *a, const uint8_t *b, size_t len);
/* Is the first name the second one, or below it? */
bool name_is_below(const uint8_t *name, size_t len, const uint8_t *zone, size_t zone_len);
/* Are the names at two places of one message, compressed or not, the same? */
bool name_same(struct span message, size_t a, size_t b);

/* The name at `at`, decompressed, into out; its length. */
size_t name_copy(struct span message, size_t at, uint8_t out[NAME_MAX_WIRE]);

/* An uncompressed name with its last octets, of which there are so many, replaced by another one;
 * its length, or 0 if that is too long for a name. */
size_t name_replace_end(
	struct span name, size_t end_len, struct span end, uint8_t out[NAME_MAX_WIRE]);

/* Reads presentation form (`\.`, `\ddd`), with or without the last dot. 0: not a name. */
size_t name_from_text(const char *text, uint8_t out[NAME_MAX_WIRE]);
/* Writes presentation form with the last dot; returns text. */
const char *name_to_text(const uint8_t *name, char text[NAME_TEXT]);

#endif
