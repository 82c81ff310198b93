/* near: which of the words that are known comes closest to one that is not. */
#ifndef CONFIG_NEAR_H
#define CONFIG_NEAR_H

#include <stddef.h>

struct near {
	const char *word;
	const char *best; /* NULL: nothing is close enough to be meant */
	size_t distance;
};

void near_init(struct near *, const char *word);
/* Keeps candidate if it is closer than all before it. Borrows it. */
void near_try(struct near *, const char *candidate);

#endif
