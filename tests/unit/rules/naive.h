/* naive: patterns as they are explained to people, on text, slowly: what others are compared with.
 * Names and patterns are in lower case, without escapes and without a last dot; the root is "". */
#ifndef NAIVE_H
#define NAIVE_H

#include <stdbool.h>
#include <string.h>

#include "rules/pattern.h"

static inline bool naive_is_below(const char *text, const char *name)
{
	const size_t len = strlen(text), other = strlen(name);

	if (len == 0)
		return other > 0;
	return other > len + 1 && name[other - len - 1] == '.' &&
		strcmp(name + other - len, text) == 0;
}

static inline bool naive_glob(const char *text, const char *name)
{
	if (*text == '*')
		return naive_glob(text + 1, name) || (*name && naive_glob(text, name + 1));
	if (!*text || !*name)
		return *text == *name;
	return (*text == *name || (*text == '?' && *name != '.')) && naive_glob(text + 1, name + 1);
}

/* Cuts the last label off a text of this length; NULL: there is none. */
static inline const char *naive_last(const char *text, size_t *len, size_t *label_len)
{
	size_t at = *len;

	if (*len == 0)
		return NULL;
	while (at > 0 && text[at - 1] != '.')
		at--;
	*label_len = *len - at;
	*len = at > 0 ? at - 1 : 0;
	return text + at;
}

/* `for a, b in map(None, name, pattern): if a != b and b != "*": break`, both reversed. */
static inline bool naive_dnschef(const char *text, const char *name)
{
	size_t text_left = strlen(text), name_left = strlen(name), b_len = 0, a_len = 0;

	while (text_left > 0 || name_left > 0) {
		const char *b = naive_last(text, &text_left, &b_len);
		const char *a = naive_last(name, &name_left, &a_len);

		if (!b)
			return false;
		if (b_len == 1 && *b == '*')
			continue;
		if (!a || a_len != b_len || memcmp(a, b, a_len) != 0)
			return false;
	}
	return true;
}

static inline bool naive_matches(enum pattern_kind kind, const char *text, const char *name)
{
	switch (kind) {
	case PATTERN_EXACT:
		return strcmp(text, name) == 0;
	case PATTERN_SUFFIX:
		return strcmp(text, name) == 0 || naive_is_below(text, name);
	case PATTERN_BELOW:
		return naive_is_below(text, name);
	case PATTERN_DNSCHEF:
		return naive_dnschef(text, name);
	default:
		return naive_glob(text, name);
	}
}

#endif
