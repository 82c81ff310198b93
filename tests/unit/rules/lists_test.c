#include "rules/lists.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case.h"
#include "dns/text.h"

/* What was read, as text: an entry is `[+]KIND NAME[ ACT[ ...]];`, + an exception. */
static char seen[4096];
static struct list_report report;
static char dir[] = "/tmp/lists_test_XXXXXX";

static const char *const acts[] = { [ACT_PASS] = "pass",
	[ACT_ANSWER] = "answer",
	[ACT_NODATA] = "nodata",
	[ACT_NXDOMAIN] = "nxdomain",
	[ACT_DROP] = "drop",
	[ACT_TRUNCATE] = "truncate",
	[ACT_CNAME] = "cname" };

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	size_t len = strlen(seen);
	va_list args;

	va_start(args, format);
	vsnprintf(seen + len, sizeof seen - len, format, args);
	va_end(args);
}

static void say_what(const struct list_entry *e)
{
	char text[NAME_TEXT], address[ADDR_TEXT];
	static const char *const kinds[] = { "exact", "suffix", "below", "glob" };

	if (e->addresses)
		say("address %s/%u", addr_print_host(&e->addresses->base, address),
			e->addresses->bits);
	else
		say("%s %s", kinds[e->kind],
			e->kind == PATTERN_GLOB ? e->glob : name_to_text(e->name.at, text));
}

static bool take(void *arg, const struct list_entry *e)
{
	char type[TEXT_MAX];

	(void)arg;
	say("%s", e->allows ? "+" : "");
	say_what(e);
	if (e->has_act)
		say(" %s", acts[e->act]);
	if (e->target)
		say(" %s", e->target);
	for (const struct rrset *s = e->sets; s; s = s->next)
		say(" %ux%s", s->count, text_type(s->type, type));
	say(";");
	return true;
}

static bool read_as(enum list_format format, const char *text)
{
	*seen = 0;
	return list_read_text(
		(struct span){ (const uint8_t *)text, strlen(text) }, format, take, NULL, &report);
}

/* It is a list of this, with nothing ignored. */
#define IS(format, text, expected)                                                                 \
	do {                                                                                       \
		OK(read_as(format, text));                                                         \
		STR(seen, expected);                                                               \
		EQ(report.ignored, 0);                                                             \
	} while (0)

#define IGNORES(format, text, lines, expected)                                                     \
	do {                                                                                       \
		OK(read_as(format, text));                                                         \
		STR(seen, expected);                                                               \
		EQ(report.ignored, lines);                                                         \
		OK(report.ignored_why);                                                            \
	} while (0)

#define FAULT(format, text, at, words)                                                             \
	do {                                                                                       \
		OK(!read_as(format, text));                                                        \
		EQ(report.line, at);                                                               \
		STR(report.why, words);                                                            \
	} while (0)

/* ---- hosts ---- */

CASE(hosts_are_addresses_and_exact_names)
{
	IS(LIST_HOSTS, "# a list\n0.0.0.0 Ads.Example b.example # why\n:: c.example#d\n",
		"exact ads.example.;exact b.example.;exact c.example.;");
}

CASE(names_of_the_host_itself_are_passed_over)
{
	IS(LIST_HOSTS,
		"127.0.0.1 localhost localhost.localdomain local\n255.255.255.255 broadcasthost\n"
		"::1 ip6-localhost ip6-loopback\nfe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n"
		"ff02::1\tip6-allnodes\n",
		"");
	EQ(report.entries, 0);
}

CASE(hosts_without_address_or_name_are_faults)
{
	FAULT(LIST_HOSTS, "0.0.0.0 a.example\nb.example\n", 2, "not an address: \"b.example\"");
	FAULT(LIST_HOSTS, "0.0.0.0\n", 1, "an address without a name: \"0.0.0.0\"");
	FAULT(LIST_HOSTS, "0.0.0.0 a/b\n", 1, "not a name: \"a/b\"");
}

/* ---- domains ---- */

CASE(a_domain_is_all_below_it)
{
	IS(LIST_DOMAINS, "a.example\n*.B.example # why\n# c\n; d\n! e\n\n  f.example.\t\n",
		"suffix a.example.;below b.example.;suffix f.example.;");
}

