#include "control/words.h"

#include "case.h"

#include <string.h>

CASE(words_are_what_stands_between_blanks)
{
	char text[] = "  flush --below   example.com ";
	struct words w;

	OK(words_cut(&w, text));
	EQ(w.count, 3);
	STR(w.at[0], "flush");
	STR(w.at[1], "--below");
	STR(w.at[2], "example.com");
}

CASE(nothing_and_blanks_are_no_words)
{
	char nothing[] = "", blanks[] = "   ";
	struct words w;

	OK(words_cut(&w, nothing));
	EQ(w.count, 0);
	OK(words_cut(&w, blanks));
	EQ(w.count, 0);
}

CASE(more_words_than_any_command_takes_are_refused)
{
	char just[] = "a b c d e f g h ", more[] = "a b c d e f g h i";
	struct words w;

	OK(words_cut(&w, just));
	EQ(w.count, WORDS_MAX);
	STR(w.at[7], "h");
	OK(!words_cut(&w, more));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(words_are_what_stands_between_blanks),
		CLAIM(nothing_and_blanks_are_no_words),
		CLAIM(more_words_than_any_command_takes_are_refused),
	};

	return RUN(cases);
}
