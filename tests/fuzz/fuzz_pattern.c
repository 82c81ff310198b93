/* A kind, a pattern, a NUL, and a name: what is refused says why; what is read fixes a name, below
 * which the naive matchers say the same, and outside of which they say no. */
#include <string.h>

#include "../unit/rules/naive.h"
#include "fuzz.h"
#include "rules/pattern.h"

/* The text of a name as naive.h wants it: "" if it has escapes. False: it cannot be had. */
static bool plain_text(const uint8_t *name, char text[NAME_TEXT])
{
	name_to_text(name, text);
	text[strlen(text) - 1] = 0;
	return !strchr(text, '\\');
}

/* Is a pattern written as naive.h wants it, and short enough for it? */
static bool is_plain(const char *text)
{
	const size_t len = strlen(text);
	unsigned stars = 0;

	for (const char *c = text; *c; c++) {
		stars += *c == '*';
		if (*c == '\\' || (*c >= 'A' && *c <= 'Z'))
			return false;
	}
	return len > 0 && text[len - 1] != '.' && stars < 4;
}

static void check(const struct pattern *p, const uint8_t *name, size_t len)
{
	const bool is_below = name_is_below(name, len, p->tail, p->tail_len);
	const bool yes = is_below && pattern_matches(p, name, len);
	char text[NAME_TEXT];

	HOLDS(p->tail_len && name_len((struct span){ p->tail, p->tail_len }, 0) == p->tail_len);
	if (p->kind != PATTERN_REGEX && is_plain(p->text) && plain_text(name, text))
		HOLDS(yes == naive_matches(p->kind, p->text, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len > 0 ? memchr(data + 1, 0, len - 1) : NULL;
	char why[PATTERN_WHY] = "";
	struct pattern p;

	if (!end)
		return 0;
	const struct pattern_conf conf = { data[0] % (PATTERN_DNSCHEF + 1u),
		(const char *)data + 1 };
	const struct span rest = { end + 1, len - (size_t)(end + 1 - data) };
	const size_t n = name_len(rest, 0);
	uint8_t name[NAME_MAX_WIRE];

	if (!pattern_read(&p, &conf, why)) {
		HOLDS(*why && !p.text && !p.compiled);
		return 0;
	}
	if (n) {
		memcpy(name, rest.at, n);
		name_lower(name, n);
		check(&p, name, n);
	}
	pattern_clear(&p);
	return 0;
}
