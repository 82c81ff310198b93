/* problems: what is wrong with a configuration, written the way a compiler does it.
 *
 *	sotto.yaml:3:1: upstream: unknown key; did you mean "upstreams"?
 *	    3 | upstream: [tls://1.0.0.1]
 *	      | ^
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stddef.h>
#include <stdio.h>

/* Where values come from: a file, a variable, an argument. */
struct source {
	const char *name; /* "/etc/sotto/sotto.yaml", "SOTTO_WORKERS", "--set workers=x" */
	const char *text; /* where its name does not say which value is meant; NULL: it does */
	size_t len;
};

/* Line and column count from 1; the column counts characters. Line 0: the source as a whole. */
struct place {
	const struct source *source;
	unsigned line, column;
};

struct problems {
	FILE *out;
	unsigned count;
};

/* Writes one. key is the dotted path of the value, said unless the source's name says it already,
 * as those of most variables and arguments do; NULL: it is not about a key. */
void problem(struct problems *, const struct place *, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes how many there were, if any. */
void problems_sum_up(const struct problems *);

/* Writes text with control characters as \xNN, so that a file cannot paint on a terminal. */
void problems_put(FILE *, const char *text, size_t len);

#endif