CASE(two_words_are_no_domain)
{
	FAULT(LIST_DOMAINS, "a.example b.example", 1, "not a name: \"a.example b.example\"");
	FAULT(LIST_DOMAINS, "a.example\n<html>", 2, "not a name: \"<html>\"");
	FAULT(LIST_DOMAINS, "a..example", 1, "not a name: \"a..example\"");
}

CASE(names_that_nobody_asks_for_are_ignored)
{
	IGNORES(LIST_DOMAINS, "a.example\nb\xc3\xbc.example\n192.0.2.1\n2001:db8::1\n", 3,
		"suffix a.example.;");
	EQ(report.ignored_line, 2);
	STR(report.ignored_why, "a name that is not ASCII; questions have it as xn--");
}

/* ---- adblock ---- */

CASE(filters_of_whole_names_are_taken)
{
	IS(LIST_ADBLOCK,
		"[Adblock Plus 2.0]\n! Title: x\n||Ads.example^\n@@||ok.example^\n||b.example^$important\n"
		"||c.example^|\n||d.example\n# comment\n",
		"suffix ads.example.;+suffix ok.example.;suffix b.example.;suffix c.example.;"
		"suffix d.example.;");
	EQ(report.entries, 5);
}

CASE(wildcards_hold_at_the_name_and_below_it)
{
	IS(LIST_ADBLOCK, "||Ad*.example^\n||*.b.example^\n",
		"glob ad*.example;glob *.ad*.example;below b.example.;");
}

CASE(filters_of_pages_and_urls_are_ignored)
{
	IGNORES(LIST_ADBLOCK,
		"||a.example^\nb.example##.ad\n##.ad\n/ads[0-9]/\n||c.example/ads\n||d.example^$third-party\n"
		"@@|http://e.example\n-banner-\n||f.^\n||b\xc3\xbc.example^\n"
		"/x/$script\n||192.0.2.1^\n||a..b^\n",
		12, "suffix a.example.;");
	EQ(report.ignored_line, 2);
	STR(report.ignored_why, "a part of a page");
}

/* ---- dnsmasq ---- */

CASE(dnsmasq_blocks_by_addresses_that_are_none)
{
	IS(LIST_DNSMASQ,
		"# a list\naddress=/a.example/\naddress=/b.example/0.0.0.0\naddress=/c.example/#\n"
		"address=/d.example/e.example/::\nserver=/f.example/\nlocal=/g.example/ # why\n"
		"address=/.h.example/127.0.0.1\naddress=/*x.example/\naddress=/#/\n",
		"suffix a.example.;suffix b.example.;suffix c.example.;suffix d.example.;suffix e.example.;"
		"suffix f.example.;suffix g.example.;suffix h.example.;glob *x.example;suffix .;");
}

CASE(the_servers_of_everybody_are_an_exception)
{
	IS(LIST_DNSMASQ, "server=/a.example/#\n", "+suffix a.example.;");
}

CASE(what_dnsmasq_answers_or_asks_elsewhere_is_ignored)
{
	IGNORES(LIST_DNSMASQ,
		"local=/a.example/\naddress=/b.example/192.0.2.1\n"
		"server=/c.example/192.0.2.1\nserver=192.0.2.1\n",
		3, "suffix a.example.;");
	STR(report.ignored_why, "an answer, which is for rules");
}

CASE(other_options_of_dnsmasq_are_faults)
{
	FAULT(LIST_DNSMASQ, "adress=/a/\n", 1, "not address=, server= or local=: \"adress=/a/\"");
	FAULT(LIST_DNSMASQ, "address=/a\n", 1, "a name without / behind it: \"address=/a\"");
	FAULT(LIST_DNSMASQ, "address=a\n", 1, "not address=/NAME/: \"address=a\"");
	FAULT(LIST_DNSMASQ, "no-resolv\n", 1, "not address=, server= or local=: \"no-resolv\"");
}

/* ---- RPZ ---- */

#define HEAD "$TTL 300\n@ SOA . . 1 2 3 4 5\n@ NS localhost.\n"

CASE(policies_are_told_by_their_alias)
{
	IS(LIST_RPZ,
		HEAD
		"a.example CNAME .\n*.b.example IN CNAME *.\nc.example 60 CNAME rpz-passthru.\n"
		"d.example CNAME rpz-drop.\ne.example CNAME rpz-tcp-only.\nF.example CNAME Walled.example.\n"
		"g.example CNAME g.example.\nh.example CNAME *.walled.example.\n",
		"exact a.example. nxdomain;below b.example. nodata;exact c.example. pass;"
		"exact d.example. drop;exact e.example. truncate;exact f.example. cname Walled.example.;"
		"exact g.example. pass;exact h.example. cname *.walled.example.;");
	EQ(report.entries, 8);
}

