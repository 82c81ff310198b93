#include "control/show.h"

#include "case.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 80
#define ROOM  16384

/* A status with these members, for people. */
static void show(const char *members, char text[ROOM])
{
	char object[ROOM];

	snprintf(object, sizeof object, "{%s}", members);
	json_t *status = json_loads(object, 0, NULL);
	FILE *out = fmemopen(text, ROOM, "w");

	OK(status);
	OK(out);
	show_status(status, out);
	fclose(out);
	json_decref(status);
}

/* What is said of one upstream with these members, without the part about the process. */
static void show_upstream(const char *members, char text[ROOM])
{
	char all[ROOM], status[ROOM];

	snprintf(status, sizeof status,
		"'time_seconds': 1000000000, 'groups': {"
		"'default': {'policy': 'fastest', 'zones': []}, "
		"'lan': {'policy': 'ordered', 'zones': ['lan.test', 'home.test']}}, "
		"'upstreams': [{'upstream': 'tls://192.0.2.1#dns.test', %s}]",
		members);
	for (char *c = status; *c; c++)
		if (*c == '\'')
			*c = '"';
	show(status, all);
	const char *upstream = strstr(all, "\n\n");

	OK(upstream);
	strcpy(text, upstream + 2);
}

static bool says(const char *members, const char *row)
{
	char text[ROOM], line[ROOM];

	show_upstream(members, text);
	snprintf(line, sizeof line, "\n%s\n", row);
	if (strstr(text, line))
		return true;
	fprintf(stderr, "# not there: %s\n# but: %s", row, text);
	return false;
}

static bool is_silent_about(const char *members, const char *word)
{
	char text[ROOM];

	show_upstream(members, text);
	return !strstr(text, word);
}

/* ---- the whole ---- */

static const char process[] = "\"version\": \"1.2.3\", \"pid\": 4711, \"time_seconds\": 1000090000,"
			      "\"start_time_seconds\": 1000000000, \"workers\": 2,"
			      "\"config\": \"/etc/sotto/sotto.yaml\","
			      "\"listen\": [\"127.0.0.1:53\", \"[::1]:53\"],"
			      "\"dns_requests_total\": {\"udp\": 120, \"tcp\": 3},"
			      "\"dns_responses_total\": {\"upstream\": 115, \"error\": 7},"
			      "\"dns_servfails_total\": 4, \"dns_drops_total\": 1,"
			      "\"upstreams\": [{\"state\": \"down\"}, {\"state\": \"answers\"},"
			      "{\"state\": \"untried\"}, {\"state\": \"answers\"}]";

CASE(the_process_comes_first)
{
	char text[ROOM];
	static const char expected[] =
		"sotto 1.2.3    pid 4711, 2 workers, for 1 d 1 h, since 2001-09-09 01:46:40\n"
		"configuration  /etc/sotto/sotto.yaml\n"
		"listens on     127.0.0.1:53 [::1]:53\n"
		"queries        120 over UDP, 3 over TCP\n"
		"answers        115 good, 7 refused or failed (4 SERVFAIL), 1 never answered\n"
		"upstreams      4: 2 answer, 1 untried, 1 down\n"
		"\n";

	setenv("TZ", "UTC", 1);
	show(process, text);
	OK(strstr(text, expected) == text);
}

static bool says_of_sandbox(const char *sandbox, const char *row)
{
	char text[ROOM], object[256];

	snprintf(object, sizeof object, "\"sandbox\": {%s}", sandbox);
	show(object, text);
	return strstr(text, row);
}

CASE(walls_that_do_not_stand_are_loud)
{
	OK(says_of_sandbox("\"mode\": \"on\", \"seccomp\": true, \"landlock\": 4, "
			   "\"no_privileges\": true",
		"sandbox        seccomp, landlock 4, no privileges\n"));
	OK(says_of_sandbox("\"mode\": \"on\", \"seccomp\": false, \"landlock\": 0, "
			   "\"no_privileges\": false",
		"sandbox        NO SECCOMP, NO LANDLOCK, WITH PRIVILEGES\n"));
	OK(says_of_sandbox("\"mode\": \"off\"", "sandbox        OFF\n"));
}

CASE(one_upstream_that_answers_is_no_plural)
{
	char text[ROOM];

	show("\"upstreams\": [{\"state\": \"answers\"}, {\"state\": \"late\"}]", text);
	OK(strstr(text, "upstreams      2: 1 answers, 1 late\n"));
}

CASE(an_object_that_lacks_everything_is_no_trouble)
{
	char text[ROOM];

	show("", text);
	OK(strstr(text, "upstreams      0\n"));
}

/* ---- one upstream ---- */

