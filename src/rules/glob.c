#include "rules/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a glob is made of, and a name: octets of labels, and marks between them, so that a dot
 * within a label is no boundary, and a `*` that is escaped is no wildcard. */
enum mark { OCTET_MAX = 255, DOT, ONE, ANY, END };
enum { LABEL_MAX = 63 };

struct glob {
	size_t count;
	uint16_t marks[];
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet that is escaped, behind its backslash; -1: there is none. *text moves past it. */
static int escaped(const char **text)
{
	const char *t = *text;

	if (!*t)
		return -1;
	if (!is_digit(*t)) {
		*text = t + 1;
		return (uint8_t)*t;
	}
	if (!is_digit(t[1]) || !is_digit(t[2]))
		return -1;
	*text = t + 3;
	const int octet = (t[0] - '0') * 100 + (t[1] - '0') * 10 + (t[2] - '0');

	return octet <= OCTET_MAX ? octet : -1;
}

/* The next mark of the text, of which there is one; -1: a broken escape. */
static int next_mark(const char **text)
{
	const char c = *(*text)++;
	int octet = (uint8_t)c;

	switch (c) {
	case '.':
		return DOT;
	case '?':
		return ONE;
	case '*':
		return ANY;
	case '\\':
		octet = escaped(text);
	}
	return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
}

static bool read_marks(struct glob *g, const char *text)
{
	while (*text) {
		const int mark = next_mark(&text);

		if (mark < 0)
			return false;
		g->marks[g->count++] = (uint16_t)mark;
	}
	if (g->count > 0 && g->marks[g->count - 1] == DOT)
		g->count--;
	return true;
}

/* No name has a label without octets. */
static bool has_empty_label(const struct glob *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->marks[i] == DOT && (i == 0 || g->marks[i - 1] == DOT || i + 1 == g->count))
			return true;
	return false;
}

struct glob *glob_new(const char *text, char *why, size_t why_size)
{
	struct glob *g = malloc(sizeof(*g) + strlen(text) * sizeof(g->marks[0]));

	if (!g) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	g->count = 0;
	if (!*text)
		snprintf(why, why_size, "there is nothing in it");
	else if (!read_marks(g, text))
		snprintf(why, why_size, "behind \\ there must be an octet, or three digits");
	else if (has_empty_label(g))
		snprintf(why, why_size, "a label is empty");
	else
		return g;
	free(g);
	return NULL;
}

void glob_free(struct glob *g)
{
	free(g);
}

/* Where the labels begin that have no wildcard, nor has any behind them. */
static size_t fixed_from(const struct glob *g)
{
	size_t from = g->count, i = g->count;

	for (; i > 0 && g->marks[i - 1] <= DOT; i--)
		if (g->marks[i - 1] == DOT)
			from = i;
	return i == 0 ? 0 : from;
}

size_t glob_tail(const struct glob *g, uint8_t tail[NAME_MAX_WIRE])
{
	size_t label = 0, len = 0;

	for (size_t i = fixed_from(g); i < g->count; i++) {
		if (len == label)
			len++; /* for its length */
		if (g->marks[i] != DOT) {
			if (len - label > LABEL_MAX || len >= NAME_MAX_WIRE - 1)
				return 0;
			tail[len++] = (uint8_t)g->marks[i];
		}
		if (g->marks[i] == DOT || i + 1 == g->count) {
			tail[label] = (uint8_t)(len - label - 1);
			label = len;
		}
	}
	tail[len++] = 0;
	return len;
}

static size_t name_marks(const uint8_t *name, uint16_t marks[NAME_MAX_WIRE])
{
	size_t count = 0;

	for (; *name; name += 1 + *name) {
		if (count > 0)
			marks[count++] = DOT;
		for (unsigned i = 1; i <= *name; i++)
			marks[count++] = name[i];
	}
	return count;
}

/* Where it goes wrong, the last `*` takes one mark more: an earlier one never has to. */
bool glob_matches(const struct glob *g, const uint8_t *name)
{
	uint16_t marks[NAME_MAX_WIRE];
	const size_t count = name_marks(name, marks);
	size_t at = 0, behind_any = 0, taken = 0;

	for (size_t i = 0; i < count;) {
		const unsigned want = at < g->count ? g->marks[at] : END;

		if (want == ANY) {
			behind_any = ++at;
			taken = i;
		} else if (want == marks[i] || (want == ONE && marks[i] != DOT)) {
			at++;
			i++;
		} else if (behind_any > 0) {
			at = behind_any;
			i = ++taken;
		} else {
			return false;
		}
	}
	while (at < g->count && g->marks[at] == ANY)
		at++;
	return at == g->count;
}
