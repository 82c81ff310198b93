/* words: what stands behind a command in a line of the control socket, cut at its blanks. */
#ifndef CONTROL_WORDS_H
#define CONTROL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a line: the longest name as text, a command before it, a type behind it. */
#define WORDS_LINE 2048
/* No command takes as many. */
#define WORDS_MAX 8

struct words {
	size_t count;
	const char *at[WORDS_MAX];
};

/* The words of the text, which are in it from then on. False: there are more than WORDS_MAX. */
bool words_cut(struct words *, char *text);

#endif
