/* reverse: names of addresses, in in-addr.arpa and ip6.arpa (RFC 1035 §3.5, RFC 3596 §2.5). */
#ifndef RULES_REVERSE_H
#define RULES_REVERSE_H

#include "base/span.h"
#include "dns/name.h"

/* The name of the first so many bits of an address of 4 or 16 octets, as far as they are whole
 * labels; its length. */
size_t reverse_name(struct span octets, unsigned bits, uint8_t out[NAME_MAX_WIRE]);

/* The address whose name that is (uncompressed, in lower case): how many octets it has; 0: it is
 * the name of no whole address. */
size_t reverse_address(struct span name, uint8_t octets[16]);

#endif
