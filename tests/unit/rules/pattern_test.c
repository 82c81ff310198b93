#include "rules/pattern.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "case.h"
#include "naive.h"

static struct pattern reads(enum pattern_kind kind, const char *text)
{
	const struct pattern_conf conf = { kind, text };
	char why[PATTERN_WHY] = "";
	struct pattern p;

	if (!pattern_read(&p, &conf, why))
		fail_msg("%s: %s", text, why);
	return p;
}

static void is_refused(enum pattern_kind kind, const char *text, const char *expected)
{
	const struct pattern_conf conf = { kind, text };
	char why[PATTERN_WHY] = "";
	struct pattern p;

	OK(!pattern_read(&p, &conf, why));
	OK(!p.text && !p.compiled);
	STR(why, expected);
}

/* As its user asks: of names outside of what is fixed, nobody asks. */
static bool holds(const struct pattern *p, const char *text)
{
	uint8_t name[NAME_MAX_WIRE];
	const size_t len = name_from_text(*text ? text : ".", name);

	OK(len);
	name_lower(name, len);
	return name_is_below(name, len, p->tail, p->tail_len) && pattern_matches(p, name, len);
}

static bool matches(enum pattern_kind kind, const char *text, const char *name)
{
	struct pattern p = reads(kind, text);
	const bool yes = holds(&p, name);

	pattern_clear(&p);
	return yes;
}

static void fixes(enum pattern_kind kind, const char *text, const char *expected)
{
	struct pattern p = reads(kind, text);
	char tail[NAME_TEXT];

	STR(name_to_text(p.tail, tail), expected);
	EQ(p.tail_len, name_len((struct span){ p.tail, p.tail_len }, 0));
	pattern_clear(&p);
}

CASE(exact_is_the_name)
{
	OK(matches(PATTERN_EXACT, "www.Example.com.", "WWW.example.com"));
	OK(!matches(PATTERN_EXACT, "example.com", "www.example.com"));
	OK(!matches(PATTERN_EXACT, "www.example.com", "example.com"));
	OK(matches(PATTERN_EXACT, ".", "."));
	OK(!matches(PATTERN_EXACT, ".", "com"));
}

CASE(suffix_is_the_name_and_all_below)
{
	OK(matches(PATTERN_SUFFIX, "example.com", "example.com"));
	OK(matches(PATTERN_SUFFIX, "example.com", "a.b.example.com"));
	OK(!matches(PATTERN_SUFFIX, "example.com", "badexample.com"));
	OK(!matches(PATTERN_SUFFIX, "example.com", "com"));
	OK(matches(PATTERN_SUFFIX, ".", "."));
	OK(matches(PATTERN_SUFFIX, ".", "www.example.com"));
}

CASE(below_is_all_below)
{
	OK(!matches(PATTERN_BELOW, "example.com", "example.com"));
	OK(matches(PATTERN_BELOW, "example.com", "a.b.example.com"));
	OK(!matches(PATTERN_BELOW, "example.com", "badexample.com"));
	OK(!matches(PATTERN_BELOW, ".", "."));
	OK(matches(PATTERN_BELOW, ".", "com"));
}

CASE(a_star_of_a_glob_is_any_octets_or_none)
{
	OK(matches(PATTERN_GLOB, "*.example.com", "a.b.example.com"));
	OK(!matches(PATTERN_GLOB, "*.example.com", "example.com"));
	OK(matches(PATTERN_GLOB, "*example.com", "example.com"));
	OK(matches(PATTERN_GLOB, "*example.com", "badexample.com"));
	OK(matches(PATTERN_GLOB, "ad*.*.TEST.", "ads.x.y.test"));
	OK(!matches(PATTERN_GLOB, "ad*.*.test", "bad.x.test"));
	OK(matches(PATTERN_GLOB, "www.*", "www.example.com"));
	OK(!matches(PATTERN_GLOB, "www.*", "www"));
	OK(matches(PATTERN_GLOB, "*", "."));
	OK(matches(PATTERN_GLOB, "**", "a.b"));
	OK(matches(PATTERN_GLOB, "a.b", "a.b"));
	OK(!matches(PATTERN_GLOB, "a.b", "x.a.b"));
}

CASE(a_question_mark_of_a_glob_is_one_octet_but_no_dot)
{
	OK(matches(PATTERN_GLOB, "a?.test", "ab.test"));
	OK(!matches(PATTERN_GLOB, "a?.test", "a.test"));
	OK(!matches(PATTERN_GLOB, "a?.test", "abc.test"));
	OK(!matches(PATTERN_GLOB, "a?test", "a.test"));
	OK(matches(PATTERN_GLOB, "a?test", "a\\.test"));
	OK(matches(PATTERN_GLOB, "a?test", "a\\000test"));
}

