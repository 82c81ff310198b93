/* dns64: IPv6 addresses that stand for IPv4 addresses (RFC 6052), and the names of both. */
#ifndef DNS_DNS64_H
#define DNS_DNS64_H

#include "dns/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* bits: 32, 40, 48, 56, 64 or 96 (RFC 6052 §2.2). */
struct dns64_prefix {
	uint8_t octets[16];
	unsigned bits;
};

/* The address that stands for v4. False: the well-known prefix may not stand for it, which is of no
 * meaning outside of its own network (RFC 6052 §3.1). */
bool dns64_embed(const struct dns64_prefix *, const uint8_t v4[4], uint8_t v6[16]);
/* What an address stands for. False: it is not one of these. */
bool dns64_extract(const struct dns64_prefix *, const uint8_t v6[16], uint8_t v4[4]);

/* Of the name of such an address (in ip6.arpa), the name of what it stands for (in in-addr.arpa);
 * its length, 0: it is not one. */
size_t dns64_reverse(
	const struct dns64_prefix *, const uint8_t *name, size_t len, uint8_t out[NAME_MAX_WIRE]);

#endif