CASE(local_data_are_one_entry)
{
	IS(LIST_RPZ,
		HEAD
		"a.example A 192.0.2.1\n          A 192.0.2.2\n          TXT ( \"x\"\n \"y\" )\n"
		"b.example AAAA 2001:db8::1\n",
		"exact a.example. answer 2xA 1xTXT;exact b.example. answer 1xAAAA;");
}

CASE(local_data_of_a_name_have_a_bound)
{
	char *text = malloc(1002 * 32), *to = text;

	to += sprintf(to, "@ SOA . . 1 2 3 4 5\n");
	for (unsigned i = 0; i < 1000; i++)
		to += sprintf(to, "a A 192.0.%u.%u\n", i / 250, i % 250);
	IS(LIST_RPZ, text, "exact a. answer 1000xA;");
	sprintf(to, "a A 192.0.9.9\n");
	FAULT(LIST_RPZ, text, 1002, "more than 1000 records of one name: \"a A 192.0.9.9\"");
	free(text);
}

CASE(triggers_are_below_the_apex)
{
	IS(LIST_RPZ,
		"$ORIGIN rpz.example.\n@ SOA . . 1 2 3 4 5\na.example CNAME .\n"
		"b.example.rpz.example. CNAME .\n",
		"exact a.example. nxdomain;exact b.example. nxdomain;");
	IS(LIST_RPZ, "rpz. SOA . . 1 2 3 4 5\na.example.rpz. CNAME .\n",
		"exact a.example. nxdomain;");
	FAULT(LIST_RPZ, "rpz. SOA . . 1 2 3 4 5\na.example. CNAME .\n", 2,
		"outside of the zone: \"a.example. CNAME .\"");
}

CASE(addresses_are_read_from_the_end)
{
	IS(LIST_RPZ,
		HEAD "32.1.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-ip CNAME *.\n"
		     "128.1.zz.db8.2001.rpz-ip CNAME .\n48.zz.db8.2001.rpz-ip CNAME .\n"
		     "128.8.7.6.5.4.3.2.2001.rpz-ip CNAME rpz-drop.\n128.1.zz.rpz-ip CNAME .\n",
		"address 192.0.2.1/32 nxdomain;address 192.0.2.0/24 nodata;"
		"address 2001:db8::1/128 nxdomain;address 2001:db8::/48 nxdomain;"
		"address 2001:2:3:4:5:6:7:8/128 drop;address ::1/128 nxdomain;");
	FAULT(LIST_RPZ, HEAD "24.1.2.0.192.rpz-ip CNAME .\n", 4,
		"not a prefix of addresses: \"24.1.2.0.192.rpz-ip CNAME .\"");
	FAULT(LIST_RPZ, HEAD "rpz-ip CNAME .\n", 4,
		"not a prefix of addresses: \"rpz-ip CNAME .\"");
}

CASE(what_a_forwarder_cannot_see_is_ignored)
{
	IGNORES(LIST_RPZ,
		HEAD
		"a.example CNAME .\nns.b.example.rpz-nsdname CNAME .\n32.1.2.0.192.rpz-nsip CNAME .\n"
		"32.1.2.0.192.rpz-client-ip CNAME .\nd.example NS a.\n",
		4, "exact a.example. nxdomain;");
	EQ(report.ignored_line, 5);
	STR(report.ignored_why, "a trigger that a forwarder cannot see");
}

CASE(what_is_no_zone_is_a_fault_with_its_line)
{
	OK(!read_as(LIST_RPZ, HEAD "a.example CNAME .\n\nb.example A 1.2.3\n"));
	EQ(report.line, 6);
	OK(strstr(report.why, "\"b.example A 1.2.3\""));
	FAULT(LIST_RPZ, HEAD "a.example CNAME .\na.example A 192.0.2.1\n", 5,
		"an alias beside other records: \"a.example A 192.0.2.1\"");
	FAULT(LIST_RPZ, HEAD "a.example A 192.0.2.1\na.example CNAME .\n", 5,
		"an alias beside other records: \"a.example CNAME .\"");
	OK(!read_as(LIST_RPZ, HEAD "$INCLUDE /etc/passwd\n"));
	EQ(report.line, 4);
}