CASE(what_is_escaped_in_a_glob_is_an_octet)
{
	OK(matches(PATTERN_GLOB, "\\*.test", "\\*.test"));
	OK(!matches(PATTERN_GLOB, "\\*.test", "a.test"));
	OK(matches(PATTERN_GLOB, "*\\.b.test", "a\\.b.test"));
	OK(!matches(PATTERN_GLOB, "*\\.b.test", "a.b.test"));
	OK(!matches(PATTERN_GLOB, "*.b.test", "a\\.b.test"));
	OK(matches(PATTERN_GLOB, "*\\255\\065.test", "x\\255a.test"));
	OK(matches(PATTERN_EXACT, "a\\.b\\032.test", "a\\.b\\ .test"));
	OK(matches(PATTERN_DNSCHEF, "*.a\\.b", "x.a\\.b"));
}

/* README and code of DNSChef. */
CASE(a_star_of_dnschef_is_a_label_or_none_at_the_left)
{
	OK(matches(PATTERN_DNSCHEF, "*.google.com", "google.com"));
	OK(matches(PATTERN_DNSCHEF, "*.google.com", "WWW.google.com"));
	OK(!matches(PATTERN_DNSCHEF, "*.google.com", "a.b.google.com"));
	OK(matches(PATTERN_DNSCHEF, "*.wordpress.*", "www.wordpress.com"));
	OK(matches(PATTERN_DNSCHEF, "*.wordpress.*", "wordpress.org"));
	OK(!matches(PATTERN_DNSCHEF, "*.wordpress.*", "wordpress"));
	OK(!matches(PATTERN_DNSCHEF, "*.wordpress.*", "wordpress.co.uk"));
	OK(matches(PATTERN_DNSCHEF, "*.*.thesprawl.org", "a.b.thesprawl.org"));
	OK(matches(PATTERN_DNSCHEF, "*.*.thesprawl.org", "b.thesprawl.org"));
	OK(matches(PATTERN_DNSCHEF, "*.*.thesprawl.org", "thesprawl.org"));
	OK(!matches(PATTERN_DNSCHEF, "*.*.thesprawl.org", "c.a.b.thesprawl.org"));
	OK(!matches(PATTERN_DNSCHEF, "a.*.test", "test"));
	OK(matches(PATTERN_DNSCHEF, "a.*.test", "a.b.test"));
	OK(!matches(PATTERN_DNSCHEF, "a.*.test", "a.test"));
	OK(!matches(PATTERN_DNSCHEF, "a*.test", "ab.test"));
	OK(matches(PATTERN_DNSCHEF, "*", "."));
}

CASE(ten_stars_of_dnschef_are_names_of_at_most_ten_labels)
{
	OK(matches(PATTERN_DNSCHEF, "*.*.*.*.*.*.*.*.*.*", "com"));
	OK(matches(PATTERN_DNSCHEF, "*.*.*.*.*.*.*.*.*.*", "0.1.2.3.4.5.6.7.8.9"));
	OK(!matches(PATTERN_DNSCHEF, "*.*.*.*.*.*.*.*.*.*", "0.1.2.3.4.5.6.7.8.9.10"));
}

CASE(a_regular_expression_sees_the_text_without_its_last_dot)
{
	OK(matches(PATTERN_REGEX, "^ads?[0-9]*\\.", "AD12.example.com"));
	OK(matches(PATTERN_REGEX, "\\.COM$", "www.example.com"));
	OK(!matches(PATTERN_REGEX, "\\.com$", "www.example.com.net"));
	OK(matches(PATTERN_REGEX, "xamp", "www.example.com"));
	OK(matches(PATTERN_REGEX, "^$", "."));
	OK(matches(PATTERN_REGEX, "^a\\\\\\.b\\.test$", "a\\.b.test"));
	OK(matches(PATTERN_REGEX, "^\\\\000\\.test$", "\\000.test"));
	OK(matches(PATTERN_REGEX, "^(.)(.)\\2\\1$", "abba"));
}

CASE(what_is_literal_at_the_end_is_fixed)
{
	fixes(PATTERN_EXACT, "WWW.Example.com", "www.example.com.");
	fixes(PATTERN_SUFFIX, ".", ".");
	fixes(PATTERN_GLOB, "*.Example.com", "example.com.");
	fixes(PATTERN_GLOB, "*example.com.", "com.");
	fixes(PATTERN_GLOB, "a*.b?.c\\.d.e", "c\\.d.e.");
	fixes(PATTERN_GLOB, "www.*", ".");
	fixes(PATTERN_GLOB, "a.*com", ".");
	fixes(PATTERN_GLOB, "a.b", "a.b.");
	fixes(PATTERN_GLOB, ".", ".");
	fixes(PATTERN_DNSCHEF, "*.Google.com", "google.com.");
	fixes(PATTERN_DNSCHEF, "*.a.*.b", "b.");
	fixes(PATTERN_DNSCHEF, "*.wordpress.*", ".");
	fixes(PATTERN_DNSCHEF, "a.b", "a.b.");
	fixes(PATTERN_REGEX, "^www\\.example\\.com$", ".");
}

