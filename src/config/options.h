/* options: the table of everything that can be set. A key is here or it does not exist; defaults,
 * checks, `sotto check` and the documentation follow from its row. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* At least the rows of the table. */
#define OPTIONS_MAX 32

struct kind;

struct option {
	const char *key; /* dotted: section.name, or name */
	const struct kind *kind;
	size_t offset, width;	 /* of the field in struct config, where the kind is a number */
	const char *standard;	 /* the default, as it would be written in a variable */
	uint64_t min, max;	 /* where the kind is a number */
	const char *help;
};

/* Ends with a row without a key. */
extern const struct option options[];

/* By dotted key. NULL: there is none. */
const struct option *options_find(const char *key);
size_t options_index(const struct option *);

/* The name of the variable that sets it, SOTTO_A_B, into name; returns name. */
#define OPTIONS_VARIABLE 64
const char *options_variable(const struct option *, char name[OPTIONS_VARIABLE]);

/* The table for people, as Markdown. */
void options_print(FILE *);

#endif
