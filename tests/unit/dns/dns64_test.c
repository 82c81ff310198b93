#include "dns/dns64.h"

#include <arpa/inet.h>
#include <string.h>

#include "case.h"

static struct dns64_prefix prefix(const char *text, unsigned bits)
{
	struct dns64_prefix p = { .bits = bits };

	OK(inet_pton(AF_INET6, text, p.octets) == 1);
	return p;
}

/* The address in there that stands for 192.0.2.33, and back. */
static void check(const char *text, unsigned bits, const char *address)
{
	static const uint8_t v4[4] = { 192, 0, 2, 33 };
	struct dns64_prefix p = prefix(text, bits);
	uint8_t v6[16], back[4];
	char made[INET6_ADDRSTRLEN];

	OK(dns64_embed(&p, v4, v6));
	STR(inet_ntop(AF_INET6, v6, made, sizeof made), address);
	OK(dns64_extract(&p, v6, back));
	MEM(back, v4, 4);
	v6[0] ^= 1;
	OK(!dns64_extract(&p, v6, back));
}

/* RFC 6052 §2.4. */
CASE(every_length_of_a_prefix_has_its_place_for_the_address)
{
	check("2001:db8::", 32, "2001:db8:c000:221::");
	check("2001:db8:100::", 40, "2001:db8:1c0:2:21::");
	check("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::");
	check("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::");
	check("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100:0");
	check("2001:db8:122:344::", 96, "2001:db8:122:344::c000:221");
	check("64:ff9b::", 96, "64:ff9b::c000:221");
}

CASE(an_address_with_something_in_octet_8_is_another_one)
{
	struct dns64_prefix p = prefix("2001:db8:122:344::", 64);
	uint8_t v6[16], v4[4];

	OK(inet_pton(AF_INET6, "2001:db8:122:344:1c0:2:2100:0", v6) == 1);
	OK(!dns64_extract(&p, v6, v4));
}

static bool embeds(const struct dns64_prefix *p, const char *text)
{
	uint8_t v4[4], v6[16];

	OK(inet_pton(AF_INET, text, v4) == 1);
	return dns64_embed(p, v4, v6);
}

CASE(the_well_known_prefix_is_not_for_private_addresses)
{
	static const char *const not_global[] = { "0.1.2.3", "10.0.0.1", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.0.169", "192.0.0.172", "192.168.1.1", "198.19.0.1",
		"224.0.0.1", "255.255.255.255" };
	static const char *const global[] = { "1.1.1.1", "11.0.0.1", "100.63.255.255",
		"100.128.0.0", "172.15.0.1", "172.32.0.0", "192.0.1.1", "192.167.1.1", "198.20.0.1",
		"223.1.1.1", "192.0.0.170", "192.0.0.171" };
	struct dns64_prefix known = prefix("64:ff9b::", 96), own = prefix("64:ff9b:1::", 96);

	for (size_t i = 0; i < sizeof not_global / sizeof *not_global; i++) {
		OK(!embeds(&known, not_global[i]));
		OK(embeds(&own, not_global[i]));
	}
	for (size_t i = 0; i < sizeof global / sizeof *global; i++)
		OK(embeds(&known, global[i]));
}

#define ZEROS_OF_96 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa"

static const char *reverse(const char *text, char back[NAME_TEXT])
{
	struct dns64_prefix p = prefix("64:ff9b::", 96);
	uint8_t name[NAME_MAX_WIRE], out[NAME_MAX_WIRE];
	size_t len = name_from_text(text, name);

	OK(len);
	return dns64_reverse(&p, name, len, out) ? name_to_text(out, back) : "";
}

CASE(the_name_of_an_address_becomes_that_of_what_it_stands_for)
{
	char text[NAME_TEXT];

	STR(reverse("1.2.2.0.0.0.0.C." ZEROS_OF_96, text), "33.2.0.192.in-addr.arpa.");
	STR(reverse("f.f.f.f.f.f.f.f." ZEROS_OF_96, text), "255.255.255.255.in-addr.arpa.");
}

CASE(other_names_stay)
{
	char text[NAME_TEXT];

	STR(reverse("2.2.0.0.0.0.c." ZEROS_OF_96, text), "");
	STR(reverse("x.1.2.2.0.0.0.0.c." ZEROS_OF_96, text), "");
	STR(reverse("g.2.2.0.0.0.0.c." ZEROS_OF_96, text), "");
	STR(reverse("11.2.0.0.0.0.0.c." ZEROS_OF_96, text), "");
	STR(reverse("1.2.2.0.0.0.0.c.1" ZEROS_OF_96, text), "");
	STR(reverse("33.2.0.192.in-addr.arpa", text), "");
	STR(reverse(".", text), "");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(every_length_of_a_prefix_has_its_place_for_the_address),
		CLAIM(an_address_with_something_in_octet_8_is_another_one),
		CLAIM(the_well_known_prefix_is_not_for_private_addresses),
		CLAIM(the_name_of_an_address_becomes_that_of_what_it_stands_for),
		CLAIM(other_names_stay),
	};

	return RUN(cases);
}
