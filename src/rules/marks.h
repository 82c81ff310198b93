/* marks: words that clients are known by, each with a number; sorted once, then only read, by any
 * thread.
 */
#ifndef RULES_MARKS_H
#define RULES_MARKS_H

#include <stdbool.h>
#include <stddef.h>

struct mark {
	const char *word;
	unsigned number;
};

/* Zeroed: none. */
struct marks {
	struct mark *all;
	size_t count;
};

/* Borrows the word, which is not there yet; the number is not 0. False: out of memory. */
bool marks_add(struct marks *, const char *word, unsigned number);
/* To be called when all are there, before one is looked for. */
void marks_seal(struct marks *);
/* The number of a word; 0: it is not there. */
unsigned marks_find(const struct marks *, const char *word);
void marks_clear(struct marks *);

#endif
