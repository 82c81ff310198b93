/* Hosts files and zone files: what is read of them, and what is wrong with others. */
#include "rules/local.h"

#include "local_case.h"

#include "dns/types.h"

#include <sys/stat.h>

#define SOA "@ 3600 SOA ns root 1 3600 900 604800 300\n"

/* Claims what is wrong with a hosts file, and where. */
static void hosts_are_refused(const char *text, unsigned line, const char *why)
{
	const char *file = file_of(text);

	l = local_new(TTL_S);
	OK(!local_read_hosts(l, file, &fault));
	STR(fault.file, file);
	EQ(fault.line, line);
	OK(strstr(fault.why, why));
	local_free(l);
}

static void zone_is_refused(const char *text, unsigned line, const char *why)
{
	const char *file = file_of(text);

	l = local_new(TTL_S);
	OK(!local_read_zone(l, "example", file, &fault));
	STR(fault.file, file);
	STR(strstr(fault.why, why) ? why : fault.why, why);
	EQ(fault.line, line);
	local_free(l);
}

static void read_hosts(const char *text)
{
	l = local_new(TTL_S);
	OK(local_read_hosts(l, file_of(text), &fault));
	OK(local_add_pointers(l));
}

/* ---- hosts ---- */

CASE(a_line_has_several_names_and_a_name_several_lines)
{
	read_hosts("# a comment\n\n192.0.2.1\ta.test  B.test # and more\r\n"
		   "192.0.2.2 b.test\n2001:db8::1 a.test\n  192.0.2.1 a.test");
	EQ(look("b.test", TYPE_A), LOCAL_RECORDS);
	EQ(count_of(TYPE_A), 2);
	MEM(data_of(TYPE_A, 0).at, "\300\0\2\1", 4);
	MEM(data_of(TYPE_A, 1).at, "\300\0\2\2", 4);
	EQ(look("a.test", TYPE_AAAA), LOCAL_RECORDS);
	EQ(count_of(TYPE_A), 1);
	EQ(count_of(TYPE_AAAA), 1);
	EQ(found.sets->ttl_s, TTL_S);
	local_free(l);
}

CASE(a_host_has_no_other_types_and_nothing_is_said_of_its_neighbours)
{
	read_hosts("192.0.2.1 a.b.test\n");
	EQ(look("a.b.test", TYPE_AAAA), LOCAL_NODATA);
	EQ(look("a.b.test", TYPE_ANY), LOCAL_RECORDS);
	EQ(look("b.test", TYPE_A), LOCAL_FOREIGN);
	EQ(look("x.a.b.test", TYPE_A), LOCAL_FOREIGN);
	EQ(look("x.b.test", TYPE_A), LOCAL_FOREIGN);
	local_free(l);
}

