#include "dns/dns64.h"

#include <stdio.h>
#include <string.h>

/* The octet that is 0 in all of them, whatever the prefix (RFC 6052 §2.2). */
enum { OCTET_U = 8 };

/* Nobody outside of a network can mean these (RFC 5735 §3). Those of documentation are not among
 * them: RFC 6052 §2.4 has them behind the well-known prefix. */
static const struct {
	uint8_t octets[4];
	uint8_t bits;
} not_global[] = {
	{ { 0 }, 8 },
	{ { 10 }, 8 },
	{ { 100, 64 }, 10 },
	{ { 127 }, 8 },
	{ { 169, 254 }, 16 },
	{ { 172, 16 }, 12 },
	{ { 192, 0, 0 }, 24 },
	{ { 192, 168 }, 16 },
	{ { 198, 18 }, 15 },
	{ { 224 }, 3 },
};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* By the addresses of ipv4only.arpa hosts learn a prefix, the well-known one as well (RFC 7050 §3).
 */
static bool is_global(const uint8_t v4[4])
{
	static const uint8_t discovery[4] = { 192, 0, 0, 170 };

	if (same_bits(v4, discovery, 31))
		return true;
	for (size_t i = 0; i < sizeof not_global / sizeof *not_global; i++)
		if (same_bits(v4, not_global[i].octets, not_global[i].bits))
			return false;
	return true;
}

static bool is_well_known(const struct dns64_prefix *p)
{
	static const uint8_t well_known[12] = { 0, 0x64, 0xff, 0x9b };

	return p->bits == 96 && memcmp(p->octets, well_known, sizeof well_known) == 0;
}

/* Where the n-th octet of the IPv4 address is. */
static unsigned place_of(const struct dns64_prefix *p, unsigned n)
{
	unsigned at = p->bits / 8 + n;

	return p->bits <= 64 && at >= OCTET_U ? at + 1 : at;
}

bool dns64_embed(const struct dns64_prefix *p, const uint8_t v4[4], uint8_t v6[16])
{
	memset(v6, 0, 16);
	memcpy(v6, p->octets, p->bits / 8);
	for (unsigned i = 0; i < 4; i++)
		v6[place_of(p, i)] = v4[i];
	return !is_well_known(p) || is_global(v4);
}

bool dns64_extract(const struct dns64_prefix *p, const uint8_t v6[16], uint8_t v4[4])
{
	for (unsigned i = 0; i < 4; i++)
		v4[i] = v6[place_of(p, i)];
	return same_bits(v6, p->octets, p->bits) && (p->bits > 64 || v6[OCTET_U] == 0);
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 labels of one digit each, the last digit of the address first (RFC 3596 §2.5). */
static bool read_name(const uint8_t *name, size_t len, uint8_t v6[16])
{
	static const uint8_t zone[] = "\3ip6\4arpa";

	memset(v6, 0, 16);
	if (len != 64 + sizeof zone || !name_equals(name + 64, zone, sizeof zone))
		return false;
	for (unsigned i = 0; i < 32; i++, name += 2) {
		int value = digit(name[1]);

		if (name[0] != 1 || value < 0)
			return false;
		v6[15 - i / 2] |= (uint8_t)(i % 2 ? value << 4 : value);
	}
	return true;
}

size_t dns64_reverse(
	const struct dns64_prefix *p, const uint8_t *name, size_t len, uint8_t out[NAME_MAX_WIRE])
{
	uint8_t v6[16], v4[4];
	char text[sizeof "255.255.255.255.in-addr.arpa"];

	if (!read_name(name, len, v6) || !dns64_extract(p, v6, v4))
		return 0;
	snprintf(text, sizeof text, "%u.%u.%u.%u.in-addr.arpa", v4[3], v4[2], v4[1], v4[0]);
	return name_from_text(text, out);
}
