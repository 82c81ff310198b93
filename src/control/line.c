#include "control/line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void line_add(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(l->text + l->len, LINE_ROOM - l->len, format, args);
	va_end(args);
	if (n > 0)
		l->len = l->len + (size_t)n < LINE_ROOM ? l->len + (size_t)n : LINE_ROOM - 1;
}

/* Peers have a say in some texts, and none in what a terminal does. */
static void make_printable(struct line *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->text[i] < ' ' || l->text[i] > '~')
			l->text[i] = '?';
}

/* The most of the text that fits into so many columns, up to a blank if there is one. */
static size_t fitting(const char *text, size_t columns)
{
	size_t len = strlen(text);

	if (len <= columns)
		return len;
	for (size_t i = columns; i > 0; i--)
		if (text[i] == ' ')
			return i;
	return columns;
}

void line_put(struct line *l, const char *head, size_t more, FILE *out)
{
	const char *rest = l->text;
	size_t indent = strlen(head);

	make_printable(l);
	fputs(head, out);
	for (;;) {
		size_t n = fitting(rest, LINE_COLUMNS - indent);

		fprintf(out, "%.*s\n", (int)n, rest);
		rest += n;
		rest += strspn(rest, " ");
		if (!*rest)
			break;
		indent = strlen(head) + more;
		fprintf(out, "%*s", (int)indent, "");
	}
	*l = (struct line){ 0 };
}

void line_add_some(struct line *l, uint64_t n, const char *what)
{
	if (n)
		line_add(l, ", %" PRIu64 " %s", n, what);
}

const char *line_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void line_put_about(struct line *l, const char *about, FILE *out)
{
	char head[32];

	snprintf(head, sizeof head, "%-15s", about);
	line_put(l, head, 0, out);
}

void line_put_row(struct line *l, FILE *out)
{
	if (l->len)
		line_put(l, "  ", 2, out);
}

/* ---- words ---- */

const char *line_span(double seconds, char text[LINE_SPAN])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t s = seconds > 0 && seconds < 1e12 ? (uint64_t)seconds : 0;
	size_t u = 0;

	while (units[u].seconds > 1 && s < units[u].seconds)
		u++;
	int len = snprintf(text, LINE_SPAN, "%" PRIu64 " %s", s / units[u].seconds, units[u].name);

	s %= units[u].seconds;
	if (units[u].seconds > 60 && s >= units[u + 1].seconds)
		snprintf(text + len, (size_t)(LINE_SPAN - len), " %" PRIu64 " %s",
			s / units[u + 1].seconds, units[u + 1].name);
	return text;
}
