/* What there is for a name in zones: the examples of RFC 4592 and RFC 6672, and the rest of RFC
 * 1034 §4.3.2. */
#include "rules/local.h"

#include "local_case.h"

#include "dns/types.h"

#define SOA "@ 3600 SOA ns.example.com. root.example.com. 1 3600 900 604800 300\n"

static void zone(const char *origin, const char *text)
{
	OK(local_read_zone(l, origin, file_of(text), &fault));
}

static void begin(void)
{
	l = local_new(TTL_S);
	OK(l);
}

static void end(void)
{
	local_free(l);
	l = NULL;
}

/* The zone of RFC 4592 §2.2.1. */
static void begin_rfc4592(void)
{
	begin();
	zone("example",
		"$ORIGIN example.\n" SOA "example.                 3600     NS    ns.example.com.\n"
		"example.                 3600     NS    ns.example.net.\n"
		"*.example.               3600     TXT   \"this is a wildcard\"\n"
		"*.example.               3600     MX    10 host1.example.\n"
		"sub.*.example.           3600     TXT   \"this is not a wildcard\"\n"
		"host1.example.           3600     A     192.0.2.1\n"
		"_ssh._tcp.host1.example. 3600     SRV   0 0 22 host1.example.\n"
		"_ssh._tcp.host2.example. 3600     SRV   0 0 22 host1.example.\n"
		"subdel.example.          3600     NS    ns.example.com.\n"
		"subdel.example.          3600     NS    ns.example.net.\n");
	local_seal(l);
}

/* ---- RFC 4592 §2.2.1: synthesized ---- */

CASE(rfc4592_host3_mx_is_of_the_wildcard)
{
	begin_rfc4592();
	EQ(look("host3.example", TYPE_MX), LOCAL_RECORDS);
	EQ(count_of(TYPE_MX), 1);
	is_name(found.owner, "*.example.");
	is_name(found.zone, "example.");
	end();
}

CASE(rfc4592_host3_a_is_nodata_since_the_wildcard_has_none)
{
	begin_rfc4592();
	EQ(look("host3.example", TYPE_A), LOCAL_NODATA);
	OK(found.soa && found.soa->type == TYPE_SOA);
	end();
}

CASE(rfc4592_foo_bar_txt_is_of_the_wildcard_though_bar_is_not_there)
{
	begin_rfc4592();
	EQ(look("foo.bar.example", TYPE_TXT), LOCAL_RECORDS);
	MEM(data_of(TYPE_TXT, 0).at, "\22this is a wildcard", 19);
	end();
}

/* ---- RFC 4592 §2.2.1: not synthesized ---- */

CASE(rfc4592_host1_mx_is_nodata_because_host1_exists)
{
	begin_rfc4592();
	EQ(look("host1.example", TYPE_MX), LOCAL_NODATA);
	end();
}

CASE(rfc4592_sub_star_mx_is_nodata_because_it_exists)
{
	begin_rfc4592();
	EQ(look("sub.*.example", TYPE_MX), LOCAL_NODATA);
	EQ(look("sub.*.example", TYPE_TXT), LOCAL_RECORDS);
	is_name(found.owner, "sub.*.example.");
	end();
}

CASE(rfc4592_telnet_of_host1_is_nxdomain_because_tcp_exists)
{
	begin_rfc4592();
	EQ(look("_telnet._tcp.host1.example", TYPE_SRV), LOCAL_NXDOMAIN);
	OK(found.soa);
	EQ(look("_ssh._tcp.host1.example", TYPE_SRV), LOCAL_RECORDS);
	end();
}

CASE(rfc4592_host_subdel_a_is_foreign_because_subdel_is_a_cut)
{
	begin_rfc4592();
	EQ(look("host.subdel.example", TYPE_A), LOCAL_FOREIGN);
	EQ(look("subdel.example", TYPE_A), LOCAL_FOREIGN);
	EQ(look("subdel.example", TYPE_NS), LOCAL_FOREIGN);
	end();
}

