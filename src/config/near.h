/* near: which of the words that are known comes closest to one that is not. */
#ifndef CONFIG_NEAR_H
#define CONFIG_NEAR_H

#include <getopt.h>
#include <stddef.h>

struct near {
	const char *word;
	const char *best; /* NULL: nothing is close enough to be meant */
	size_t distance;
};

void near_init(struct near *, const char *word);
/* Keeps candidate if it is closer than all before it. Borrows it. */
void near_try(struct near *, const char *candidate);

#define NEAR_OPTION 32
/* The option of a command line that comes closest to word, as --NAME in text. NULL: there is none.
 */
const char *near_option(const char *word, const struct option *options, char text[NEAR_OPTION]);

#endif