CASE(policies_are_records_that_may_be_told)
{
	FAULT(LIST_RPZ, HEAD "a CNAME \\# 0\n", 4, "an alias of nothing: \"a CNAME \\# 0\"");
	FAULT(LIST_RPZ, HEAD "a CH CNAME .\n", 4, "its class is not IN: \"a CH CNAME .\"");
	FAULT(LIST_RPZ, HEAD "a CH A 192.0.2.1\n", 4, "its class is not IN: \"a CH A 192.0.2.1\"");
	FAULT(LIST_RPZ, HEAD "a TYPE41 \\# 0\n", 4, "no record has this type: \"a TYPE41 \\# 0\"");
	FAULT(LIST_RPZ, HEAD "a TXT \\# 0\n", 4,
		"its data is not what its type asks for: \"a TXT \\# 0\"");
	FAULT(LIST_RPZ, HEAD "a 4294967295 A 192.0.2.1\n", 4,
		"its TTL is larger than 2147483647: \"a 4294967295 A 192.0.2.1\"");
}

/* ---- any form ---- */

CASE(the_form_is_told_by_its_lines)
{
	static const struct {
		const char *text;
		enum list_format format;
	} of[] = {
		{ "# x\n127.0.0.1 localhost\n", LIST_HOSTS },
		{ "a.example\n", LIST_DOMAINS },
		{ "*.a.example\n", LIST_DOMAINS },
		{ "[Adblock Plus 2.0]\n", LIST_ADBLOCK },
		{ "a.example\n0.0.0.0 b.example\n||c.example^\n", LIST_ADBLOCK },
		{ "##.ad\n||a.example^\n", LIST_ADBLOCK },
		{ "# x\naddress=/a.example/\n", LIST_DNSMASQ },
		{ "local=/a.example/\n", LIST_DNSMASQ },
		{ "; x\n$TTL 60\n@ SOA . . 1 2 3 4 5\na CNAME .\n", LIST_RPZ },
		{ "@ 60 IN SOA . . 1 2 3 4 5\n", LIST_RPZ },
		{ "# nothing\n\n", LIST_DOMAINS },
		{ "", LIST_DOMAINS },
	};

	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		if (!read_as(LIST_AUTO, of[i].text))
			fail_msg("%s: %s", of[i].text, report.why);
		STR(list_format_name(report.format), list_format_name(of[i].format));
	}
	FAULT(LIST_AUTO, "# x\n<!DOCTYPE html>\n<p>\n", 2,
		"in none of the forms of lists: \"<!DOCTYPE html>\"");
}

CASE(the_form_is_told_by_a_hundred_lines)
{
	char text[4096] = "";

	for (int i = 0; i < 99; i++)
		strcat(text, "a.example\n");
	strcat(text, "||b.example^\n");
	OK(read_as(LIST_AUTO, text));
	EQ(report.format, LIST_ADBLOCK);
	memmove(text + 10, text, strlen(text) + 1);
	memcpy(text, "a.example\n", 10);
	FAULT(LIST_AUTO, text, 101, "not a name: \"||b.example^\"");
}

CASE(ends_of_lines_and_marks_of_editors_do_not_matter)
{
	IS(LIST_AUTO,
		"\xef\xbb\xbf"
		"a.example\r\nb.example\r\nc.example",
		"suffix a.example.;suffix b.example.;suffix c.example.;");
	IS(LIST_AUTO, "\xef\xbb\xbf$TTL 60\r\na.example CNAME .\r\nb.example CNAME rpz-drop.",
		"exact a.example. nxdomain;exact b.example. drop;");
}

CASE(a_line_may_have_64_kib)
{
	char *text = malloc(65540);

	memset(text, ' ', 65540);
	memcpy(text, "a.example", 9);
	memcpy(text + 65536, "\nb", 3);
	IS(LIST_DOMAINS, text, "suffix a.example.;suffix b.;");
	memcpy(text + 65536, " \nb", 4);
	FAULT(LIST_DOMAINS, text, 1, "a line longer than 64 KiB");
	FAULT(LIST_AUTO, text, 1, "a line longer than 64 KiB");
	free(text);
}

