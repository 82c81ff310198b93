/* regex: regular expressions of PCRE2 on the text of a name, in bounded time and memory. */
#ifndef RULES_REGEX_H
#define RULES_REGEX_H

#include "dns/name.h"

#include <stdbool.h>

struct regex;

/* Reads one. NULL: why says what is wrong with it. */
struct regex *regex_new(const char *text, char *why, size_t why_size);
void regex_free(struct regex *);

/* Is it found in the text of a name (uncompressed, in lower case) without its last dot? Who needs
 * more than so many steps for that, or so much memory, does not match. Of any thread: each keeps
 * what it works with for its next match, so that most allocate nothing. */
bool regex_matches(const struct regex *, const uint8_t *name);

/* How many needed more, in this thread. */
unsigned long regex_exceeded(void);

#endif