CASE(the_longest_name_can_be_fixed_and_no_longer_one)
{
	char text[2 + 256] = "*.";

	for (unsigned i = 0; i < 127; i++)
		memcpy(text + 2 + 2 * i, "a.", 2);
	struct pattern p = reads(PATTERN_GLOB, text);

	EQ(p.tail_len, NAME_MAX_WIRE);
	pattern_clear(&p);
	memcpy(text + 2 + 254, "a", 2);
	is_refused(PATTERN_GLOB, text, "no name ends like this");
	memset(text + 2, 'a', 64);
	text[2 + 64] = 0;
	is_refused(PATTERN_GLOB, text, "no name ends like this");
	text[2 + 63] = 0;
	p = reads(PATTERN_GLOB, text);
	EQ(p.tail_len, 65);
	pattern_clear(&p);
}

CASE(what_cannot_be_read_says_why)
{
	is_refused(PATTERN_EXACT, "", "this is no name");
	is_refused(PATTERN_SUFFIX, ".example.com", "this is no name");
	is_refused(PATTERN_BELOW, "a\\300", "this is no name");
	is_refused(PATTERN_DNSCHEF, "*..a", "this is no name");
	is_refused(PATTERN_GLOB, "", "there is nothing in it");
	is_refused(PATTERN_GLOB, "a..*", "a label is empty");
	is_refused(PATTERN_GLOB, ".*", "a label is empty");
	is_refused(PATTERN_GLOB, "..", "a label is empty");
	is_refused(PATTERN_GLOB, "*\\", "behind \\ there must be an octet, or three digits");
	is_refused(PATTERN_GLOB, "*\\25", "behind \\ there must be an octet, or three digits");
	is_refused(PATTERN_GLOB, "*\\256", "behind \\ there must be an octet, or three digits");
	is_refused(PATTERN_REGEX, "", "there is nothing in it");
	is_refused(PATTERN_REGEX, "a(b", "missing closing parenthesis, at octet 4");
}

/* Octets are what names are made of, and nothing that is written may lift the limits. */
CASE(an_expression_cannot_ask_for_more)
{
	char long_text[5000];

	is_refused(
		PATTERN_REGEX, "(*UTF)a", "using UTF is disabled by the application, at octet 7");
	is_refused(
		PATTERN_REGEX, "(*UCP)a", "using UCP is disabled by the application, at octet 7");
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	is_refused(PATTERN_REGEX, long_text, "it is longer than 4096 octets");
}

CASE(a_catastrophic_expression_is_given_up_and_counted)
{
	char name[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaa.b";
	const unsigned long before = pattern_exceeded();

	OK(!matches(PATTERN_REGEX, "^(a+)+$", "aaaaaab"));
	EQ(pattern_exceeded(), before);
	OK(!matches(PATTERN_REGEX, "^([a.]+)+$", name));
	EQ(pattern_exceeded(), before + 1);
	OK(!matches(PATTERN_REGEX, "(*LIMIT_MATCH=4000000000)^([a.]+)+$", name));
	EQ(pattern_exceeded(), before + 2);
	OK(matches(PATTERN_REGEX, "^[a.]+b$", name));
	EQ(pattern_exceeded(), before + 2);
}

/* PCRE2 counts steps from each octet on where a match may begin; none of these needs many. */
CASE(all_places_of_a_name_share_the_steps_of_an_expression)
{
	char name[254];
	const unsigned long before = pattern_exceeded();

	memset(name, 'a', sizeof(name));
	name[63] = name[127] = name[191] = '.';
	name[252] = 'b';
	name[253] = 0;
	OK(!matches(PATTERN_REGEX, "(.)(.).*.*\\2\\1$", name));
	EQ(pattern_exceeded(), before + 1);
	OK(!matches(PATTERN_REGEX, "(.)(.).*.*\\2\\1$", name + 220));
	EQ(pattern_exceeded(), before + 1);
}

/* It would take 10^50 steps to try all. */
CASE(a_glob_of_many_stars_ends)
{
	char text[200] = { 0 }, name[254] = { 0 };

	for (unsigned i = 0; i < 99; i++)
		memcpy(text + 2 * i, "*a", 2);
	for (unsigned i = 0; i < 126; i++)
		memcpy(name + 2 * i, "a.", 2);
	name[252] = 'b';
	OK(!matches(PATTERN_GLOB, text, name));
	name[252] = 'a';
	OK(matches(PATTERN_GLOB, text, name));
}

static uint32_t random_state = 1;

static unsigned below(unsigned bound)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % bound;
}

