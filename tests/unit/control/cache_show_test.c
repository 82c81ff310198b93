#include "control/cache_show.h"

#include "case.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 65536

/* What is shown of the object with these members. */
static const char *shown(void (*show)(const json_t *, FILE *), const char *members)
{
	static char text[ROOM];
	char object[ROOM];

	snprintf(object, sizeof object, "{%s}", members);
	for (char *c = object; *c; c++)
		if (*c == '\'')
			*c = '"';
	json_t *o = json_loads(object, 0, NULL);
	FILE *out = fmemopen(text, ROOM, "w");

	OK(o);
	OK(out);
	show(o, out);
	fclose(out);
	json_decref(o);
	return text;
}

/* What is shown of one entry with these members and these records behind its question. */
static const char *entry(const char *members, const char *counts, const char *records)
{
	char all[ROOM];

	snprintf(all, sizeof all,
		"'name': 'a.test.', 'entries': [{%s, 'message': "
		"'00008180%s0161047465737400%s%s'}], 'entries_left_out': 0",
		members, counts, "00010001", records);
	return shown(cache_show_lookup, all);
}

#define FACTS                                                                                      \
	"'type': 'A', 'dnssec_ok': false, 'checking_disabled': false, 'group': 'default', "        \
	"'kind': 'positive', 'ttl_seconds': 243, 'age_seconds': 57, 'hits': 2, 'bytes': 100, "     \
	"'rcode': 'NOERROR', 'extended_errors': []"
#define ONE_ANSWER "0001000100000000"

CASE(stats_are_a_few_lines)
{
	static const char expected[] =
		"memory         12.5 MiB of 64.0 MiB in use\n"
		"entries        1234, 56 of them expired, 7 gave way to others\n"
		"queries        900 hits, 100 missed: 90.0 % from the cache\n"
		"answered       5 with what had expired, 6 that asking had just failed\n"
		"asked again    8 before they expired\n";

	STR(shown(cache_show_stats,
		    "'cache_size_bytes': 67108864, 'cache_used_bytes': 13107200, "
		    "'cache_entries': 1234, 'cache_entries_expired': 56, "
		    "'cache_evictions_total': 7, 'cache_refusals_total': 0, "
		    "'cache_hits_total': 900, 'cache_misses_total': 100, "
		    "'cache_stale_total': 5, 'cache_failures_total': 6, "
		    "'cache_prefetches_total': 8, 'cache_hit_ratio': 0.9"),
		expected);
}

CASE(a_cache_that_nobody_asked_has_no_ratio)
{
	OK(strstr(shown(cache_show_stats, "'cache_size_bytes': 1000, 'cache_hit_ratio': null"),
		"0 of them expired\nqueries        0 hits, 0 missed\n"));
	OK(strstr(shown(cache_show_stats, ""), "0 octets of 0 octets"));
}

CASE(a_record_is_shown_as_in_a_zone)
{
	STR(entry(FACTS, ONE_ANSWER, "c00c00010001000000f30004c0000201"),
		"a.test. A, positive, of group default\n"
		"  expires in 4 min, 57 s old, 2 hits, 100 octets\n"
		"  a.test. 243 IN A 192.0.2.1\n");
}

CASE(records_of_all_sections_are_shown)
{
	const char *text = entry(FACTS, "0001000100010001",
		"c00c00010001000000010004c0000201"
		"c00e00020001000000020005026e73c00e"
		"c02e00010001000000030004c0000202");

	OK(strstr(text, "\n  a.test. 1 IN A 192.0.2.1\n  test. 2 IN NS ns.test.\n"));
}

CASE(a_type_that_nobody_knows_is_shown_in_hexadecimal)
{
	OK(strstr(entry(FACTS, ONE_ANSWER, "c00cff000001000000050002cafe"),
		"\n  a.test. 5 IN TYPE65280 \\# 2 cafe\n"));
}

CASE(a_record_that_is_not_what_its_type_says_is_shown_as_unknown)
{
	OK(strstr(entry(FACTS, ONE_ANSWER, "c00c00010001000000050002cafe"),
		"\n  a.test. 5 CLASS1 TYPE1 \\# 2 cafe\n"));
	OK(strstr(entry(FACTS, ONE_ANSWER, "c00c002b00010000000500020102"),
		"\n  a.test. 5 CLASS1 TYPE43 \\# 2 0102\n"));
}