CASE(garbage_is_shown_in_short_and_without_its_controls)
{
	static const char nul[] = "a.example\n\0b\n";

	FAULT(LIST_DOMAINS, "a\x1b[31mb\n", 1, "control characters: \"a\\x1b[31mb\"");
	OK(!list_read_text(SPAN(nul), LIST_DOMAINS, take, NULL, &report));
	EQ(report.line, 2);
	FAULT(LIST_DOMAINS,
		"0123456789/123456789/123456789/123456789/123456789/123456789/123456789", 1,
		"not a name: \"0123456789/123456789/123456789/123456789/123456789/123456789...\"");
	for (int form = LIST_AUTO; form <= LIST_RPZ; form++)
		OK(!list_read_text(SPAN("\x7f"
					"ELF\2\1\1\0\0\0\0\0\0\xff\xfe\n\x93\0\0"),
			(enum list_format)form, take, NULL, &report));
}

CASE(a_list_without_any_use_is_a_fault)
{
	FAULT(LIST_ADBLOCK, "! x\n##.ad\n", 2, "nothing in it is for DNS: \"a part of a page\"");
}

static bool refuse(void *arg, const struct list_entry *e)
{
	(void)arg;
	(void)e;
	return false;
}

CASE(who_takes_may_refuse)
{
	OK(!list_read_text(SPAN("a\nb\n"), LIST_DOMAINS, refuse, NULL, &report));
	EQ(report.line, 1);
	STR(report.why, "out of memory");
}

/* ---- files ---- */

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void cannot_be_read(const char *path, const char *why)
{
	OK(!list_read(path, LIST_AUTO, take, NULL, &report));
	EQ(report.line, 0);
	STR(report.why, why);
}

CASE(what_is_no_file_is_said_and_not_waited_for)
{
	EQ(mkfifo(path_of("fifo"), 0600), 0);
	cannot_be_read(path_of("fifo"), "cannot be read: a pipe cannot be read again");
	unlink(path_of("fifo"));
	cannot_be_read(dir, "cannot be read: Is a directory");
	cannot_be_read(path_of("none"), "cannot be read: No such file or directory");
	cannot_be_read("/dev/null", "cannot be read: not a file");
}

CASE(a_file_is_read_as_its_text_is)
{
	FILE *f = fopen(path_of("list"), "w");

	fputs("0.0.0.0 a.example\n", f);
	fclose(f);
	*seen = 0;
	OK(list_read(path_of("list"), LIST_AUTO, take, NULL, &report));
	STR(seen, "exact a.example.;");
	EQ(report.format, LIST_HOSTS);
	EQ(report.entries, 1);
	unlink(path_of("list"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(hosts_are_addresses_and_exact_names),
		CLAIM(names_of_the_host_itself_are_passed_over),
		CLAIM(hosts_without_address_or_name_are_faults),
		CLAIM(a_domain_is_all_below_it),
		CLAIM(two_words_are_no_domain),
		CLAIM(names_that_nobody_asks_for_are_ignored),
		CLAIM(filters_of_whole_names_are_taken),
		CLAIM(wildcards_hold_at_the_name_and_below_it),
		CLAIM(filters_of_pages_and_urls_are_ignored),
		CLAIM(dnsmasq_blocks_by_addresses_that_are_none),
		CLAIM(the_servers_of_everybody_are_an_exception),
		CLAIM(what_dnsmasq_answers_or_asks_elsewhere_is_ignored),
		CLAIM(other_options_of_dnsmasq_are_faults),
		CLAIM(policies_are_told_by_their_alias),
		CLAIM(local_data_are_one_entry),
		CLAIM(local_data_of_a_name_have_a_bound),
		CLAIM(triggers_are_below_the_apex),
		CLAIM(addresses_are_read_from_the_end),
		CLAIM(what_a_forwarder_cannot_see_is_ignored),
		CLAIM(what_is_no_zone_is_a_fault_with_its_line),
		CLAIM(policies_are_records_that_may_be_told),
		CLAIM(the_form_is_told_by_its_lines),
		CLAIM(the_form_is_told_by_a_hundred_lines),
		CLAIM(ends_of_lines_and_marks_of_editors_do_not_matter),
		CLAIM(a_line_may_have_64_kib),
		CLAIM(garbage_is_shown_in_short_and_without_its_controls),
		CLAIM(a_list_without_any_use_is_a_fault),
		CLAIM(who_takes_may_refuse),
		CLAIM(what_is_no_file_is_said_and_not_waited_for),
		CLAIM(a_file_is_read_as_its_text_is),
	};

	if (!mkdtemp(dir))
		return 1;
	int failed = RUN(cases);
	rmdir(dir);
	return failed;
}
