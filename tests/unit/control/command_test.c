#include "control/command.h"

#include "case.h"

#include <string.h>

/* What of the line is behind the command of this name; NULL if that is not the one found. */
static const char *rest_of(const char *line, const char *name)
{
	static char text[WORDS_LINE];
	char *rest;

	strcpy(text, line);
	const struct command *c = command_find(text, &rest);

	return c && strcmp(c->name, name) == 0 ? rest : NULL;
}

static bool is_unknown(const char *line)
{
	char text[WORDS_LINE], *rest;

	strcpy(text, line);
	return !command_find(text, &rest);
}

CASE(a_command_is_found_by_how_its_line_begins)
{
	STR(rest_of("status", "status"), "");
	STR(rest_of("cache stats", "cache stats"), "");
	STR(rest_of("cache lookup a.test AAAA", "cache lookup"), " a.test AAAA");
	STR(rest_of("cache flush --below a.test", "cache flush"), " --below a.test");
}

CASE(a_part_of_a_command_or_more_than_it_is_unknown)
{
	OK(is_unknown(""));
	OK(is_unknown("statu"));
	OK(is_unknown("statusx"));
	OK(is_unknown("STATUS"));
	OK(is_unknown(" status"));
	OK(is_unknown("cache"));
	OK(is_unknown("cache "));
	OK(is_unknown("cache  stats"));
	OK(is_unknown("cache flushed"));
	OK(is_unknown("flush --all"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_command_is_found_by_how_its_line_begins),
		CLAIM(a_part_of_a_command_or_more_than_it_is_unknown),
	};

	return RUN(cases);
}