CASE(rfc4592_ghost_star_mx_is_nxdomain_because_star_exists)
{
	begin_rfc4592();
	EQ(look("ghost.*.example", TYPE_MX), LOCAL_NXDOMAIN);
	end();
}

/* ---- the rest of RFC 4592 ---- */

CASE(the_wildcard_asked_for_by_its_own_name_is_a_name_like_others)
{
	begin_rfc4592();
	EQ(look("*.example", TYPE_TXT), LOCAL_RECORDS);
	EQ(look("*.example", TYPE_A), LOCAL_NODATA);
	end();
}

CASE(an_empty_non_terminal_exists_and_has_nothing)
{
	begin_rfc4592();
	EQ(look("_tcp.host1.example", TYPE_A), LOCAL_NODATA);
	EQ(look("host2.example", TYPE_MX), LOCAL_NODATA);
	EQ(look("host2.example", TYPE_ANY), LOCAL_NODATA);
	OK(!found.sets);
	end();
}

CASE(a_star_inside_of_a_name_is_a_plain_label)
{
	begin();
	zone("example", SOA "a.*.b 60 A 192.0.2.1\n");
	EQ(look("a.*.b.example", TYPE_A), LOCAL_RECORDS);
	EQ(look("a.x.b.example", TYPE_A), LOCAL_NODATA); /* of *.b, which is there, and empty */
	EQ(look("x.a.*.b.example", TYPE_A), LOCAL_NXDOMAIN);
	end();
}

CASE(a_wildcard_may_be_an_alias_or_an_empty_non_terminal)
{
	begin();
	zone("example", SOA "*.c 60 CNAME t\na.*.e 60 A 192.0.2.1\nt 60 A 192.0.2.2\n");
	EQ(look("x.y.c.example", TYPE_A), LOCAL_ALIAS);
	EQ(look("x.c.example", TYPE_CNAME), LOCAL_RECORDS);
	EQ(look("x.e.example", TYPE_A), LOCAL_NODATA);
	EQ(look("c.example", TYPE_A), LOCAL_NODATA);
	end();
}

CASE(a_wildcard_of_the_longest_name_is_found)
{
#define LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
	begin();
	zone("example", SOA "* 60 A 192.0.2.1\n");
	EQ(look(LABEL "." LABEL "." LABEL ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
		      ".example",
		   TYPE_A),
		LOCAL_RECORDS);
	end();
}

/* ---- RFC 1034 §4.3.2 ---- */

CASE(the_apex_has_its_records_and_is_no_cut)
{
	begin_rfc4592();
	EQ(look("example", TYPE_NS), LOCAL_RECORDS);
	EQ(count_of(TYPE_NS), 2);
	EQ(look("example", TYPE_SOA), LOCAL_RECORDS);
	EQ(look("example", TYPE_A), LOCAL_NODATA);
	end();
}

CASE(what_is_in_no_zone_is_foreign)
{
	begin_rfc4592();
	EQ(look("com", TYPE_A), LOCAL_FOREIGN);
	EQ(look(".", TYPE_NS), LOCAL_FOREIGN);
	EQ(look("example.com", TYPE_A), LOCAL_FOREIGN);
	end();
}

CASE(an_alias_is_told_to_who_asks_for_another_type)
{
	begin();
	zone("example", SOA "a 60 CNAME b\nb 60 A 192.0.2.1\n");
	EQ(look("a.example", TYPE_A), LOCAL_ALIAS);
	EQ(look("a.example", TYPE_CNAME), LOCAL_RECORDS);
	EQ(look("a.example", TYPE_ANY), LOCAL_RECORDS);
	EQ(look("x.a.example", TYPE_A), LOCAL_NXDOMAIN);
	end();
}

