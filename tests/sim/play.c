#include "play.h"

#include "base/bug.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

bool play_duration(const char *word, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	char *unit;

	if (!isdigit((unsigned char)*word))
		return false;
	*ms = strtoull(word, &unit, 10);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(unit, units[i].name) == 0) {
			*ms *= units[i].ms;
			return true;
		}
	}
	return false;
}

/* ---- from a line to words ---- */

/* Cuts off the next word at *at; NULL at the end of the line. */
static char *cut_word(char **at, bool *quoted)
{
	char *word = *at + strspn(*at, " \t");

	*quoted = *word == '"';
	if (*quoted)
		word++;
	if (!*word)
		return NULL;
	size_t len = *quoted ? strcspn(word, "\"") : strcspn(word, " \t");

	*at = word + len + (word[len] != '\0');
	word[len] = '\0';
	return word;
}

static uint64_t *time_of(struct statement *s, const char *word)
{
	if (strcmp(word, "within") == 0)
		return &s->within_ms;
	if (strcmp(word, "after") == 0)
		return &s->after_ms;
	if (strcmp(word, "at") == 0)
		return &s->at_ms;
	return strcmp(word, "for") == 0 ? &s->for_ms : NULL;
}

static char *join(const char *before, const char *after)
{
	char *word;

	MUST(asprintf(&word, "%s%s", before, after) >= 0);
	return word;
}

/* Takes the word in, unless it only is there to be read. */
static bool take_word(struct statement *s, const char *prefix, const char *word, bool quoted)
{
	static const char *const silent[] = { "with", "and", "the", "a", "an", "to", "in", "of",
		NULL };

	if (!quoted && is_one_of(word, silent))
		return true;
	if (s->count == PLAY_WORDS - 1)
		return false;
	s->words[s->count++] = join(prefix, word);
	return true;
}

/* What the word makes of the next one; NULL: nothing. */
static const char *prefix_of(const char *word)
{
	if (strcmp(word, "no") == 0 || strcmp(word, "without") == 0)
		return "!";
	if (strcmp(word, "over") == 0)
		return "over-";
	return strcmp(word, "another") == 0 ? "another-" : NULL;
}

static const char *split(struct statement *s, char *line)
{
	char *word;
	bool quoted;

	while ((word = cut_word(&line, &quoted))) {
		const char *prefix = quoted ? NULL : prefix_of(word);
		uint64_t *time = quoted ? NULL : time_of(s, word);

		if (prefix || time) {
			word = cut_word(&line, &quoted);
			if (!word)
				return "a word is missing at the end";
		}
		if (time && !play_duration(word, time))
			return "a duration such as 10ms or 4s is missing";
		if (!time && !take_word(s, prefix ? prefix : "", word, quoted))
			return "too many words";
	}
	return NULL;
}

/* Cuts the line where its comment begins, or its white space before that. */
static void strip(char *line)
{
	bool quoted = false;
	char *end = line;

	for (; *end && (quoted || *end != '#') && *end != '\n'; end++)
		quoted ^= *end == '"';
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
}

/* ---- from a file to statements ---- */

static const char *add(struct play *p, unsigned number, char *line)
{
	strip(line);
	if (!*line)
		return NULL;
	p->statements = realloc(p->statements, (p->count + 1) * sizeof *p->statements);
	MUST(p->statements);

	struct statement *s = &p->statements[p->count++];

	*s = (struct statement){ .line = number,
		.text = join("", line),
		.within_ms = NO_TIME,
		.after_ms = NO_TIME,
		.at_ms = NO_TIME,
		.for_ms = NO_TIME };
	const char *wrong = split(s, line);

	return wrong || s->count ? wrong : "nothing is stated";
}

bool play_read(struct play *p, const char *file)
{
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;
	const char *wrong = NULL;

	*p = (struct play){ .file = file };
	if (!in) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return false;
	}
	for (unsigned number = 1; !wrong && getline(&line, &size, in) >= 0; number++) {
		wrong = add(p, number, line);
		if (wrong)
			fprintf(stderr, "%s:%u: %s\n", file, number, wrong);
	}
	free(line);
	fclose(in);
	return !wrong;
}

void play_clear(struct play *p)
{
	for (size_t i = 0; i < p->count; i++) {
		for (size_t k = 0; k < p->statements[i].count; k++)
			free(p->statements[i].words[k]);
		free(p->statements[i].text);
	}
	free(p->statements);
}