#define GOOD                                                                                       \
	"'state': 'answers', 'upstream_state_seconds': 11520.5, 'address': '192.0.2.1:853', "      \
	"'encrypted': true, 'authentication': 'name', 'auth_name': 'dns.test', 'verified': true, " \
	"'tls_version': 'TLSv1.3', 'tls_cipher': 'TLS_AES_256_GCM_SHA384', "                       \
	"'tls_group': 'X25519MLKEM768', 'tls_resumed': true, "                                     \
	"'upstream_cert_not_after_seconds': 1003801600, "                                          \
	"'upstream_request_duration_seconds': {'0.5': 0.00912, '0.95': 0.0143, '0.99': null}, "    \
	"'upstream_inflight_queries': 3, 'upstream_connections': 1, "                              \
	"'upstream_requests_total': 12345, 'upstream_responses_total': 12300, "                    \
	"'upstream_servfails_total': 0, 'upstream_refusals_total': 0, "                            \
	"'upstream_retries_total': 2, 'upstream_hedges_total': 12, "                               \
	"'upstream_hedges_won_total': 4, 'upstream_connections_opened_total': 5, "                 \
	"'upstream_connections_resumed_total': 4, 'upstream_connections_lost_total': 1, "          \
	"'upstream_errors_total': {'connect': 0, 'verify': 0}, 'last_error': null, "               \
	"'groups': ['default']"

CASE(an_upstream_that_answers_is_told_in_a_few_rows)
{
	char text[ROOM];

	show_upstream(GOOD, text);
	STR(text,
		"tls://192.0.2.1#dns.test                                  "
		"answers for 3 h 12 min\n"
		"  encrypted, verified: name dns.test; certificate ends in 44 days\n"
		"  TLSv1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, resumed\n"
		"  p50 9.1 ms, p95 14 ms; 3 in flight on 1 connection (5 made, 4 resumed, 1 lost)\n"
		"  12345 asked, 12300 answered, 2 retried, 4 of 12 hedges won\n"
		"  group default (fastest)\n");
}

CASE(an_upstream_that_was_never_tried_says_what_it_must_prove)
{
	char text[ROOM];

	show_upstream("'state': 'untried', 'upstream_state_seconds': 7.0, 'address': null, "
		      "'encrypted': true, 'authentication': 'name and pin', "
		      "'auth_name': 'dns.test', 'verified': null, 'groups': ['default']",
		text);
	STR(text,
		"tls://192.0.2.1#dns.test                                                 untried\n"
		"  no connection yet; it must prove: name dns.test and pin\n"
		"  group default (fastest)\n");
}

CASE(an_upstream_that_is_down_says_why_and_what_to_do)
{
	char text[ROOM];

	show_upstream("'state': 'down', 'upstream_state_seconds': 61.0, 'encrypted': true, "
		      "'authentication': 'address', 'verified': null, "
		      "'upstream_errors_total': {'connect': 3, 'verify': 0, 'read': 1}, "
		      "'last_error': {'age_seconds': 2.5, 'phase': 'connect', 'cause': 'refused', "
		      "'reason': 'the server refused the connection', 'hint': 'see that it runs'}",
		text);
	STR(text,
		"tls://192.0.2.1#dns.test                                          DOWN for 1 min\n"
		"  no connection yet; it must prove: its address\n"
		"  errors: 3 connect, 1 read; last 2 s ago (connect): the server refused the\n"
		"    connection\n"
		"  hint: see that it runs\n");
}

CASE(a_failure_that_is_over_needs_no_hint)
{
	static const char over[] =
		"'state': 'answers', 'upstream_errors_total': {'read': 1}, "
		"'last_error': {'age_seconds': 90000, 'phase': 'read', 'reason': 'reset', "
		"'hint': 'wait'}";

	OK(says(over, "  errors: 1 read; last 1 d 1 h ago (read): reset"));
	OK(is_silent_about(over, "hint"));
}

CASE(what_is_not_encrypted_or_not_verified_is_loud)
{
	OK(says("'encrypted': false, 'authentication': 'none', 'verified': false",
		"  IN CLEAR: whoever is on the way can read and change what is asked"));
	OK(says("'encrypted': true, 'authentication': 'opportunistic', 'verified': false",
		"  encrypted, UNVERIFIED: whoever answers there is believed"));
	OK(says("'encrypted': true, 'authentication': 'opportunistic', 'verified': null",
		"  encrypted, UNVERIFIED: whoever answers there is believed"));
	OK(says("'encrypted': true, 'authentication': 'name', 'verified': false",
		"  encrypted, UNVERIFIED: whoever answers there is believed"));
	OK(is_silent_about(GOOD, "UNVERIFIED"));
	OK(is_silent_about(GOOD, "CLEAR"));
}

CASE(a_certificate_with_less_than_14_days_is_loud)
{
	static const char form[] = "'encrypted': true, 'verified': true, 'authentication': 'pin', "
				   "'upstream_cert_not_after_seconds': %d";
	char members[200];

	snprintf(members, sizeof members, form, 1000000000 + 14 * 86400);
	OK(says(members, "  encrypted, verified: its pin; certificate ends in 14 days"));
	snprintf(members, sizeof members, form, 1000000000 + 14 * 86400 - 1);
	OK(says(members, "  encrypted, verified: its pin; ITS CERTIFICATE ENDS IN 13 days"));
	snprintf(members, sizeof members, form, 1000000000 + 86400);
	OK(says(members, "  encrypted, verified: its pin; ITS CERTIFICATE ENDS IN 1 day"));
	snprintf(members, sizeof members, form, 1000000000);
	OK(says(members, "  encrypted, verified: its pin; ITS CERTIFICATE HAS ENDED"));
}