CASE(glue_is_below_a_cut_and_ds_is_above_it)
{
	begin();
	zone("example",
		SOA "sub 60 NS ns.sub\nns.sub 60 A 192.0.2.1\n"
		    "sub 60 DS 1 8 2 " /* 32 octets */
		    "00000000000000000000000000000000000000000000000000000000000000aa\n"
		    "plain 60 NS ns.sub\n");
	EQ(look("ns.sub.example", TYPE_A), LOCAL_FOREIGN);
	EQ(look("ns.sub.example", TYPE_DS), LOCAL_FOREIGN);
	EQ(look("sub.example", TYPE_DS), LOCAL_RECORDS);
	EQ(look("plain.example", TYPE_DS), LOCAL_NODATA);
	end();
}

CASE(the_innermost_zone_answers_and_ds_is_its_parents)
{
	begin();
	zone("example", SOA "sub 60 NS ns.sub\nother 60 A 192.0.2.1\n");
	zone("sub.example", SOA "@ 60 A 192.0.2.2\n");
	EQ(look("sub.example", TYPE_A), LOCAL_RECORDS);
	is_name(found.zone, "sub.example.");
	EQ(look("x.sub.example", TYPE_A), LOCAL_NXDOMAIN);
	EQ(look("sub.example", TYPE_DS), LOCAL_NODATA);
	is_name(found.zone, "example.");
	EQ(look("example", TYPE_DS), LOCAL_NODATA);
	EQ(look("other.example", TYPE_A), LOCAL_RECORDS);
	end();
}

CASE(a_zone_exists_though_its_parent_does_not_delegate_it)
{
	begin();
	zone("example", SOA "*.w 60 A 192.0.2.1\n");
	zone("sub.example", SOA "@ 60 A 192.0.2.2\n");
	EQ(look("sub.example", TYPE_DS), LOCAL_NODATA);
	is_name(found.zone, "example.");
	EQ(look("other.example", TYPE_DS), LOCAL_NXDOMAIN);
	EQ(look("x.sub.example", TYPE_DS), LOCAL_NXDOMAIN);
	end();
}

CASE(the_root_may_be_a_zone)
{
	begin();
	zone(".", SOA "com 60 NS ns.com\nlocal 60 A 192.0.2.1\n");
	EQ(look("local", TYPE_A), LOCAL_RECORDS);
	EQ(look("example.com", TYPE_A), LOCAL_FOREIGN);
	EQ(look("example", TYPE_A), LOCAL_NXDOMAIN);
	EQ(look(".", TYPE_SOA), LOCAL_RECORDS);
	EQ(look(".", TYPE_DS), LOCAL_NODATA);
	end();
}

/* ---- RFC 6672 ---- */

CASE(dname_is_of_what_is_below_it_and_not_of_its_owner)
{
	begin();
	zone("example.com",
		SOA "frobozz 60 DNAME frobozz-division.acme.example.\n"
		    "frobozz 60 TXT \"beside it\"\n"
		    "hidden.frobozz 60 A 192.0.2.1\n");
	EQ(look("www.frobozz.example.com", TYPE_A), LOCAL_DNAME);
	is_name(found.owner, "frobozz.example.com.");
	EQ(count_of(TYPE_DNAME), 1);
	EQ(look("a.b.frobozz.example.com", TYPE_DNAME), LOCAL_DNAME);
	EQ(look("hidden.frobozz.example.com", TYPE_A), LOCAL_DNAME);
	EQ(look("frobozz.example.com", TYPE_A), LOCAL_NODATA);
	EQ(look("frobozz.example.com", TYPE_DNAME), LOCAL_RECORDS);
	EQ(look("frobozz.example.com", TYPE_TXT), LOCAL_RECORDS);
	end();
}

