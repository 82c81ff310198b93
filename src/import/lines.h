/* lines: text of one statement a line, and the words that a format knows. */
#ifndef IMPORT_LINES_H
#define IMPORT_LINES_H

#include "base/span.h"
#include "import/recipe.h"

#define LINE_MAX_LEN 4096

struct lines {
	struct recipe *recipe;
	struct span rest;
	const char *comment; /* characters that begin one, at the beginning of a line ... */
	const char *comment_behind; /* ... and behind a blank; NULL: none there */
	struct said said; /* of the line that was read */
	char text[LINE_MAX_LEN]; /* the same, to be cut up */
	char kept[LINE_MAX_LEN];
};

/* The next line that says something, without blanks around it; what is no text is left. False:
 * there is none. */
bool lines_next(struct lines *);

/* A word of a format. */
struct word {
	const char *name; /* ending in `*`: all that begin so */
	void (*take)(struct recipe *, const struct said *, char *value);
	const char *left; /* instead: why it is not carried */
	const char *moot; /* instead: why it need not be */
};

/* Does what the word is for; one that is not in the list (which ends with no name) is left. */
void words_take(
	struct recipe *, const struct word *, const struct said *, const char *name, char *value);

/* Cuts the next part off, at any of these characters, without blanks around it. NULL: no more. */
char *lines_part(char **rest, const char *separators);
/* Without blanks around it, and without one pair of quotes. */
char *lines_trim(char *);
char *lines_unquote(char *);
/* A number up to most, or it is left. */
bool lines_number(struct recipe *, const struct said *, const char *text, unsigned long most,
	unsigned long *);

#endif
