#include "config/problems.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* More than these are counted only. */
#define SHOWN_MAX 100
/* Characters of a source line that are shown, and how many of them stand before the caret. */
#define EXCERPT 100
#define CONTEXT 70

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

void problems_put(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

/* The line at the front of a text, without its end: a line feed, a carriage return, or both. */
static size_t line_len(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && text[i] != '\n' && text[i] != '\r')
		i++;
	return i;
}

/* The line of a source; NULL: there is none. */
static const char *find_line(const struct source *source, unsigned number, size_t *len)
{
	const char *at = source->text, *end = at + source->len;

	for (unsigned line = 1; line < number; line++) {
		at += line_len(at, (size_t)(end - at));
		if (at == end)
			return NULL;
		at += end - at > 1 && memcmp(at, "\r\n", 2) == 0 ? 2 : 1;
	}
	*len = line_len(at, (size_t)(end - at));
	return at;
}

/* One column a character: what would move the caret elsewhere is shown as a blank. */
static void put_excerpt(FILE *out, const char *line, size_t len, unsigned first)
{
	unsigned column = 0;

	for (size_t i = 0; i < len; i++) {
		column += starts_character(line[i]);
		if (column <= first || column > first + EXCERPT)
			continue;
		unsigned char c = (unsigned char)line[i];
		fputc(c < ' ' || c == 0x7f ? ' ' : c, out);
	}
}

static void put_source(FILE *out, const struct place *place)
{
	size_t len = 0;
	const char *line = find_line(place->source, place->line, &len);

	if (!line)
		return;
	unsigned first = place->column > EXCERPT ? place->column - CONTEXT : 0;
	fprintf(out, "%5u | %s", place->line, first > 0 ? "..." : "");
	put_excerpt(out, line, len, first);
	fprintf(out, "\n      | %s%*s^\n", first > 0 ? "   " : "", (int)(place->column - first - 1),
		"");
}

void problem(
	struct problems *p, const struct place *place, const char *key, const char *format, ...)
{
	const struct source *source = place->source;
	bool in_line = source->text && place->line > 0;
	char what[1024];

	if (++p->count > SHOWN_MAX)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);

	problems_put(p->out, source->name, strlen(source->name));
	if (in_line)
		fprintf(p->out, ":%u:%u", place->line, place->column);
	fputs(": ", p->out);
	if (key && source->text) {
		problems_put(p->out, key, strlen(key));
		fputs(": ", p->out);
	}
	problems_put(p->out, what, strlen(what));
	fputc('\n', p->out);
	if (in_line)
		put_source(p->out, place);
}

void problems_sum_up(const struct problems *p)
{
	if (p->count > SHOWN_MAX)
		fprintf(p->out, "... and %u more\n", p->count - SHOWN_MAX);
	if (p->count > 0)
		fprintf(p->out, "%u error%s\n", p->count, p->count == 1 ? "" : "s");
}
