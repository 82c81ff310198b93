#include "base/log.h"

#include "case.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Standard error is a pipe here, which nobody reads but read_log(). */
static int reader;
static char text[64 * 1024];

static const char *read_log(void)
{
	ssize_t n = read(reader, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int open_log(void **unused)
{
	int ends[2];

	(void)unused;
	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[1], F_SETPIPE_SZ, 16384) < 0)
		return -1;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	reader = ends[0];
	return dup2(ends[1], STDERR_FILENO) < 0 || close(ends[1]) < 0;
}

static int close_log(void **unused)
{
	(void)unused;
	return close(reader);
}

/* What a line with this value says of it. */
static const char *shown(const char *value)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "value");
	log_str(&l, "key", value);
	log_end(&l);
	const char *at = strstr(read_log(), "key=");

	return at ? at + strlen("key=") : "nothing";
}

CASE(values_are_quoted_as_they_need)
{
	STR(shown("plain"), "plain\n");
	STR(shown(""), "\"\"\n");
	STR(shown("two words"), "\"two words\"\n");
	STR(shown("a\"b\\c=d"), "\"a\\\"b\\\\c=d\"\n");
}

CASE(what_could_break_a_line_or_a_terminal_is_escaped)
{
	STR(shown("a\nb\x1b[2Jc\x7f"), "\"a\\x0ab\\x1b[2Jc\\x7f\"\n");
	STR(shown("\xc2\x80 \xc2\x9bK \xc2\x9f"), "\"\\xc2\\x80 \\xc2\\x9bK \\xc2\\x9f\"\n");
	STR(shown("\x9bK"), "\"\\x9bK\"\n");
}

CASE(utf8_is_shown_as_it_is_and_what_only_looks_like_it_is_escaped)
{
	STR(shown("\xc2\xa0 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92"),
		"\"\xc2\xa0 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92\"\n");
	STR(shown("\xc0\xaf"), "\"\\xc0\\xaf\"\n"); /* over-long */
	STR(shown("\xe0\x80\xaf"), "\"\\xe0\\x80\\xaf\"\n");
	STR(shown("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"\n"); /* a surrogate */
	STR(shown("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\"\n"); /* beyond the last */
	STR(shown("\xe2\x82"), "\"\\xe2\\x82\"\n"); /* ends too early */
}

CASE(a_line_that_is_too_long_is_cut_between_characters_and_its_quote_is_closed)
{
	char value[2 * LOG_TEXT];
	size_t end;

	for (size_t shift = 0; shift < 4; shift++) {
		memset(value, ' ', shift);
		for (size_t i = shift; i < sizeof value; i++)
			value[i] = "\xe2\x82\xac"[(i - shift) % 3];
		value[sizeof value - 1] = '\0';
		end = strlen(shown(value));
		OK(end > LOG_TEXT / 2 && end < LOG_TEXT);
		STR(strstr(text, "...\""), "...\"\n");
		MEM(strstr(text, "...\"") - 3, "\xe2\x82\xac", 3);
	}
}

CASE(behind_a_cut_nothing_follows)
{
	struct log_line l;
	char value[2 * LOG_TEXT];

	memset(value, 'x', sizeof value);
	value[sizeof value - 1] = '\0';
	log_begin(&l, LOG_ERROR, "long");
	log_str(&l, "long", value);
	log_str(&l, "short", "1");
	log_end(&l);
	read_log();
	OK(!strstr(text, "short="));
	STR(strstr(text, "x..."), "x...\n");
}

CASE(a_line_that_repeats_is_counted_and_told_whole)
{
	struct log_line l;
	char value[LOG_TEXT / 2];

	memset(value, 'y', sizeof value);
	value[sizeof value - 1] = '\0';
	for (unsigned n = 0; n < 3; n++) {
		log_begin(&l, LOG_WARN, "again");
		log_str(&l, "long", value);
		log_count(&l, "n", n);
		log_str(&l, "hint", "do not lose this");
		log_end(&l);
	}
	OK(strstr(read_log(), "n=0 hint=\"do not lose this\"\n"));
	OK(!strstr(text, "n=1"));
	log_flush();
	OK(strstr(read_log(), "n=0 hint=\"do not lose this\" suppressed=2\n"));
}

CASE(a_reader_that_does_not_read_is_not_waited_for_and_hears_what_it_missed)
{
	enum { LINES = 1000 };
	int written = 0, told = 0;

	log_set_level(LOG_DEBUG);
	for (int i = 0; i < LINES; i++)
		log_say(LOG_DEBUG, "on and on");
	for (char *at = strchr(read_log(), '\n'); at; at = strchr(at + 1, '\n'))
		written++;
	OK(written > 0 && written < LINES);
	log_say(LOG_DEBUG, "read again");
	const char *note = strstr(read_log(), " lost=");

	OK(note && sscanf(note, " lost=%d", &told) == 1);
	EQ(written + told, LINES);
	OK(strstr(text, "read again"));
	log_say(LOG_DEBUG, "told once");
	OK(!strstr(read_log(), "lost="));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(values_are_quoted_as_they_need),
		CLAIM(what_could_break_a_line_or_a_terminal_is_escaped),
		CLAIM(utf8_is_shown_as_it_is_and_what_only_looks_like_it_is_escaped),
		CLAIM(a_line_that_is_too_long_is_cut_between_characters_and_its_quote_is_closed),
		CLAIM(behind_a_cut_nothing_follows),
		CLAIM(a_line_that_repeats_is_counted_and_told_whole),
		CLAIM(a_reader_that_does_not_read_is_not_waited_for_and_hears_what_it_missed),
	};

	return cmocka_run_group_tests(cases, open_log, close_log);
}
