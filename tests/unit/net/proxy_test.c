#include "net/proxy.h"

#include "case.h"

#include <string.h>

/* The signature of version 2, then command, family, and the length of what follows. */
#define V2(command, family, len) "\r\n\r\n\0\r\nQUIT\n" command family "\0" len

#define OF_4                                                                                       \
	"\xc0\x00\x02\x07\xcb\x00\x71\x01"                                                         \
	"\x9c\x40\x00\x35"
#define OF_6                                                                                       \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"     \
	"\x9c\x40\x03\x55"
#define TLV(len, value) "\xea\0" len value

static struct proxy_header h;

static enum proxy_found parse(struct span s)
{
	return proxy_parse(&h, s);
}

static bool is(const struct addr *a, const char *text)
{
	struct addr wanted;

	OK(addr_parse(&wanted, text, 1));
	return addr_equal(a, &wanted);
}

static bool names_nobody(struct span s)
{
	return parse(s) == PROXY_WHOLE && h.source.any.sa_family == AF_UNSPEC;
}

/* As if it came one octet after another, with a query behind it: whole at its own end. */
static void comes_in_pieces(struct span s)
{
	uint8_t all[600];

	memcpy(all, s.at, s.len);
	memset(all + s.len, 'q', sizeof all - s.len);
	for (size_t len = 0; len < s.len; len++)
		EQ(parse((struct span){ all, len }), PROXY_MORE);
	for (size_t len = s.len; len < sizeof all; len++) {
		EQ(parse((struct span){ all, len }), PROXY_WHOLE);
		EQ(h.len, s.len);
	}
}

/* ---- version 2 ---- */

CASE(version_2_names_a_client_of_ipv4)
{
	EQ(parse(SPAN(V2("\x21", "\x11", "\x0c") OF_4)), PROXY_WHOLE);
	EQ(h.len, 28);
	OK(is(&h.source, "192.0.2.7:40000"));
	OK(is(&h.destination, "203.0.113.1:53"));
}

CASE(version_2_names_a_client_of_ipv6)
{
	EQ(parse(SPAN(V2("\x21", "\x22", "\x24") OF_6)), PROXY_WHOLE);
	EQ(h.len, 52);
	OK(is(&h.source, "[2001:db8::7]:40000"));
	OK(is(&h.destination, "[2001:db8::1]:853"));
}

CASE(how_the_client_came_does_not_matter)
{
	OK(parse(SPAN(V2("\x21", "\x12", "\x0c") OF_4)) == PROXY_WHOLE);
	OK(is(&h.source, "192.0.2.7:40000"));
	OK(parse(SPAN(V2("\x21", "\x21", "\x24") OF_6)) == PROXY_WHOLE);
	OK(is(&h.source, "[2001:db8::7]:40000"));
}

CASE(a_proxy_may_speak_for_itself)
{
	OK(names_nobody(SPAN(PROXY_LOCAL)));
	EQ(h.len, sizeof PROXY_LOCAL - 1);
	OK(names_nobody(SPAN(V2("\x20", "\x11", "\x0c") OF_4))); /* which are to be ignored */
	EQ(h.len, 28);
	OK(names_nobody(SPAN(V2("\x20", "\xff", "\x01") "?")));
}

CASE(who_has_no_ip_address_is_not_named)
{
	char unix_socket[16 + 216] = V2("\x21", "\x31", "\xd8");

	OK(names_nobody((struct span){ (uint8_t *)unix_socket, sizeof unix_socket }));
	EQ(h.len, sizeof unix_socket);
	unix_socket[15]--;
	EQ(parse((struct span){ (uint8_t *)unix_socket, sizeof unix_socket }), PROXY_NONE);
}

CASE(who_is_unknown_is_not_named)
{
	OK(names_nobody(SPAN(V2("\x21", "\0", "\x03") "???")));
	EQ(h.len, 19);
	OK(names_nobody(SPAN(V2("\x21", "\x10", "\x0c") OF_4)));
	OK(names_nobody(SPAN(V2("\x21", "\x01", "\0"))));
}

