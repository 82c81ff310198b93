/* The PROXY header: however it is cut, there is one end of it, and one meaning; and what it says,
 * said in the other version, is the same. */
#include <string.h>

#include "fuzz.h"
#include "net/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>

/* ---- the same in other words ---- */

static size_t put_line(uint8_t out[PROXY_LINE_MAX + 1], const struct proxy_header *h)
{
	char source[ADDR_TEXT], destination[ADDR_TEXT];

	return (size_t)snprintf((char *)out, PROXY_LINE_MAX + 1, "PROXY TCP%c %s %s %u %u\r\n",
		h->source.any.sa_family == AF_INET ? '4' : '6', addr_print_host(&h->source, source),
		addr_print_host(&h->destination, destination), addr_port(&h->source),
		addr_port(&h->destination));
}

static size_t put_block(uint8_t out[PROXY_LINE_MAX], const struct proxy_header *h)
{
	const struct addr *a[] = { &h->source, &h->destination };
	const bool v4 = a[0]->any.sa_family == AF_INET;
	const size_t one = v4 ? 4 : 16;

	memcpy(out, "\r\n\r\n\0\r\nQUIT\n\x21", 13);
	out[13] = v4 ? 0x11 : 0x21;
	out[14] = 0;
	out[15] = (uint8_t)(2 * one + 4);
	for (size_t i = 0; i < 2; i++) {
		memcpy(out + 16 + i * one,
			v4 ? (const void *)&a[i]->v4.sin_addr : &a[i]->v6.sin6_addr, one);
		out[16 + 2 * one + 2 * i] = (uint8_t)(addr_port(a[i]) >> 8);
		out[16 + 2 * one + 2 * i + 1] = (uint8_t)addr_port(a[i]);
	}
	return 16 + 2 * one + 4;
}

static void means(const struct proxy_header *h, struct span s)
{
	struct proxy_header other;

	HOLDS(proxy_parse(&other, s) == PROXY_WHOLE && other.len == s.len);
	HOLDS(addr_equal(&other.source, &h->source));
	HOLDS(addr_equal(&other.destination, &h->destination));
}

static void say_otherwise(const struct proxy_header *h)
{
	uint8_t out[PROXY_LINE_MAX + 1];

	means(h, (struct span){ out, put_line(out, h) });
	means(h, (struct span){ out, put_block(out, h) });
}

/* ---- in pieces ---- */

/* What was found in the whole is found in each part of it, and not before its end is there. */
static void cut(struct span s, enum proxy_found found, const struct proxy_header *h)
{
	const size_t step = 1 + s.len / 256;
	struct proxy_header part;
	bool was_none = false;

	for (size_t len = 0; len <= s.len; len += step) {
		enum proxy_found now = proxy_parse(&part, (struct span){ s.at, len });

		HOLDS(now == PROXY_WHOLE
				? found == PROXY_WHOLE && len >= h->len && part.len == h->len
				: now == PROXY_NONE ? found == PROXY_NONE
						    : found != PROXY_WHOLE || len < h->len);
		HOLDS(!was_none || now == PROXY_NONE);
		was_none = now == PROXY_NONE;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct span s = { data, len };
	struct proxy_header h, datagram;
	const enum proxy_found found = proxy_parse(&h, s);
	const bool whole = proxy_parse_datagram(&datagram, s);

	HOLDS(whole == (found == PROXY_WHOLE && *data == '\r'));
	HOLDS(!whole || datagram.len == h.len);
	cut(s, found, &h);
	if (found != PROXY_WHOLE)
		return 0;
	HOLDS(h.len <= len && h.len >= strlen("PROXY UNKNOWN\r\n"));
	HOLDS(h.source.any.sa_family == h.destination.any.sa_family);
	if (h.source.any.sa_family != AF_UNSPEC)
		say_otherwise(&h);
	return 0;
}
