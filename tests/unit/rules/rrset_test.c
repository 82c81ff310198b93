/* Records from text. */
#include "rules/rrset.h"

#include "case.h"

#include "dns/types.h"

#include <stdio.h>
#include <string.h>

static char why[RRSET_WHY];

static void is_read(const char *text, uint16_t type, uint32_t ttl_s, struct span want)
{
	struct rrset *sets = NULL;

	OK(rrset_read(&sets, text, 60, why));
	const struct rrset *set = rrset_find(sets, type);

	OK(set && set == sets && !set->next);
	EQ(set->ttl_s, ttl_s);
	EQ(set->count, 1);
	EQ(set->first->macro, MACRO_NONE);
	EQ(set->first->len, want.len);
	MEM(set->first->octets, want.at, want.len);
	rrset_free(sets);
}

static void is_refused(const char *text, const char *because)
{
	struct rrset *sets = NULL;

	*why = 0;
	OK(!rrset_read(&sets, text, 60, why));
	STR(strstr(why, because) ? because : why, because);
	OK(!sets);
}

CASE(a_record_is_a_ttl_a_type_and_data)
{
	is_read("A 192.0.2.1", TYPE_A, 60, SPAN("\300\0\2\1"));
	is_read("300 a 192.0.2.1", TYPE_A, 300, SPAN("\300\0\2\1"));
	is_read("  5m  A 192.0.2.1 ; why", TYPE_A, 300, SPAN("\300\0\2\1"));
	is_read("TXT \"a b\" c", TYPE_TXT, 60, SPAN("\3a b\1c"));
	is_read("0 TXT \"a;b\"", TYPE_TXT, 0, SPAN("\3a;b"));
}

CASE(names_are_absolute_and_keep_their_spelling)
{
	is_read("MX 10 Mail", TYPE_MX, 60, SPAN("\0\12\4Mail\0"));
	is_read("CNAME A.Example.", TYPE_CNAME, 60, SPAN("\1A\7Example\0"));
	is_read("NS @", TYPE_NS, 60, SPAN("\0"));
}

CASE(services_are_read)
{
	is_read("HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1", TYPE_HTTPS, 60,
		SPAN("\0\1\0\0\1\0\3\2h2\0\4\0\4\300\0\2\1"));
	is_read("SVCB 0 a.b", TYPE_SVCB, 60, SPAN("\0\0\1a\1b\0"));
}

CASE(every_type_can_be_written_as_octets)
{
	is_read("TYPE65280 \\# 2 cafe", 65280, 60, SPAN("\xca\xfe"));
	is_read("TYPE65280 \\# 0", 65280, 60, SPAN(""));
	is_read("TYPE1 \\# 4 c0000201", TYPE_A, 60, SPAN("\300\0\2\1"));
	is_read("TYPE64 \\# 3 000100", TYPE_SVCB, 60, SPAN("\0\1\0"));
}

CASE(octets_must_be_what_their_type_asks_for)
{
	is_refused("TYPE1 \\# 3 c00002", "");
	is_refused("TYPE5 \\# 2 c00c", ""); /* a pointer: nothing is in front of it */
	is_refused("TYPE15 \\# 4 000ac00c", "");
	is_refused("TYPE6 \\# 2 0000", "");
	is_refused("A \\# 0", "not what its type asks for");
	is_refused("TXT \\# 0", "not what its type asks for");
}

CASE(what_is_no_record_is_refused_with_a_reason)
{
	is_refused("", "not a type");
	is_refused("FOO bar", "FOO is not a type");
	is_refused("A", "value expected");
	is_refused("A 192.0.2", "could not parse");
	is_refused("A 192.0.2.1 192.0.2.2", "superfluous");
	is_refused("TYPE200 \\# 0", "no record has this type");
	is_refused("ANY \\# 0", "");
	is_refused("OPT \\# 0", "");
	is_refused("TYPE0 \\# 0", "not a type");
	is_refused("4294967295 A 192.0.2.1", "TTL");
	is_refused("4294967301 A 192.0.2.1", "not a TTL"); /* it would be 5 */
	is_refused("4294967301 A @self", "not a TTL");
	is_refused("CH TXT x", "not a type");
	is_refused("A @iface:", "not one of @self");
	is_refused("A @slef", "not one of @self");
	is_refused("A @self @self", "more than one address");
	is_refused("x A @self", "not a type");
	is_refused("5x A @self", "not a TTL");
	is_refused("4294967295 A @self", "not a TTL");
}