CASE(what_follows_the_addresses_is_skipped_if_it_fits)
{
	EQ(parse(SPAN(V2("\x21", "\x11", "\x14") OF_4 TLV("\x01", "x") TLV("\0", "") "\x04")),
		PROXY_NONE);
	EQ(parse(SPAN(V2("\x21", "\x11", "\x13") OF_4 TLV("\x01", "x") TLV("\0", ""))),
		PROXY_WHOLE);
	EQ(h.len, 35);
	OK(is(&h.source, "192.0.2.7:40000"));
	EQ(parse(SPAN(V2("\x21", "\x11", "\x10") OF_4 TLV("\x02", "x"))), PROXY_NONE);
	EQ(parse(SPAN(V2("\x21", "\x11", "\x0e") OF_4 "\xea\0")), PROXY_NONE);
}

CASE(addresses_must_have_room)
{
	EQ(parse(SPAN(V2("\x21", "\x11", "\x0b") OF_4)), PROXY_NONE);
	EQ(parse(SPAN(V2("\x21", "\x21", "\x23") OF_6)), PROXY_NONE);
}

CASE(what_version_2_does_not_know_is_none)
{
	EQ(parse(SPAN(V2("\x22", "\x11", "\x0c") OF_4)), PROXY_NONE); /* command */
	EQ(parse(SPAN(V2("\x31", "\x11", "\x0c") OF_4)), PROXY_NONE); /* version */
	EQ(parse(SPAN(V2("\x11", "\x11", "\x0c") OF_4)), PROXY_NONE);
	EQ(parse(SPAN(V2("\x21", "\x41", "\x0c") OF_4)), PROXY_NONE); /* family */
	EQ(parse(SPAN(V2("\x21", "\x13", "\x0c") OF_4)), PROXY_NONE); /* transport */
}

CASE(version_2_may_come_in_pieces)
{
	comes_in_pieces(SPAN(V2("\x21", "\x11", "\x10") OF_4 TLV("\x01", "x")));
	comes_in_pieces(SPAN(V2("\x21", "\x21", "\x24") OF_6));
	comes_in_pieces(SPAN(V2("\x20", "\0", "\0")));
}

/* ---- version 1 ---- */

CASE(version_1_names_a_client)
{
	EQ(parse(SPAN("PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\r\nq")), PROXY_WHOLE);
	EQ(h.len, 43);
	OK(is(&h.source, "192.0.2.7:40000") && is(&h.destination, "203.0.113.1:53"));
	EQ(parse(SPAN("PROXY TCP6 2001:DB8::7 ::1 0 65535\r\n")), PROXY_WHOLE);
	OK(is(&h.source, "[2001:db8::7]:0") && is(&h.destination, "[::1]:65535"));
}

CASE(version_1_may_name_nobody)
{
	OK(names_nobody(SPAN("PROXY UNKNOWN\r\n")));
	EQ(h.len, 15);
	OK(names_nobody(SPAN("PROXY UNKNOWN \0\n\r whatever\r\n")));
	EQ(h.len, 28);
	EQ(parse(SPAN("PROXY UNKNOWNS\r\n")), PROXY_NONE);
}

