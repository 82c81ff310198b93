#include "control/explain_show.h"

#include "case.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 65536

/* What is shown of the object with these members. */
static const char *shown(const char *members)
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
	explain_show(o, out);
	fclose(out);
	json_decref(o);
	return text;
}

#define CLIENT "'client': '192.0.2.1', 'listener': '127.0.0.1:53'"

CASE(what_decides_is_marked_and_others_say_why_they_do_not)
{
	static const char expected[] =
		"client         192.0.2.1 at 127.0.0.1:53\n"
		"admission      allowed\n"
		"view           guests\n"
		"asked          a.test. A\n"
		"rules          nxdomain, for the sake of ads, extended error 15 (ours)\n"
		"                 rules exact:a.test. at s.yaml:3: it is about other types\n"
		"               > block suffix:test. at ads.txt:1\n"
		"                 and 7 more\n"
		"answer         NXDOMAIN, by rules, extended error 15 (ours)\n";

	STR(shown(CLIENT
		    ", 'view': 'guests', 'steps': [{'name': 'a.test.', 'type': 'A', 'rules': ["
		    "{'tier': 'rules', 'pattern': 'exact:a.test.', 'file': 's.yaml', 'line': 3, "
		    "'why_not': 'it is about other types'}, {'tier': 'block', 'pattern': "
		    "'suffix:test.', 'file': 'ads.txt', 'line': 1, 'why_not': null}], "
		    "'rules_left_out': 7, 'decision': {'action': 'nxdomain', 'list': 'ads', "
		    "'extended_error': 15, 'extended_error_text': 'ours'}}], 'outcome': "
		    "'answered', 'stage': 'rules', 'answer': {'rcode': 'NXDOMAIN', "
		    "'extended_errors': [{'code': 15, 'text': 'ours'}]}"),
		expected);
}

CASE(who_would_be_asked_is_told_in_order)
{
	const char *text = shown(CLIENT
		", 'steps': [{'name': 'a.test.', 'type': 'AAAA', 'cache': {'state': 'stale', "
		"'group': 'lan', 'kind': 'positive', 'age_seconds': 70, 'ttl_seconds': -10}, "
		"'upstream': {'group': 'lan', 'policy': 'race', 'at_once': 2, 'dns64': true, "
		"'looked_at': ['aliases', 'addresses'], 'servers': [{'upstream': 'tls://one', "
		"'state': 'answers', 'upstream_state_seconds': 61, "
		"'upstream_request_duration_seconds': 0.0042}, {'upstream': 'tls://two', 'state': "
		"'down', 'upstream_state_seconds': 5, 'last_error': 'refused'}]}}], 'outcome': "
		"'asked'");

	OK(strstr(text,
		"\ncache          stale, positive, of group lan, 1 min old, expired "
		"10 s ago\n"));
	OK(strstr(text,
		"\nupstream       group lan (race), the first two at once\n"
		"               1. tls://one: answers for 1 min, p50 4.2 ms\n"
		"               2. tls://two: down for 5 s; refused\n"
		"               then its aliases and addresses are looked at\n"
		"               if there is no AAAA, A is asked (DNS64)\n"
		"answer         what servers say\n"));
}

CASE(an_answer_that_is_objected_to_says_why)
{
	const char *text = shown(
		CLIENT ", 'steps': [{}, {'objection': {'action': 'nodata', 'extended_error': 15, "
		       "'extended_error_text': 'private address'}, 'judged': [{'tier': 'block', "
		       "'pattern': '192.0.2.9', 'why_not': null}]}]");

	OK(strstr(text,
		"\nbut its answer nodata, extended error 15 (private address)\n"
		"               > block 192.0.2.9\n"));
}

CASE(an_answer_is_shown_with_its_records)
{
	OK(strstr(
		shown("'outcome': 'answered', 'stage': 'rules', 'answer': {'rcode': 'NOERROR', "
		      "'message': '0000818000010001000000010161047465737400000100010161047465737400"
		      "000100010000003c0004c00002010000290200000000000000'}"),
		"\nanswer         NOERROR, by rules\n  a.test. 60 IN A 192.0.2.1\n"));
}

CASE(what_is_not_taken_or_not_answered_is_told)
{
	STR(shown(CLIENT ", 'identity': 'ann.test', 'steps': [], 'outcome': 'answered', 'stage': "
			 "'admit', 'answer': {'rcode': 'NOERROR', 'truncated': true}"),
		"client         192.0.2.1 at 127.0.0.1:53, whose certificate proves ann.test\n"
		"admission      its question is not taken\n"
		"answer         NOERROR (TC), by admit\n");
	OK(strstr(shown(CLIENT ", 'steps': [{'decision': {'action': 'drop', 'lab': {"
			       "'delay_seconds': 0.1, 'jitter_seconds': 0.2, 'first': 3, "
			       "'chance': 0.5}}}], 'outcome': 'dropped', 'stage': 'rules'"),
		"drop, after 100 ms and up to 200 ms more, only the first 3, by a"));
	OK(strstr(shown("'outcome': 'dropped', 'stage': 'rules'"),
		"\nanswer         none, by rules\n"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_decides_is_marked_and_others_say_why_they_do_not),
		CLAIM(who_would_be_asked_is_told_in_order),
		CLAIM(an_answer_that_is_objected_to_says_why),
		CLAIM(an_answer_is_shown_with_its_records),
		CLAIM(what_is_not_taken_or_not_answered_is_told),
	};

	return RUN(cases);
}
