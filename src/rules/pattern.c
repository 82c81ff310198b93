#include "rules/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/glob.h"
#include "rules/regex.h"

static const struct word {
	const char *text;
	enum pattern_kind kind;
} words[] = {
	{ "exact", PATTERN_EXACT },
	{ "suffix", PATTERN_SUFFIX },
	{ "below", PATTERN_BELOW },
	{ "glob", PATTERN_GLOB },
	{ "regex", PATTERN_REGEX },
	{ "dnschef", PATTERN_DNSCHEF },
};

const char *pattern_kind_name(enum pattern_kind kind)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].kind == kind)
			return words[i].text;
	return NULL;
}

bool pattern_read_kind(const char *word, enum pattern_kind *kind)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].text, word) == 0) {
			*kind = words[i].kind;
			return true;
		}
	}
	return false;
}

/* A label of DNSChef that stands for any. */
static bool is_star(const uint8_t *label)
{
	return label[0] == 1 && label[1] == '*';
}

static bool read_name(struct pattern *p, char why[PATTERN_WHY])
{
	p->tail_len = name_from_text(p->text, p->tail);
	name_lower(p->tail, p->tail_len);
	if (p->tail_len)
		return true;
	snprintf(why, PATTERN_WHY, "this is no name");
	return false;
}

/* It is run as the name that it looks like. What is fixed are the labels behind its last star. */
static bool read_dnschef(struct pattern *p, char why[PATTERN_WHY])
{
	size_t fixed = 0;

	if (!read_name(p, why))
		return false;
	p->compiled = malloc(p->tail_len);
	if (!p->compiled) {
		snprintf(why, PATTERN_WHY, "out of memory");
		return false;
	}
	memcpy(p->compiled, p->tail, p->tail_len);
	for (size_t at = 0; p->tail[at]; at += 1u + p->tail[at])
		if (is_star(p->tail + at))
			fixed = at + 2;
	p->tail_len -= fixed;
	memmove(p->tail, p->tail + fixed, p->tail_len);
	return true;
}

static bool read_glob(struct pattern *p, char why[PATTERN_WHY])
{
	struct glob *glob = glob_new(p->text, why, PATTERN_WHY);

	p->compiled = glob;
	if (!glob)
		return false;
	p->tail_len = glob_tail(glob, p->tail);
	if (p->tail_len)
		return true;
	snprintf(why, PATTERN_WHY, "no name ends like this");
	return false;
}

static bool read_regex(struct pattern *p, char why[PATTERN_WHY])
{
	p->compiled = regex_new(p->text, why, PATTERN_WHY);
	p->tail_len = 1;
	return p->compiled;
}

static bool read_kind(struct pattern *p, char why[PATTERN_WHY])
{
	switch (p->kind) {
	case PATTERN_GLOB:
		return read_glob(p, why);
	case PATTERN_REGEX:
		return read_regex(p, why);
	case PATTERN_DNSCHEF:
		return read_dnschef(p, why);
	default:
		return read_name(p, why);
	}
}

bool pattern_read(struct pattern *p, const struct pattern_conf *conf, char why[PATTERN_WHY])
{
	char *text = strdup(conf->text);

	*p = (struct pattern){ .kind = conf->kind, .text = text };
	if (!text) {
		snprintf(why, PATTERN_WHY, "out of memory");
		return false;
	}
	if (read_kind(p, why))
		return true;
	pattern_clear(p);
	return false;
}

void pattern_clear(struct pattern *p)
{
	switch (p->kind) {
	case PATTERN_GLOB:
		glob_free(p->compiled);
		break;
	case PATTERN_REGEX:
		regex_free(p->compiled);
		break;
	default:
		free(p->compiled);
	}
	p->compiled = NULL;
	free((char *)p->text);
	p->text = NULL;
}

/* Where the labels of a name begin; how many. */
static unsigned label_starts(const uint8_t *name, uint8_t starts[NAME_MAX_WIRE / 2])
{
	unsigned count = 0;

	for (size_t at = 0; name[at]; at += 1u + name[at])
		starts[count++] = (uint8_t)at;
	return count;
}

/* Label by label from the end, as long as either has any: a label that is not there is like any
 * star, and like nothing else. */
static bool dnschef_matches(const uint8_t *pattern, const uint8_t *name)
{
	uint8_t ours[NAME_MAX_WIRE / 2], theirs[NAME_MAX_WIRE / 2];
	unsigned our_count = label_starts(pattern, ours), their_count = label_starts(name, theirs);

	if (their_count > our_count)
		return false;
	while (our_count > 0) {
		const uint8_t *label = pattern + ours[--our_count];
		const uint8_t *other = their_count > 0 ? name + theirs[--their_count] : NULL;

		if (!is_star(label) && !(other && memcmp(label, other, 1u + *label) == 0))
			return false;
	}
	return true;
}

bool pattern_plain_matches(enum pattern_kind kind, size_t tail_len, size_t len)
{
	switch (kind) {
	case PATTERN_EXACT:
		return len == tail_len;
	case PATTERN_BELOW:
		return len > tail_len;
	default:
		return kind == PATTERN_SUFFIX;
	}
}

bool pattern_matches(const struct pattern *p, const uint8_t *name, size_t len)
{
	switch (p->kind) {
	case PATTERN_GLOB:
		return glob_matches(p->compiled, name);
	case PATTERN_REGEX:
		return regex_matches(p->compiled, name);
	case PATTERN_DNSCHEF:
		return dnschef_matches(p->compiled, name);
	default:
		return pattern_plain_matches(p->kind, p->tail_len, len);
	}
}

unsigned long pattern_exceeded(void)
{
	return regex_exceeded();
}