CASE(what_a_peer_wrote_does_nothing_to_the_terminal)
{
	const char *text = entry(FACTS, ONE_ANSWER,
		"c00c0010000100000005000504"
		"1b5b3348");

	for (const char *c = text; *c; c++)
		OK(*c == '\n' || (*c >= ' ' && *c <= '~'));
	OK(strstr(text, "IN TXT \"\\027[3H\"\n"));
}

CASE(an_answer_that_has_expired_says_since_when)
{
	OK(strstr(entry("'type': 'A', 'ttl_seconds': -61", "0001000000000000", ""),
		"\n  expired 1 min ago, "));
}

CASE(a_failure_has_no_end_that_is_told)
{
	OK(strstr(entry("'kind': 'failure', 'ttl_seconds': null, 'age_seconds': 2",
			  "0001000000000000", ""),
		"\n  2 s old, 0 hits"));
}

CASE(what_sets_answers_apart_is_in_the_title)
{
	OK(strstr(entry("'type': 'AAAA', 'dnssec_ok': true, 'checking_disabled': true, "
			"'group': 'lan', 'kind': 'nodata', 'rcode': 'NOERROR'",
			  "0001000000000000", ""),
		"a.test. AAAA +do +cd, nodata, of group lan\n"));
	OK(strstr(entry("'type': null, 'group': 'lan', 'kind': 'nxdomain', 'rcode': 'NXDOMAIN'",
			  "0001000000000000", ""),
		"a.test., nxdomain (NXDOMAIN), of group lan\n"));
}

CASE(extended_errors_and_many_hits_are_told)
{
	OK(strstr(entry("'ttl_seconds': 1, 'hits': 255, 'extended_errors': [22, 3]",
			  "0001000000000000", ""),
		"255 or more hits, 0 octets, extended error 22, 3\n"));
}

CASE(a_message_that_cannot_be_read_is_told)
{
	OK(strstr(shown(cache_show_lookup,
			  "'name': 'a.', 'entries': [{'message': 'xyz'}, {'message': 'abcd'}, {}]"),
		"cannot be read"));
	OK(strstr(entry(FACTS, ONE_ANSWER, "c00c0001"), "cannot be read"));
}

CASE(nothing_is_told_as_that)
{
	STR(shown(cache_show_lookup, "'name': 'a.test.', 'entries': [], 'entries_left_out': 0"),
		"nothing is known of a.test.\n");
}

CASE(what_was_left_out_is_told)
{
	OK(strstr(shown(cache_show_lookup,
			  "'name': 'a.', 'entries': [{'type': 'A'}], 'entries_left_out': 12"),
		"\nand 12 more\n"));
}

CASE(one_entry_is_no_plural)
{
	STR(shown(cache_show_flush, "'entries_forgotten': 1"), "1 entry forgotten\n");
	STR(shown(cache_show_flush, "'entries_forgotten': 0"), "0 entries forgotten\n");
	STR(shown(cache_show_flush, "'entries_forgotten': 12"), "12 entries forgotten\n");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(stats_are_a_few_lines),
		CLAIM(a_cache_that_nobody_asked_has_no_ratio),
		CLAIM(a_record_is_shown_as_in_a_zone),
		CLAIM(records_of_all_sections_are_shown),
		CLAIM(a_type_that_nobody_knows_is_shown_in_hexadecimal),
		CLAIM(a_record_that_is_not_what_its_type_says_is_shown_as_unknown),
		CLAIM(what_a_peer_wrote_does_nothing_to_the_terminal),
		CLAIM(an_answer_that_has_expired_says_since_when),
		CLAIM(a_failure_has_no_end_that_is_told),
		CLAIM(what_sets_answers_apart_is_in_the_title),
		CLAIM(extended_errors_and_many_hits_are_told),
		CLAIM(a_message_that_cannot_be_read_is_told),
		CLAIM(nothing_is_told_as_that),
		CLAIM(what_was_left_out_is_told),
		CLAIM(one_entry_is_no_plural),
	};

	return RUN(cases);
}
