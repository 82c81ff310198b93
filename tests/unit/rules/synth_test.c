/* Names that are made of addresses. */
#include "rules/synth.h"

#include "case.h"

#include "dns/types.h"
#include "rules/reverse.h"

#include <string.h>

static struct acl nets;
static struct synth *s;
static char why[RRSET_WHY];

static void begin(const char *form, const char *first, const char *second)
{
	*why = 0;
	OK(acl_add_prefix(&nets, first) && (!second || acl_add_prefix(&nets, second)));
	s = synth_new(form, &nets, why);
}

static void end(void)
{
	synth_free(s);
	s = NULL;
	acl_clear(&nets);
}

/* What the name has, as `TYPE` alone, or as the name that PTR is of; "": nothing. */
static const char *found(const char *name)
{
	static char text[NAME_TEXT];
	uint8_t wire[NAME_MAX_WIRE], data[NAME_MAX_WIRE];
	size_t len = name_from_text(name, wire);
	uint16_t type = 0;

	OK(len);
	if (!synth_find(s, (struct span){ wire, len }, &type, data))
		return "";
	if (type == TYPE_PTR)
		return name_to_text(data, text);
	struct addr a;

	OK(addr_from_octets(&a, data, type == TYPE_A ? 4 : 16));
	return addr_print_host(&a, text);
}

static void is_refused(const char *form, const char *first, const char *second, const char *because)
{
	begin(form, first, second);
	STR(strstr(why, because) ? because : why, because);
	OK(!s);
	end();
}

CASE(an_address_has_a_name_and_the_name_the_address)
{
	begin("Host-{a}-{b}-{c}-{D}.example", "192.0.2.0/25", NULL);
	STR(found("host-192-0-2-7.example"), "192.0.2.7");
	STR(found("7.2.0.192.in-addr.arpa"), "host-192-0-2-7.example.");
	STR(found("127.2.0.192.in-addr.arpa"), "host-192-0-2-127.example.");
	end();
}

CASE(what_is_outside_or_malformed_is_no_such_name)
{
	static const char *const none[] = { "host-192-0-2-128.example", "host-192-0-3-7.example",
		"host-192-0-2-07.example", "host-192-0-2-256.example", "host-192-0-2-.example",
		"host-192-0-2-7", "host-192-0-2-7.example.test", "a.host-192-0-2-7.example",
		"host-192-0-2-7x.example", "host-192-0-2-4294967303.example",
		"128.2.0.192.in-addr.arpa", "07.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa",
		"263.2.0.192.in-addr.arpa", "1.7.2.0.192.in-addr.arpa", "7.2.0.192.ip6.arpa",
		"example", "." };

	begin("host-{a}-{b}-{c}-{d}.example", "192.0.2.0/25", NULL);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		STR(found(none[i]), "");
	end();
}

CASE(what_the_form_leaves_out_is_fixed_by_the_networks)
{
	begin("{d}.x{c}.example", "192.0.0.0/18", "192.0.128.0/18");
	STR(found("7.x200.example"), "");
	STR(found("7.x130.example"), "192.0.130.7");
	STR(found("7.130.0.192.in-addr.arpa"), "7.x130.example.");
	end();
	is_refused("{d}.example", "192.0.2.0/24", "192.0.3.0/24", "several addresses");
	is_refused("{a}-{d}.example", "192.0.0.0/16", NULL, "several addresses");
	is_refused("{b}.example", "192.0.2.0/25", NULL, "several addresses");
}

CASE(an_address_of_ipv6_is_written_with_dashes)
{
	static const char six[] = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
				  ".ip6.arpa";

	begin("{address}.example", "2001:db8::/64", "::/96");
	STR(found("2001-db8--7.example"), "2001:db8::7");
	STR(found("2001-db8-0--7.example"), "2001:db8::7");
	STR(found("2001-db8-1--7.example"), "");
	STR(found("2001-db8.example"), "");
	STR(found(six), "2001-db8--7.example.");
	STR(found("0--102-304.example"), "::1.2.3.4");
	STR(found("4.0.3.0.2.0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"),
		"0--102-304.example.");
	end();
}

CASE(forms_that_make_no_names_are_refused)
{
	static const char v4[] = "192.0.2.0/24", v6[] = "2001:db8::/64";

	is_refused("host.example", v4, NULL, "nothing of the address");
	is_refused("{d}", v4, NULL, "a domain is missing");
	is_refused("{e}.example", v4, NULL, "in braces there is a, b, c, d or address");
	is_refused("{d.example", v4, NULL, "in braces");
	is_refused("{a}.example", v6, NULL, "in braces there is address");
	is_refused("{c}{d}.example", v4, NULL, "a sign that cannot be part of it");
	is_refused("{d}0.example", v4, NULL, "a sign that cannot be part of it");
	is_refused("{address}-x.example", v6, NULL, "behind an address of IPv6, a dot");
	is_refused("{d}-{d}.example", v4, NULL, "stands there once");
	is_refused("{d}\\.x.example", v4, NULL, "letters, digits");
	is_refused("{address}.example", v4, v6, "forms of their own");
	is_refused("x..{d}.example", v4, NULL, "makes no name");
	is_refused("a-label-of-more-than-sixty-three-octets-for-the-largest-numbers-{d}.example",
		v4, NULL, "makes no name");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_address_has_a_name_and_the_name_the_address),
		CLAIM(what_is_outside_or_malformed_is_no_such_name),
		CLAIM(what_the_form_leaves_out_is_fixed_by_the_networks),
		CLAIM(an_address_of_ipv6_is_written_with_dashes),
		CLAIM(forms_that_make_no_names_are_refused),
	};

	return RUN(cases);
}
