#include "control/cache_words.h"

#include "case.h"
#include "dns/types.h"

#include <stdio.h>
#include <string.h>

typedef const char *reader(struct cache_words *, const struct words *);

/* What these words mean; where they mean nothing, why. */
static const char *meaning(reader *read, const char *line)
{
	static char text[WORDS_LINE], meant[CACHE_WORDS_TEXT];
	struct cache_words c;
	struct words w;

	snprintf(text, sizeof text, "%s", line);
	OK(words_cut(&w, text));
	const char *why = read(&c, &w);

	if (why)
		return why;
	cache_words_print(&c, meant);
	return meant;
}

static const char *lookup(const char *line)
{
	return meaning(cache_words_lookup, line);
}

static const char *flush(const char *line)
{
	return meaning(cache_words_flush, line);
}

#define SAYS(text, part) OK(strstr(text, part))

CASE(a_name_is_the_same_in_any_case_and_with_or_without_its_last_dot)
{
	STR(lookup("example.com"), "example.com.");
	STR(lookup("eXaMpLe.COM."), "example.com.");
	STR(lookup("."), ".");
	STR(flush("EXAMPLE.com"), "example.com.");
}

CASE(an_escape_in_a_name_stands_for_its_octet)
{
	STR(lookup("\\097.b\\.c.\\032"), "a.b\\.c.\\032.");
	STR(lookup("\\065\\066"), "ab.");
	STR(lookup("\\192"), "\\192.");
}

CASE(a_lookup_may_name_a_type)
{
	struct cache_words c;
	const struct words w = { 2, { "a.test", "type28" } };

	STR(lookup("a.test"), "a.test.");
	STR(lookup("a.test aaaa"), "a.test. AAAA");
	STR(lookup("a.test TYPE65280"), "a.test. TYPE65280");
	OK(!cache_words_lookup(&c, &w));
	OK(!c.any_type);
	EQ(c.type, TYPE_AAAA);
}

CASE(a_lookup_without_a_name_or_of_something_else_is_refused)
{
	SAYS(lookup(""), "a name is missing");
	SAYS(lookup("a..b"), "no domain name");
	SAYS(lookup("a\\"), "no domain name");
	SAYS(lookup("a.test ADDRESS"), "no such type");
	SAYS(lookup("a.test TYPE65536"), "no such type");
	SAYS(lookup("a.test A AAAA"), "too many words");
}

CASE(a_flush_is_of_a_name_or_what_is_below_or_all)
{
	STR(flush("a.test"), "a.test.");
	STR(flush("--below a.test"), "--below a.test.");
	STR(flush("--all"), "--all");
}

CASE(a_flush_of_nothing_names_what_it_could_be_of)
{
	SAYS(flush(""), "flush NAME");
	SAYS(flush(""), "flush --below NAME");
	SAYS(flush(""), "flush --all");
}

CASE(a_flush_that_could_mean_more_or_less_is_refused)
{
	SAYS(flush("--below"), "a name is missing");
	SAYS(flush("--below a..b"), "no domain name");
	SAYS(flush("a..b"), "no domain name");
	SAYS(flush("--all a.test"), "too many words");
	SAYS(flush("--below a.test b.test"), "too many words");
	SAYS(flush("--below --all x"), "too many words");
	SAYS(flush("a.test A"), "too many words");
	SAYS(flush("a.test --all"), "too many words");
}

CASE(the_longest_name_fits_into_a_line)
{
	char name[NAME_TEXT] = "", expected[WORDS_LINE];

	for (size_t label = 0; label < 4; label++) {
		for (size_t i = 0; i < (label < 3 ? 63 : 61); i++)
			strcat(name, "\\000");
		strcat(name, ".");
	}
	snprintf(expected, sizeof expected, "%s TYPE65280", name);
	STR(lookup(expected), expected);
	EQ(strlen(name), 1004);
	snprintf(expected, sizeof expected, "--below %s", name);
	STR(flush(expected), expected);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_name_is_the_same_in_any_case_and_with_or_without_its_last_dot),
		CLAIM(an_escape_in_a_name_stands_for_its_octet),
		CLAIM(a_lookup_may_name_a_type),
		CLAIM(a_lookup_without_a_name_or_of_something_else_is_refused),
		CLAIM(a_flush_is_of_a_name_or_what_is_below_or_all),
		CLAIM(a_flush_of_nothing_names_what_it_could_be_of),
		CLAIM(a_flush_that_could_mean_more_or_less_is_refused),
		CLAIM(the_longest_name_fits_into_a_line),
	};

	return RUN(cases);
}
