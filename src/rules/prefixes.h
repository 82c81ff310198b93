/* prefixes: networks of IPv4 and IPv6, each with a number; built once, then only read, by any
 * thread. Looking for those that an address is in costs a probe of a hash table for each length
 * that there is, however many have it. The hash is keyed: lists come from others.
 */
#ifndef RULES_PREFIXES_H
#define RULES_PREFIXES_H

#include "net/addr.h"

#include <stdint.h>

/* The most networks that an address is in: one of each length. */
#define PREFIXES_DEPTH 129

struct prefixes;

/* NULL: out of memory. */
struct prefixes *prefixes_new(void);
void prefixes_free(struct prefixes *);

/* The number of a network, 0 if it is new; valid until the next one is put in. NULL: out of memory.
 * Bits behind the length do not count. */
uint32_t *prefixes_put(struct prefixes *, const struct prefix *);

/* The numbers of those that all of a network, such as one address, is in, the longest first; how
 * many. An IPv4-mapped address is the IPv4 address that it carries. */
unsigned prefixes_find(
	const struct prefixes *, const struct prefix *, uint32_t numbers[PREFIXES_DEPTH]);

size_t prefixes_count(const struct prefixes *);
size_t prefixes_memory(const struct prefixes *);

#endif