CASE(twice_the_same_is_once_and_the_lowest_ttl_is_of_all)
{
	struct rrset *sets = NULL;

	OK(rrset_read(&sets, "300 A 192.0.2.1", 60, why));
	OK(rrset_read(&sets, "200 A 192.0.2.1", 60, why));
	OK(rrset_read(&sets, "900 A 192.0.2.2", 60, why));
	OK(rrset_read(&sets, "AAAA 2001:db8::1", 60, why));
	EQ(sets->type, TYPE_A);
	EQ(sets->count, 2);
	EQ(sets->ttl_s, 200);
	EQ(rrset_find(sets, TYPE_AAAA)->ttl_s, 60);
	OK(!rrset_find(sets, TYPE_TXT));
	rrset_free(sets);
}

CASE(the_records_of_an_owner_fit_into_a_message)
{
	struct rrset *sets = NULL;
	static uint8_t octets[4000], many[RRSET_ROOM];
	unsigned added = 0;

	while (rrset_add(&sets, (uint16_t)(added % 2 ? TYPE_TXT : TYPE_NULL), 60,
		(struct span){ octets, sizeof octets }))
		octets[added++ % 256]++;
	EQ(added, RRSET_ROOM / (12 + sizeof octets));
	OK(!rrset_add(&sets, TYPE_NULL, 60, (struct span){ many, sizeof many }));
	OK(rrset_add(&sets, TYPE_A, 60, SPAN("\300\0\2\1"))); /* for which there is room */
	rrset_free(sets);
}

CASE(self_stays_as_it_is_for_the_family_that_is_asked_for)
{
	struct rrset *sets = NULL;

	OK(rrset_add_address(&sets, "@self", 60, why));
	EQ(rrset_find(sets, TYPE_A)->first->macro, MACRO_SELF);
	EQ(rrset_find(sets, TYPE_AAAA)->first->macro, MACRO_SELF);
	rrset_free(sets);
	sets = NULL;
	OK(rrset_read(&sets, "5m A @self ", 60, why));
	EQ(rrset_find(sets, TYPE_A)->ttl_s, 300);
	OK(!rrset_find(sets, TYPE_AAAA));
	rrset_free(sets);
}

CASE(an_interface_stands_for_its_addresses)
{
	struct rrset *sets = NULL;

	OK(rrset_add_address(&sets, "@iface:lo", 60, why));
	OK(rrset_find(sets, TYPE_A));
	MEM(rrset_find(sets, TYPE_A)->first->octets, "\177\0\0\1", 4);
	rrset_free(sets);
	sets = NULL;
	OK(rrset_read(&sets, "AAAA @iface:lo", 60, why));
	OK(!rrset_find(sets, TYPE_A));
	rrset_free(sets);
}

CASE(what_names_nothing_now_adds_nothing)
{
	struct rrset *sets = NULL;

	OK(rrset_add_address(&sets, "@iface:nowhere9", 60, why));
	OK(!sets);
}

CASE(addresses_are_of_either_family)
{
	struct rrset *sets = NULL;

	OK(rrset_add_address(&sets, "192.0.2.1", 60, why));
	OK(rrset_add_address(&sets, "2001:db8::1", 60, why));
	EQ(rrset_find(sets, TYPE_A)->count, 1);
	EQ(rrset_find(sets, TYPE_AAAA)->count, 1);
	OK(!rrset_add_address(&sets, "192.0.2.1:53", 60, why));
	STR(why, "192.0.2.1:53: not an address");
	OK(!rrset_add_address(&sets, "", 60, why));
	rrset_free(sets);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_record_is_a_ttl_a_type_and_data),
		CLAIM(names_are_absolute_and_keep_their_spelling),
		CLAIM(services_are_read),
		CLAIM(every_type_can_be_written_as_octets),
		CLAIM(octets_must_be_what_their_type_asks_for),
		CLAIM(what_is_no_record_is_refused_with_a_reason),
		CLAIM(twice_the_same_is_once_and_the_lowest_ttl_is_of_all),
		CLAIM(the_records_of_an_owner_fit_into_a_message),
		CLAIM(self_stays_as_it_is_for_the_family_that_is_asked_for),
		CLAIM(an_interface_stands_for_its_addresses),
		CLAIM(what_names_nothing_now_adds_nothing),
		CLAIM(addresses_are_of_either_family),
	};

	return RUN(cases);
}
