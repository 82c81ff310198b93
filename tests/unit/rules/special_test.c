#include "rules/special.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "dns/name.h"

static const struct special *find(const char *name)
{
	const struct special *s = special_names;

	while (s->name && strcmp(s->name, name) != 0)
		s++;
	return s->name ? s : NULL;
}

/* The one that holds for a name, if any: the deepest that it is at or below. */
static const struct special *holds_for(const char *text)
{
	const struct special *found = NULL;
	uint8_t name[NAME_MAX_WIRE], zone[NAME_MAX_WIRE];
	size_t len = name_from_text(text, name), best = 0;

	assert_true(len > 0);
	for (const struct special *s = special_names; s->name; s++) {
		size_t zone_len = name_from_text(s->name, zone);

		if (zone_len > best && name_is_below(name, len, zone, zone_len)) {
			found = s;
			best = zone_len;
		}
	}
	return found;
}

static const struct special *holds_for_address(const char *address)
{
	uint8_t octets[16];
	char text[NAME_TEXT], *to = text;

	if (inet_pton(AF_INET, address, octets) == 1) {
		snprintf(text, sizeof text, "%u.%u.%u.%u.in-addr.arpa", octets[3], octets[2],
			octets[1], octets[0]);
		return holds_for(text);
	}
	assert_int_equal(inet_pton(AF_INET6, address, octets), 1);
	for (int i = 15; i >= 0; i--)
		to += snprintf(to, 5, "%x.%x.", octets[i] & 15u, octets[i] >> 4);
	snprintf(to, 9, "ip6.arpa");
	return holds_for(text);
}

static unsigned count(enum special_kind kind, const char *below)
{
	size_t len = strlen(below);
	unsigned n = 0;

	for (const struct special *s = special_names; s->name; s++)
		n += s->kind == kind && strlen(s->name) > len &&
			strcmp(s->name + strlen(s->name) - len, below) == 0;
	return n;
}

CASE(names_that_mean_this_host_or_nobody)
{
	EQ(find("localhost")->kind, SPECIAL_LOOPBACK);
	EQ(find("invalid")->kind, SPECIAL_NXDOMAIN);
	EQ(find("local")->kind, SPECIAL_NXDOMAIN);
	EQ(find("onion")->kind, SPECIAL_NXDOMAIN);
	EQ(find("alt")->kind, SPECIAL_NXDOMAIN);
	EQ(find("home.arpa")->kind, SPECIAL_HOME);
	EQ(find("use-application-dns.net")->kind, SPECIAL_CANARY);
}

CASE(what_others_may_know_is_asked)
{
	OK(!holds_for("www.test"));
	OK(!holds_for("ipv4only.arpa"));
	OK(!holds_for("resolver.arpa"));
	OK(!holds_for("arpa"));
	OK(!holds_for("example.com"));
	OK(!holds_for("."));
	OK(!holds_for("notlocalhost"));
}

/* RFC 6303 has 25 zones of IPv4 (18 in §4.1, 7 in §4.2) and 8 of IPv6; RFC 7793 adds 64. */
CASE(zones_are_as_many_as_the_registry_has)
{
	EQ(count(SPECIAL_ZONE, ".in-addr.arpa"), 25 + 64);
	EQ(count(SPECIAL_ZONE, ".ip6.arpa"), 8);
	EQ(count(SPECIAL_ZONE, ""), 25 + 64 + 8);
}

CASE(each_stands_once_in_lower_case)
{
	for (const struct special *s = special_names; s->name; s++) {
		uint8_t name[NAME_MAX_WIRE];

		OK(name_from_text(s->name, name) > 0);
		OK(find(s->name) == s);
		for (const char *c = s->name; *c; c++)
			OK(*c < 'A' || *c > 'Z');
	}
}

/* The first and last address of each block, and its neighbours outside. */
CASE(blocks_of_addresses_are_covered_to_their_ends)
{
	static const char *in[] = { "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
		"192.168.0.0", "192.168.255.255", "0.0.0.0", "0.255.255.255", "127.0.0.1",
		"127.255.255.255", "169.254.0.0", "169.254.255.255", "192.0.2.0", "192.0.2.255",
		"198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "255.255.255.255",
		"100.64.0.0", "100.127.255.255", "::", "::1",
		"fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" };
	static const char *out[] = { "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "192.169.0.0", "1.0.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "192.0.1.255", "192.0.3.0", "198.51.99.255",
		"198.51.101.0", "203.0.112.255", "203.0.114.0", "255.255.255.254", "100.63.255.255",
		"100.128.0.0", "::2",
		"fc00::", "fe00::", "fe7f::", "fec0::", "2001:db7::", "2001:db9::" };

	for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
		const struct special *s = holds_for_address(in[i]);

		if (!s || s->kind != SPECIAL_ZONE)
			fail_msg("%s is of no zone", in[i]);
	}
	for (size_t i = 0; i < sizeof out / sizeof *out; i++)
		if (holds_for_address(out[i]))
			fail_msg("%s is of a zone", out[i]);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(names_that_mean_this_host_or_nobody),
		CLAIM(what_others_may_know_is_asked),
		CLAIM(zones_are_as_many_as_the_registry_has),
		CLAIM(each_stands_once_in_lower_case),
		CLAIM(blocks_of_addresses_are_covered_to_their_ends),
	};

	return RUN(cases);
}
