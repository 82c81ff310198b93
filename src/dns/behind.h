/* behind: whom a forwarder asks for, as options of EDNS say it: the client subnet of RFC 7871, and
 * what dnsmasq sends by add-mac and add-cpe-id. Reading is all: whether the sender is believed is
 * for others to know.
 */
#ifndef DNS_BEHIND_H
#define DNS_BEHIND_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	OPTION_SUBNET = 8, /* RFC 7871 */
	OPTION_MAC = 65001, /* six octets */
	OPTION_DEVICE = 65073, /* them as text, or in base64 */
	OPTION_CPE = 65074 /* text */
};

#define BEHIND_ADDRESS 16
/* With the final zero: a MAC address as behind_read_mac() writes it, the longest name of CPE. */
#define BEHIND_MAC 18
#define BEHIND_CPE 65

struct behind {
	bool has_subnet; /* it is there, be it that its prefix of no bits keeps the address back */
	uint8_t address_len, bits; /* 4 or 16, and how many bits of it are said; or both 0 */
	uint8_t address[BEHIND_ADDRESS]; /* the bits beyond are zero */
	char mac[BEHIND_MAC], cpe_id[BEHIND_CPE]; /* "": not said */
};

/* Reads well-formed options. What is no MAC address of six octets, and a CPE that is empty, too
 * long or no text, is nothing said. False: a subnet is malformed (RFC 7871 §6), or something is
 * said twice, and not the same. */
bool behind_read(struct behind *, struct span options);

/* The most that behind_write() writes. */
#define BEHIND_OPTIONS 128
/* Options that say the same; their length. */
size_t behind_write(uint8_t out[BEHIND_OPTIONS], const struct behind *);

/* Reads `00:11:22:aa:bb:cc`, with colons or dashes, and writes it with colons in lower case. */
bool behind_read_mac(char mac[BEHIND_MAC], struct span text);

#endif
