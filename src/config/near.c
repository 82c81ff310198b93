#include "config/near.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Longer words are nobody's typing error. */
#define WORD_MAX 40

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
			bool swapped =
				i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (swapped)
				row[j] = least(row[j], before[j - 2] + 1);
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

void near_init(struct near *n, const char *word)
{
	size_t len = strlen(word);

	n->word = word;
	n->best = NULL;
	/* A third of the word may be wrong, and one letter always, if another one is right. */
	n->distance = (len < 2 ? 0 : len < 6 ? 1 : len / 3) + 1;
}

void near_try(struct near *n, const char *candidate)
{
	size_t len = strlen(n->word), candidate_len = strlen(candidate);

	if (len > WORD_MAX || candidate_len > WORD_MAX)
		return;
	size_t d = distance(n->word, len, candidate, candidate_len);
	if (d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}

const char *near_option(const char *word, const struct option *options, char text[NEAR_OPTION])
{
	struct near near;

	near_init(&near, word + strspn(word, "-"));
	for (const struct option *o = options; o->name; o++)
		near_try(&near, o->name);
	if (!near.best)
		return NULL;
	snprintf(text, NEAR_OPTION, "--%s", near.best);
	return text;
}