CASE(version_1_is_spelled_in_one_way)
{
	static const char *const lines[] = {
		"PROXY TCP4 192.0.2.7 203.0.113.1 40000\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 40000 53 \r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 40000 53 1\r\n",
		"PROXY TCP4 192.0.2.7  203.0.113.1 40000 53\r\n",
		"PROXY  TCP4 192.0.2.7 203.0.113.1 40000 53\r\n",
		"PROXY TCP4 192.0.2.07 203.0.113.1 40000 53\r\n",
		"PROXY TCP4 192.0.2 203.0.113.1 40000 53\r\n",
		"PROXY TCP4 2001:db8::7 ::1 40000 53\r\n",
		"PROXY TCP6 192.0.2.7 203.0.113.1 40000 53\r\n",
		"PROXY TCP6 fe80::1%lo ::1 40000 53\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 65536 53\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 040000 53\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 +4000 53\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 -1 53\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 40000 53x\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 99999999999999999999 53\r\n",
		"PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\n\r\n",
		"PROXY TCP5 192.0.2.7 203.0.113.1 40000 53\r\n",
		"PROXY tcp4 192.0.2.7 203.0.113.1 40000 53\r\n",
		"PROXY \r\n",
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		EQ(parse((struct span){ (const uint8_t *)lines[i], strlen(lines[i]) }), PROXY_NONE);
	EQ(parse(SPAN("PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\0\r\n")), PROXY_NONE);
}

CASE(version_1_may_come_in_pieces)
{
	comes_in_pieces(SPAN("PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\r\n"));
	comes_in_pieces(SPAN("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
			     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"));
}

CASE(a_line_ends_within_107_octets)
{
	char line[PROXY_LINE_MAX + 1];

	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	struct span all = { (uint8_t *)line, sizeof line };

	EQ(parse((struct span){ all.at, PROXY_LINE_MAX - 1 }), PROXY_MORE);
	EQ(parse((struct span){ all.at, PROXY_LINE_MAX }), PROXY_NONE);
	line[PROXY_LINE_MAX - 2] = '\r';
	line[PROXY_LINE_MAX - 1] = '\n';
	EQ(parse(all), PROXY_WHOLE);
	memcpy(line + PROXY_LINE_MAX - 2, "x\r\n", 3);
	EQ(parse(all), PROXY_NONE);
}

/* ---- neither ---- */

CASE(anything_else_is_none_at_its_first_wrong_octet)
{
	EQ(parse(SPAN("")), PROXY_MORE);
	EQ(parse(SPAN("\r\n\r\n\0\r\nQUIT")), PROXY_MORE);
	EQ(parse(SPAN("PROXY")), PROXY_MORE);
	EQ(parse(SPAN("\r\n\r\n\r")), PROXY_NONE);
	EQ(parse(SPAN("PROXI")), PROXY_NONE);
	EQ(parse(SPAN("proxy")), PROXY_NONE);
	EQ(parse(SPAN("\0\x1d")), PROXY_NONE); /* a query */
	EQ(parse(SPAN("\x16\x03\x01")), PROXY_NONE); /* a ClientHello */
	EQ(parse(SPAN("GET /")), PROXY_NONE);
}

CASE(a_datagram_has_all_of_version_2)
{
	OK(proxy_parse_datagram(&h, SPAN(V2("\x21", "\x12", "\x0c") OF_4 "q")));
	EQ(h.len, 28);
	OK(is(&h.source, "192.0.2.7:40000"));
	OK(proxy_parse_datagram(&h, SPAN(V2("\x20", "\0", "\0"))));
	OK(!proxy_parse_datagram(&h, SPAN(V2("\x21", "\x12", "\x0d") OF_4)));
	OK(!proxy_parse_datagram(&h, SPAN(V2("\x22", "\x12", "\x0c") OF_4)));
	OK(!proxy_parse_datagram(&h, SPAN("\r\n\r\n")));
	OK(!proxy_parse_datagram(&h, SPAN("")));
	OK(!proxy_parse_datagram(&h, SPAN("PROXY TCP4 192.0.2.7 203.0.113.1 40000 53\r\n")));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(version_2_names_a_client_of_ipv4),
		CLAIM(version_2_names_a_client_of_ipv6),
		CLAIM(how_the_client_came_does_not_matter),
		CLAIM(a_proxy_may_speak_for_itself),
		CLAIM(who_has_no_ip_address_is_not_named),
		CLAIM(who_is_unknown_is_not_named),
		CLAIM(what_follows_the_addresses_is_skipped_if_it_fits),
		CLAIM(addresses_must_have_room),
		CLAIM(what_version_2_does_not_know_is_none),
		CLAIM(version_2_may_come_in_pieces),
		CLAIM(version_1_names_a_client),
		CLAIM(version_1_may_name_nobody),
		CLAIM(version_1_is_spelled_in_one_way),
		CLAIM(version_1_may_come_in_pieces),
		CLAIM(a_line_ends_within_107_octets),
		CLAIM(anything_else_is_none_at_its_first_wrong_octet),
		CLAIM(a_datagram_has_all_of_version_2),
	};

	return RUN(cases);
}