/* Up to five labels of up to three of these characters; none: the root. */
static void random_text(char text[24], const char *characters)
{
	const unsigned labels = below(6);
	char *to = text;

	for (unsigned i = 0; i < labels; i++) {
		if (i > 0)
			*to++ = '.';
		for (unsigned left = 1 + below(3); left > 0; left--)
			*to++ = characters[below((unsigned)strlen(characters))];
	}
	*to = 0;
}

static void compare(enum pattern_kind kind, const char *characters)
{
	unsigned yes = 0;

	for (unsigned i = 0; i < 40000; i++) {
		char text[24], name[24];

		random_text(text, characters);
		random_text(name, "ab");
		struct pattern p = reads(kind, *text ? text : ".");
		const bool expected = naive_matches(kind, text, name);

		if (holds(&p, name) != expected)
			fail_msg("%s %s of %s", pattern_kind_name(kind), text, name);
		yes += expected;
		pattern_clear(&p);
	}
	OK(yes > 100 && yes < 39000);
}

CASE(all_kinds_say_what_the_naive_ones_say)
{
	compare(PATTERN_EXACT, "ab");
	compare(PATTERN_SUFFIX, "ab");
	compare(PATTERN_BELOW, "ab");
	compare(PATTERN_GLOB, "ab*?");
	compare(PATTERN_GLOB, "a**");
	compare(PATTERN_DNSCHEF, "*ab*");
}

/* The same pattern as a glob and as an expression. */
CASE(expressions_say_what_globs_say)
{
	for (unsigned i = 0; i < 20000; i++) {
		char text[24], name[24], regex[200] = "^", *to = regex + 1;

		random_text(text, "ab*?");
		random_text(name, "ab");
		for (const char *c = text; *c; c++)
			to += sprintf(to, "%s",
				*c == '*'           ? ".*"
					: *c == '?' ? "[^.]"
					: *c == '.' ? "\\."
					: *c == 'a' ? "a"
						    : "b");
		memcpy(to, "$", 2);
		if (matches(PATTERN_REGEX, regex, name) != naive_glob(text, name))
			fail_msg("%s of %s", regex, name);
	}
}

CASE(kinds_have_words)
{
	enum pattern_kind kind;

	for (unsigned i = PATTERN_EXACT; i <= PATTERN_DNSCHEF; i++) {
		OK(pattern_read_kind(pattern_kind_name((enum pattern_kind)i), &kind));
		EQ(kind, i);
	}
	OK(!pattern_read_kind("prefix", &kind));
}

static void *match_often(void *arg)
{
	const struct pattern *p = arg;
	const uint8_t yes[] = "\3ads\4test", no[] = "\3add\4test";
	uintptr_t wrong = 0;

	for (unsigned i = 0; i < 2000; i++) {
		wrong += !pattern_matches(p, yes, sizeof yes);
		wrong += pattern_matches(p, no, sizeof no);
	}
	return (void *)wrong;
}

CASE(threads_share_a_pattern)
{
	struct pattern p = reads(PATTERN_REGEX, "^(a|d)+s\\.");
	pthread_t threads[4];
	void *wrong;

	for (unsigned i = 0; i < 4; i++)
		EQ(pthread_create(&threads[i], NULL, match_often, &p), 0);
	for (unsigned i = 0; i < 4; i++) {
		EQ(pthread_join(threads[i], &wrong), 0);
		OK(!wrong);
	}
	pattern_clear(&p);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(exact_is_the_name),
		CLAIM(suffix_is_the_name_and_all_below),
		CLAIM(below_is_all_below),
		CLAIM(a_star_of_a_glob_is_any_octets_or_none),
		CLAIM(a_question_mark_of_a_glob_is_one_octet_but_no_dot),
		CLAIM(what_is_escaped_in_a_glob_is_an_octet),
		CLAIM(a_star_of_dnschef_is_a_label_or_none_at_the_left),
		CLAIM(ten_stars_of_dnschef_are_names_of_at_most_ten_labels),
		CLAIM(a_regular_expression_sees_the_text_without_its_last_dot),
		CLAIM(what_is_literal_at_the_end_is_fixed),
		CLAIM(the_longest_name_can_be_fixed_and_no_longer_one),
		CLAIM(what_cannot_be_read_says_why),
		CLAIM(an_expression_cannot_ask_for_more),
		CLAIM(a_catastrophic_expression_is_given_up_and_counted),
		CLAIM(all_places_of_a_name_share_the_steps_of_an_expression),
		CLAIM(a_glob_of_many_stars_ends),
		CLAIM(all_kinds_say_what_the_naive_ones_say),
		CLAIM(expressions_say_what_globs_say),
		CLAIM(kinds_have_words),
		CLAIM(threads_share_a_pattern),
	};

	return RUN(cases);
}
