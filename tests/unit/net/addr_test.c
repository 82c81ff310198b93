#include "net/addr.h"

#include <stdio.h>

#include "case.h"

static const char *reprinted(const char *text)
{
	static char out[ADDR_TEXT];
	struct addr a;

	return addr_parse(&a, text, 53) ? addr_print(&a, out) : "no address";
}

CASE(addresses_are_read_with_and_without_a_port)
{
	STR(reprinted("192.0.2.1"), "192.0.2.1:53");
	STR(reprinted("192.0.2.1:5300"), "192.0.2.1:5300");
	STR(reprinted("2001:db8::1"), "[2001:db8::1]:53");
	STR(reprinted("[2001:db8::1]"), "[2001:db8::1]:53");
	STR(reprinted("[2001:db8::1]:5300"), "[2001:db8::1]:5300");
	STR(reprinted("[::1%lo]:53"), "[::1%lo]:53");
}

CASE(what_is_no_address_is_refused)
{
	static const char *const bad[] = { "", "example.org", "192.0.2.1:", "192.0.2.1:65536",
		"192.0.2.1:-1", "192.0.2", "[192.0.2.1]:53", "[::1", "[::1]x", "::1%nosuchlink0",
		"1.2.3.4:5:6", "[::1]:+53", " 127.0.0.1" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		STR(reprinted(bad[i]), "no address");
}

static bool matches(const char *prefix, const char *host)
{
	struct prefix p;
	struct addr a;

	OK(prefix_parse(&p, prefix));
	OK(addr_parse(&a, host, 0));
	return prefix_matches(&p, &a);
}

CASE(a_prefix_matches_its_addresses_only)
{
	OK(matches("10.0.0.0/8", "10.255.0.1"));
	OK(!matches("10.0.0.0/8", "11.0.0.1"));
	OK(matches("172.16.0.0/12", "172.31.255.255"));
	OK(!matches("172.16.0.0/12", "172.32.0.0"));
	OK(matches("fd00::/8", "fd12::1"));
	OK(!matches("fd00::/8", "fe80::1"));
	OK(!matches("0.0.0.0/0", "::1"));
	OK(matches("192.0.2.1", "192.0.2.1"));
	OK(!matches("192.0.2.1", "192.0.2.2"));
}

CASE(a_mapped_address_is_the_address_it_carries)
{
	OK(matches("10.0.0.0/8", "::ffff:10.1.2.3"));
}

static bool is_within(const char *inner, const char *outer)
{
	struct prefix p, q;

	OK(prefix_parse(&p, inner) && prefix_parse(&q, outer));
	return prefix_is_within(&p, &q);
}

CASE(a_network_is_within_another_if_all_of_it_is)
{
	OK(is_within("10.0.0.0/24", "10.0.0.0/24"));
	OK(is_within("10.0.0.0/24", "10.0.0.0/23"));
	OK(!is_within("10.0.0.0/24", "10.0.0.5"));
	OK(!is_within("10.0.0.0/24", "10.0.0.0/25"));
	OK(!is_within("10.0.0.0/24", "10.0.1.0/24"));
	OK(is_within("0.0.0.0/0", "0.0.0.0/0"));
	OK(!is_within("0.0.0.0/0", "::/0"));
	OK(is_within("fd00::/64", "fd00::/8"));
}

static const char *network(const char *octets, size_t len, unsigned bits)
{
	static char out[ADDR_TEXT + 4];
	char host[ADDR_TEXT];
	struct prefix p;

	if (!prefix_from_octets(&p, (const uint8_t *)octets, len, bits))
		return "none";
	snprintf(out, sizeof out, "%s/%u", addr_print_host(&p.base, host), p.bits);
	return out;
}

CASE(a_network_of_octets_has_nothing_behind_its_length)
{
	STR(network("\12\0\0\0", 4, 24), "10.0.0.0/24");
	STR(network("\12\0\0\1", 4, 24), "none");
	STR(network("\12\0\0\1", 4, 32), "10.0.0.1/32");
	STR(network("\12\0\0\1", 4, 33), "none");
	STR(network("\12\0\0", 3, 24), "none");
	STR(network("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, 8), "fd00::/8");
	STR(network("\0\0\0\0\0\0\0\0\0\0\xff\xff\12\0\0\0", 16, 120),
		"::ffff:10.0.0.0/24");
}

CASE(a_prefix_with_bits_behind_its_length_is_a_mistake)
{
	struct prefix p;

	OK(!prefix_parse(&p, "10.0.0.1/8"));
	OK(!prefix_parse(&p, "10.0.0.0/33"));
	OK(!prefix_parse(&p, "10.0.0.0/"));
	OK(!prefix_parse(&p, "10.0.0.0:53/8"));
}

CASE(private_holds_what_a_network_of_containers_uses)
{
	static const char *const in[] = { "10.1.1.1", "172.17.0.2", "192.168.1.1", "169.254.20.10",
		"100.64.0.1", "fd00::1", "fe80::1" };
	static const char *const out[] = { "8.8.8.8", "172.32.0.1", "2001:db8::1", "127.0.0.1" };
	struct acl acl = { 0 };
	struct addr a;

	OK(acl_add(&acl, "private"));
	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		OK(addr_parse(&a, in[i], 0) && acl_allows(&acl, &a));
	for (size_t i = 0; i < sizeof out / sizeof *out; i++)
		OK(addr_parse(&a, out[i], 0) && !acl_allows(&acl, &a));
	acl_clear(&acl);
}

CASE(what_is_local_or_private_is_inside)
{
	static const char *const inside[] = { "127.0.0.1", "::1", "10.1.2.3", "192.168.1.1",
		"172.16.0.1", "169.254.1.1", "100.64.0.1", "fd00::1", "fe80::1", "::ffff:10.0.0.1" };
	static const char *const outside[] = { "192.0.2.1", "2001:db8::1", "11.0.0.1", "0.0.0.0" };
	struct addr a;

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		OK(addr_parse(&a, inside[i], 53) && addr_is_inside(&a));
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		OK(addr_parse(&a, outside[i], 53) && !addr_is_inside(&a));
}

CASE(an_address_of_many_or_of_none_is_no_host)
{
	static const char *const none[] = { "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"::", "ff02::1" };
	static const char *const hosts[] = { "192.0.2.1", "127.0.0.1", "223.255.255.255", "::1",
		"2001:db8::1" };
	struct addr a;

	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		OK(addr_parse(&a, none[i], 0) && addr_is_no_host(&a));
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		OK(addr_parse(&a, hosts[i], 0) && !addr_is_no_host(&a));
}

static bool is_heard(const char *to, const char *listen)
{
	struct addr at[2], where;

	OK(addr_parse(&at[0], "198.51.100.1:53", 0) && addr_parse(&at[1], listen, 0));
	OK(addr_parse(&where, to, 0));
	return addr_is_heard(&where, at, 2);
}

CASE(who_listens_hears_what_comes_to_that_port_at_that_address)
{
	OK(is_heard("192.0.2.1:53", "192.0.2.1:53"));
	OK(is_heard("198.51.100.1:53", "192.0.2.1:53"));
	OK(is_heard("192.0.2.1:53", "[::ffff:192.0.2.1]:53"));
	OK(is_heard("127.0.0.7:53", "0.0.0.0:53"));
	OK(is_heard("[::1]:53", "[::]:53"));
	OK(!is_heard("192.0.2.1:853", "192.0.2.1:53"));
	OK(!is_heard("192.0.2.2:53", "192.0.2.1:53"));
	OK(!is_heard("192.0.2.2:53", "0.0.0.0:53"));
	OK(!is_heard("[::1]:53", "0.0.0.0:53"));
}

CASE(an_address_of_a_link_lacks_it_until_it_is_named)
{
	struct addr a;

	OK(addr_parse(&a, "fe80::1", 53) && addr_lacks_link(&a));
	OK(addr_parse(&a, "[febf::1]:5300", 53) && addr_lacks_link(&a));
	OK(addr_parse(&a, "fe80::1%1", 53) && !addr_lacks_link(&a));
	OK(addr_parse(&a, "fec0::1", 53) && !addr_lacks_link(&a));
	OK(addr_parse(&a, "169.254.0.1", 53) && !addr_lacks_link(&a));
}

CASE(a_network_is_what_a_host_can_choose_addresses_from)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = { { "192.0.2.1", "192.0.2.1:5300", true }, { "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "[::ffff:192.0.2.1]", true },
		{ "192.0.2.1", "[::ffff:192.0.2.2]", false },
		{ "[2001:db8:0:7::1]", "[2001:db8:0:7:ffff:ffff:ffff:ffff]", true },
		{ "[2001:db8:0:7::1]", "[2001:db8:0:6:ffff:ffff:ffff:ffff]", false },
		{ "[2001:db8:0:7::1]", "[2001:db8:0:8::]", false },
		{ "192.0.2.1", "[c000:201::]", false } };
	struct addr a, b;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		OK(addr_parse(&a, pairs[i].a, 53) && addr_parse(&b, pairs[i].b, 53));
		EQ(addr_same_network(&a, &b), pairs[i].same);
	}
}

CASE(no_address_is_none)
{
	struct addr a = { 0 };
	char text[ADDR_TEXT];

	STR(addr_print(&a, text), "none");
	STR(addr_print_host(&a, text), "none");
}

CASE(a_wildcard_covers_the_addresses_of_its_family_at_its_port)
{
	static const struct {
		const char *a, *b;
		bool covers;
	} pairs[] = { { "0.0.0.0", "127.0.0.1", true }, { "[::]", "[::1]", true },
		{ "[::]", "[fe80::1%1]", true }, { "127.0.0.1", "0.0.0.0", false },
		{ "0.0.0.0", "[::1]", false }, { "[::]", "127.0.0.1", false },
		{ "[::]", "0.0.0.0", false }, { "0.0.0.0", "127.0.0.1:5300", false },
		{ "0.0.0.0:0", "127.0.0.1:0", false }, { "127.0.0.1", "127.0.0.2", false } };
	struct addr a, b;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		OK(addr_parse(&a, pairs[i].a, 53) && addr_parse(&b, pairs[i].b, 53));
		EQ(addr_covers(&a, &b), pairs[i].covers);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_is_local_or_private_is_inside),
		CLAIM(addresses_are_read_with_and_without_a_port),
		CLAIM(what_is_no_address_is_refused),
		CLAIM(a_prefix_matches_its_addresses_only),
		CLAIM(a_mapped_address_is_the_address_it_carries),
		CLAIM(a_network_is_within_another_if_all_of_it_is),
		CLAIM(a_network_of_octets_has_nothing_behind_its_length),
		CLAIM(a_prefix_with_bits_behind_its_length_is_a_mistake),
		CLAIM(private_holds_what_a_network_of_containers_uses),
		CLAIM(an_address_of_many_or_of_none_is_no_host),
		CLAIM(an_address_of_a_link_lacks_it_until_it_is_named),
		CLAIM(a_network_is_what_a_host_can_choose_addresses_from),
		CLAIM(no_address_is_none),
		CLAIM(a_wildcard_covers_the_addresses_of_its_family_at_its_port),
		CLAIM(who_listens_hears_what_comes_to_that_port_at_that_address),
	};

	return RUN(cases);
}