CASE(the_scope_of_an_address_is_left_out)
{
	read_hosts("fe80::1%lo0 a.test\n");
	EQ(look("a.test", TYPE_AAAA), LOCAL_RECORDS);
	MEM(data_of(TYPE_AAAA, 0).at, "\376\200\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	local_free(l);
}

CASE(an_address_has_the_first_name_of_its_first_line)
{
	read_hosts("192.0.2.1 a.test b.test\n192.0.2.1 c.test\n2001:db8::1 six.test\n"
		   "0.0.0.0 blocked.test\n:: blocked.test\n");
	EQ(look("1.2.0.192.in-addr.arpa", TYPE_PTR), LOCAL_RECORDS);
	EQ(count_of(TYPE_PTR), 1);
	is_name(data_of(TYPE_PTR, 0), "a.test.");
	EQ(look("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		   TYPE_PTR),
		LOCAL_RECORDS);
	is_name(data_of(TYPE_PTR, 0), "six.test.");
	EQ(look("0.0.0.0.in-addr.arpa", TYPE_PTR), LOCAL_FOREIGN);
	local_free(l);
}

CASE(a_pointer_of_a_zone_is_not_replaced)
{
	l = local_new(TTL_S);
	OK(local_read_zone(
		l, "2.0.192.in-addr.arpa", file_of(SOA "1 60 PTR mine.test.\n"), &fault));
	OK(local_read_hosts(l, file_of("192.0.2.1 a.test\n192.0.2.2 b.test\n"), &fault));
	OK(local_add_pointers(l));
	EQ(look("1.2.0.192.in-addr.arpa", TYPE_PTR), LOCAL_RECORDS);
	is_name(data_of(TYPE_PTR, 0), "mine.test.");
	EQ(look("2.2.0.192.in-addr.arpa", TYPE_PTR), LOCAL_RECORDS);
	is_name(data_of(TYPE_PTR, 0), "b.test.");
	local_free(l);
}

CASE(a_broken_line_is_told_with_its_number)
{
	hosts_are_refused("192.0.2.1 a.test\n\nnot-an-address b.test\n", 3, "not-an-address");
	hosts_are_refused("192.0.2.1\n", 1, "without a name");
	hosts_are_refused("192.0.2.1 # a.test\n", 1, "without a name");
	hosts_are_refused("192.0.2.1:53 a.test\n", 1, "not an address");
	hosts_are_refused("192.0.2.1 a..test\n", 1, "a..test: not a name");
	hosts_are_refused("192.0.2.1 .\n", 1, "not a name");
	hosts_are_refused("192.0.2.1 a.test\n192.0.2.1 @self\n192.0.2.x b.test", 3, "192.0.2.x");
}

CASE(a_file_that_is_not_there_is_a_fault)
{
	l = local_new(TTL_S);
	OK(!local_read_hosts(l, "/nowhere/hosts", &fault));
	STR(fault.why, "No such file or directory");
	OK(!local_read_zone(l, "example", "/nowhere/zone", &fault));
	STR(fault.why, "No such file or directory");
	OK(!local_read_zone(l, "example", "/", &fault));
	STR(fault.why, "Is a directory");
	local_free(l);
}

CASE(a_pipe_is_not_waited_for)
{
	static const char fifo[] = "/tmp/local_files_test.fifo";

	unlink(fifo);
	EQ(mkfifo(fifo, 0600), 0);
	l = local_new(TTL_S);
	OK(!local_read_hosts(l, fifo, &fault));
	STR(fault.why, "a pipe cannot be read again");
	OK(!local_read_zone(l, "example", fifo, &fault));
	STR(fault.why, "a pipe cannot be read again");
	OK(!local_read_hosts(l, "/dev/zero", &fault));
	STR(fault.why, "not a file");
	local_free(l);
	unlink(fifo);
}

CASE(a_mark_of_editors_does_not_matter)
{
	read_hosts("\xef\xbb\xbf"
		   "192.0.2.1 a.test\r\n");
	EQ(look("a.test", TYPE_A), LOCAL_RECORDS);
	local_free(l);
	hosts_are_refused("192.0.2.1 a.test\n\xef\xbb\xbf"
			  "192.0.2.1 a.test\n",
		2, "not an address");
}

CASE(more_addresses_than_an_answer_holds_are_a_fault)
{
	static char text[256 * 1024];
	size_t len = 0;

	for (unsigned i = 0; i < 5000; i++)
		len += (size_t)snprintf(
			text + len, sizeof text - len, "10.0.%u.%u a.test\n", i >> 8, i & 255);
	hosts_are_refused(text, RRSET_ROOM / 16 + 1, "more addresses than one answer can hold");
}

CASE(hosts_of_the_configuration_have_pointers_too)
{
	const char *addresses[] = { "192.0.2.1", "2001:db8::1", "@self" };
	struct host_conf conf = { .place = { "sotto.yaml", 7 },
		.name = "Router.lan",
		.addresses = addresses,
		.address_count = 3 };

	l = local_new(TTL_S);
	OK(local_add_host(l, &conf, &fault));
	OK(local_add_pointers(l));
	EQ(look("router.lan", TYPE_A), LOCAL_RECORDS);
	EQ(count_of(TYPE_A), 2);
	EQ(look("1.2.0.192.in-addr.arpa", TYPE_PTR), LOCAL_RECORDS);
	addresses[0] = "192.0.2";
	OK(!local_add_host(l, &conf, &fault));
	STR(fault.file, "sotto.yaml");
	EQ(fault.line, 7);
	STR(fault.why, "192.0.2: not an address");
	local_free(l);
}

/* ---- zones ---- */

CASE(a_zone_file_may_have_origin_ttl_and_several_lines_to_a_record)
{
	l = local_new(TTL_S);
	OK(local_read_zone(l, "Example",
		file_of("; a zone\n$TTL 2h\n@ IN SOA ns root (\n 1 3600 ; refresh\n 900 604800 300 "
			")\n NS ns\n$ORIGIN sub.example.\nwww A 192.0.2.1\n 5m A 192.0.2.2\n"
			"x TYPE65280 \\# 2 cafe\n$ORIGIN example.\nh HTTPS 1 . alpn=h2\n"),
		&fault));
	EQ(look("www.sub.example", TYPE_A), LOCAL_RECORDS);
	EQ(count_of(TYPE_A), 2);
	EQ(found.sets->ttl_s, 300); /* of both: RFC 2181 §5.2 */
	EQ(look("x.sub.example", 65280), LOCAL_RECORDS);
	EQ(found.sets->ttl_s, 7200);
	EQ(look("h.example", TYPE_HTTPS), LOCAL_RECORDS);
	local_free(l);
}

CASE(records_without_a_ttl_have_that_of_local_data)
{
	l = local_new(TTL_S);
	OK(local_read_zone(l, "example", file_of(SOA "a A 192.0.2.1\n"), &fault));
	EQ(look("a.example", TYPE_A), LOCAL_RECORDS);
	EQ(found.sets->ttl_s, TTL_S);
	local_free(l);
}

CASE(a_zone_that_cannot_be_served_is_told_where)
{
	zone_is_refused("a 60 A 192.0.2.1\n", 0, "the zone has no SOA");
	zone_is_refused("", 0, "the zone has no SOA");
	zone_is_refused(SOA "@ 60 SOA ns root 2 3600 900 604800 300\n", 0, "more than one SOA");
	zone_is_refused(SOA "a 60 SOA ns root 2 3600 900 604800 300\n", 2, "SOA below");
	zone_is_refused(SOA "\na.test. 60 A 192.0.2.1\n", 3, "a name outside of the zone");
	zone_is_refused(SOA "a 60 A 192.0.2\n", 2, "could not parse");
	zone_is_refused(SOA "a 60 CH TXT x\n", 2, "class");
	zone_is_refused(SOA "a 60 FOO x\n", 2, "");
	zone_is_refused(SOA "$INCLUDE /etc/hostname\n", 2, "$INCLUDE");
}

CASE(an_alias_stands_alone_whatever_comes_first)
{
	zone_is_refused(SOA "a 60 CNAME b\na 60 A 192.0.2.1\n", 3, "CNAME beside other data");
	zone_is_refused(SOA "a 60 A 192.0.2.1\na 60 CNAME b\n", 3, "CNAME beside other data");
	zone_is_refused(SOA "@ 60 CNAME b\n", 2, "CNAME beside other data");
	zone_is_refused(SOA "a 60 CNAME b\na 60 CNAME c\n", 3, "an alias of more than one");
	zone_is_refused(SOA "a 60 DNAME b\na 60 DNAME c\n", 3, "an alias of more than one");
}

CASE(a_zone_is_one_file)
{
	l = local_new(TTL_S);
	OK(local_read_zone(l, "example", file_of(SOA), &fault));
	OK(!local_read_zone(l, "EXAMPLE.", file_of(SOA), &fault));
	OK(strstr(fault.why, "another file"));
	OK(!local_read_zone(l, "a..b", file_of(SOA), &fault));
	OK(strstr(fault.why, "not a name"));
	local_free(l);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_line_has_several_names_and_a_name_several_lines),
		CLAIM(a_host_has_no_other_types_and_nothing_is_said_of_its_neighbours),
		CLAIM(the_scope_of_an_address_is_left_out),
		CLAIM(an_address_has_the_first_name_of_its_first_line),
		CLAIM(a_pointer_of_a_zone_is_not_replaced),
		CLAIM(a_broken_line_is_told_with_its_number),
		CLAIM(a_file_that_is_not_there_is_a_fault),
		CLAIM(a_pipe_is_not_waited_for),
		CLAIM(a_mark_of_editors_does_not_matter),
		CLAIM(more_addresses_than_an_answer_holds_are_a_fault),
		CLAIM(hosts_of_the_configuration_have_pointers_too),
		CLAIM(a_zone_file_may_have_origin_ttl_and_several_lines_to_a_record),
		CLAIM(records_without_a_ttl_have_that_of_local_data),
		CLAIM(a_zone_that_cannot_be_served_is_told_where),
		CLAIM(an_alias_stands_alone_whatever_comes_first),
		CLAIM(a_zone_is_one_file),
	};

	return RUN(cases);
}
