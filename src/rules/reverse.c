#include "rules/reverse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define V4_LEN 4
#define V6_LEN 16
/* Of the name of a whole address of IPv6: 32 labels of one digit, and ip6.arpa. */
#define V6_NAME_LEN (2 * 32 + sizeof "\3ip6\4arpa")

size_t reverse_name(struct span octets, unsigned bits, uint8_t out[NAME_MAX_WIRE])
{
	bool v4 = octets.len == V4_LEN;
	char text[80];
	size_t len = 0;

	for (unsigned i = bits / (v4 ? 8 : 4); i-- > 0;) {
		unsigned label = v4 ? octets.at[i]
				    : (unsigned)octets.at[i / 2] >> (i % 2 ? 0 : 4) & 15;

		len += (size_t)snprintf(
			text + len, sizeof text - len, v4 ? "%u." : "%x.", label);
	}
	snprintf(text + len, sizeof text - len, "%s", v4 ? "in-addr.arpa" : "ip6.arpa");
	return name_from_text(text, out);
}

static size_t read_v4(struct span name, uint8_t octets[V6_LEN])
{
	char text[NAME_TEXT];
	unsigned n[V4_LEN];

	if (sscanf(name_to_text(name.at, text), "%3u.%3u.%3u.%3u.", &n[3], &n[2], &n[1], &n[0]) !=
		V4_LEN)
		return 0;
	for (unsigned i = 0; i < V4_LEN; i++)
		octets[i] = (uint8_t)n[i];
	return V4_LEN;
}

static size_t read_v6(struct span name, uint8_t octets[V6_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 2 * V6_LEN; i++) {
		const char *digit = memchr(digits, name.at[1 + 2 * i], sizeof digits - 1);

		if (!digit)
			return 0;
		octets[V6_LEN - 1 - i / 2] =
			(uint8_t)(octets[V6_LEN - 1 - i / 2] >> 4 | (digit - digits) << 4);
	}
	return V6_LEN;
}

/* However it is read, it has to be just the name that such an address has. */
size_t reverse_address(struct span name, uint8_t octets[16])
{
	size_t len = name.len == V6_NAME_LEN ? read_v6(name, octets) : read_v4(name, octets);
	uint8_t again[NAME_MAX_WIRE];

	if (len &&
		reverse_name((struct span){ octets, len }, 8 * (unsigned)len, again) == name.len &&
		memcmp(again, name.at, name.len) == 0)
		return len;
	return 0;
}
