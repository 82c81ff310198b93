/* names: a tree of domain names, each with a number; built once, then only read, by any thread.
 *
 * A name brings all names above it, to the root. A walk along a question's name costs a probe of a
 * hash table for each label, from the root on, and ends where the tree does.
 *
 * A list may be written by an enemy, so where names meet in the table must not be for him to say:
 * the hash is a polynomial modulo 2^61-1 over the octets of a name, at a secret point that each
 * tree draws for itself. Two names of n octets have the same one with a chance of n/2^62, whoever
 * chose them. It costs one multiplication for seven octets, and goes on from the name above.
 *
 * A node costs 8 octets, and 13 to 20 in the table; the text of a name is kept once, for it and
 * those names above it that came with it.
 */
#ifndef RULES_NAMES_H
#define RULES_NAMES_H

#include "base/span.h"
#include "dns/name.h"

#include <stdint.h>

/* Labels of the longest name, and the root. */
#define NAMES_DEPTH 128
/* No node. */
#define NAMES_NONE UINT32_MAX
/* The node of the root, which is always there. */
#define NAMES_ROOT 0

struct names;

/* NULL: out of memory. */
struct names *names_new(void);
void names_free(struct names *);

/* The node of a name (uncompressed, in lower case), made if need be; it is copied. NAMES_NONE: out
 * of memory. A new node's number is 0. */
uint32_t names_put(struct names *, const uint8_t *name, size_t len);
/* Valid until the next names_put(). */
uint32_t *names_number(struct names *, uint32_t node);
/* Gives back what nodes and text took for growth; nothing is put in afterwards. */
void names_seal(struct names *);

/* The nodes on the way to a name (likewise), the root first, as far as there are any; at least one.
 * nodes[i] is of a name of i labels. */
unsigned names_walk(
	const struct names *, const uint8_t *name, size_t len, uint32_t nodes[NAMES_DEPTH]);
uint32_t names_number_of(const struct names *, uint32_t node);
/* Its name on the wire. */
struct span names_name(const struct names *, uint32_t node);

/* How many nodes there are, and octets of memory. */
size_t names_count(const struct names *);
size_t names_memory(const struct names *);

#endif