CASE(dname_at_the_apex_stands_beside_soa_and_ns)
{
	begin();
	zone("example.com", SOA "@ 60 NS ns.example.net.\n@ 60 DNAME example.net.\n");
	EQ(look("a.b.example.com", TYPE_A), LOCAL_DNAME);
	is_name(found.owner, "example.com.");
	EQ(look("example.com", TYPE_NS), LOCAL_RECORDS);
	EQ(look("example.com", TYPE_A), LOCAL_NODATA);
	end();
}

/* ---- hosts beside zones ---- */

CASE(a_host_stands_for_itself_inside_of_a_zone)
{
	begin();
	zone("example", SOA "* 60 A 192.0.2.9\n");
	OK(local_read_hosts(l, file_of("192.0.2.1 a.b.example\n"), &fault));
	EQ(look("a.b.example", TYPE_A), LOCAL_RECORDS);
	MEM(data_of(TYPE_A, 0).at, "\300\0\2\1", 4);
	EQ(found.zone.len, 0);
	OK(!found.soa);
	EQ(look("a.b.example", TYPE_MX), LOCAL_NODATA);
	EQ(look("b.example", TYPE_A), LOCAL_RECORDS); /* the wildcard: the host does not make it */
	is_name(found.owner, "*.example.");
	end();
}

static char visited[256];

static bool note(void *arg, struct span name, bool is_zone)
{
	char text[NAME_TEXT];
	size_t len = strlen(visited);

	snprintf(visited + len, sizeof visited - len, "%s%s ", name_to_text(name.at, text),
		is_zone ? "*" : "");
	return arg == NULL;
}

CASE(each_host_and_each_zone_is_visited)
{
	begin();
	zone("example", SOA "a 60 A 192.0.2.9\n");
	OK(local_read_hosts(l, file_of("192.0.2.1 a.test b.test\n"), &fault));
	local_seal(l);
	*visited = 0;
	OK(local_each(l, note, NULL));
	STR(visited, "a.test. b.test. example.* ");
	*visited = 0;
	OK(!local_each(l, note, visited));
	STR(visited, "a.test. ");
	end();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(rfc4592_host3_mx_is_of_the_wildcard),
		CLAIM(rfc4592_host3_a_is_nodata_since_the_wildcard_has_none),
		CLAIM(rfc4592_foo_bar_txt_is_of_the_wildcard_though_bar_is_not_there),
		CLAIM(rfc4592_host1_mx_is_nodata_because_host1_exists),
		CLAIM(rfc4592_sub_star_mx_is_nodata_because_it_exists),
		CLAIM(rfc4592_telnet_of_host1_is_nxdomain_because_tcp_exists),
		CLAIM(rfc4592_host_subdel_a_is_foreign_because_subdel_is_a_cut),
		CLAIM(rfc4592_ghost_star_mx_is_nxdomain_because_star_exists),
		CLAIM(the_wildcard_asked_for_by_its_own_name_is_a_name_like_others),
		CLAIM(an_empty_non_terminal_exists_and_has_nothing),
		CLAIM(a_star_inside_of_a_name_is_a_plain_label),
		CLAIM(a_wildcard_may_be_an_alias_or_an_empty_non_terminal),
		CLAIM(a_wildcard_of_the_longest_name_is_found),
		CLAIM(the_apex_has_its_records_and_is_no_cut),
		CLAIM(what_is_in_no_zone_is_foreign),
		CLAIM(an_alias_is_told_to_who_asks_for_another_type),
		CLAIM(glue_is_below_a_cut_and_ds_is_above_it),
		CLAIM(the_innermost_zone_answers_and_ds_is_its_parents),
		CLAIM(a_zone_exists_though_its_parent_does_not_delegate_it),
		CLAIM(the_root_may_be_a_zone),
		CLAIM(dname_is_of_what_is_below_it_and_not_of_its_owner),
		CLAIM(dname_at_the_apex_stands_beside_soa_and_ns),
		CLAIM(a_host_stands_for_itself_inside_of_a_zone),
		CLAIM(each_host_and_each_zone_is_visited),
	};

	return RUN(cases);
}