CASE(a_full_handshake_is_told_from_a_resumed_one)
{
	OK(says("'tls_version': 'TLSv1.2', 'tls_cipher': 'X', 'tls_group': null, "
		"'tls_resumed': false",
		"  TLSv1.2, X, no group, full handshake"));
}

CASE(the_address_is_told_where_the_name_does_not_tell_it)
{
	OK(is_silent_about("'address': '192.0.2.1:853'", "at 192"));
	OK(says("'address': '[2001:db8::1]:853'", "  at [2001:db8::1]:853"));
	OK(says("'address': '192.0.2.1:853', 'designated': 'dns.test'",
		"  designated dns.test at 192.0.2.1:853"));
}

CASE(every_group_is_told_with_its_policy_and_zones)
{
	OK(says("'groups': ['default', 'lan']",
		"  group default (fastest); group lan (ordered) for lan.test, home.test"));
}

CASE(replies_that_are_no_help_are_told)
{
	OK(says("'upstream_requests_total': 9, 'upstream_responses_total': 8, "
		"'upstream_servfails_total': 3, 'upstream_refusals_total': 2, "
		"'upstream_hedges_total': 1, 'upstream_hedges_won_total': 0",
		"  9 asked, 8 answered, 3 SERVFAIL, 2 REFUSED, 0 of 1 hedge won"));
}

CASE(times_are_told_in_units_that_fit)
{
	char text[ROOM];

	show_upstream("'state': 'answers', 'upstream_state_seconds': 3659.9", text);
	OK(strstr(text, "answers for 1 h\n"));
	show_upstream("'state': 'answers', 'upstream_state_seconds': 119", text);
	OK(strstr(text, "answers for 1 min\n"));
	OK(says("'upstream_connections': 2, "
		"'upstream_request_duration_seconds': {'0.5': 0.000456, '0.95': null}",
		"  p50 0.46 ms, p95 -; 0 in flight on 2 connections (0 made)"));
}

/* ---- peers and terminals ---- */

CASE(no_row_is_longer_than_a_terminal_is_wide)
{
	char members[ROOM], text[ROOM], reason[201], *rest = text;

	memset(reason, 'w', sizeof reason - 1);
	reason[200] = '\0';
	snprintf(members, sizeof members,
		GOOD ", 'last_error': {'reason': 'a long tale of %s and then some more that does "
		     "not fit into one row', 'phase': 'verify', 'age_seconds': 1}",
		reason);
	show_upstream(members, text);
	for (char *row; (row = strsep(&rest, "\n"));)
		OK(strlen(row) <= WIDTH);
}

CASE(a_name_that_leaves_no_room_has_a_row_of_its_own)
{
	char object[ROOM], text[ROOM];

	snprintf(object, sizeof object,
		"\"upstreams\": [{\"upstream\": \"tls://[2001:db8:1234:5678:9abc:def0:1234:5678]"
		"#resolver.dns.example\", \"state\": \"answers\", "
		"\"upstream_state_seconds\": 100}]");
	show(object, text);
	OK(strstr(text,
		"\ntls://[2001:db8:1234:5678:9abc:def0:1234:5678]#resolver.dns.example\n"
		"  answers for 1 min\n"));
}

CASE(a_peer_cannot_write_to_the_terminal)
{
	OK(says("'last_error': {'reason': 'it is \\u001b[31mred\\u0007\\u009b\\u007f', 'phase': 'verify', "
		"'age_seconds': 1}",
		"  last 1 s ago (verify): it is ?[31mred????"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_process_comes_first),
		CLAIM(walls_that_do_not_stand_are_loud),
		CLAIM(one_upstream_that_answers_is_no_plural),
		CLAIM(an_object_that_lacks_everything_is_no_trouble),
		CLAIM(an_upstream_that_answers_is_told_in_a_few_rows),
		CLAIM(an_upstream_that_was_never_tried_says_what_it_must_prove),
		CLAIM(an_upstream_that_is_down_says_why_and_what_to_do),
		CLAIM(a_failure_that_is_over_needs_no_hint),
		CLAIM(what_is_not_encrypted_or_not_verified_is_loud),
		CLAIM(a_certificate_with_less_than_14_days_is_loud),
		CLAIM(a_full_handshake_is_told_from_a_resumed_one),
		CLAIM(the_address_is_told_where_the_name_does_not_tell_it),
		CLAIM(every_group_is_told_with_its_policy_and_zones),
		CLAIM(replies_that_are_no_help_are_told),
		CLAIM(times_are_told_in_units_that_fit),
		CLAIM(no_row_is_longer_than_a_terminal_is_wide),
		CLAIM(a_name_that_leaves_no_room_has_a_row_of_its_own),
		CLAIM(a_peer_cannot_write_to_the_terminal),
	};

	return RUN(cases);
}
