/* memory: what lives as long as its owner and goes all at once. Out of memory ends the process: for
 * a start, and for a reload that has seen that there is plenty. */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <stddef.h>

struct memory {
	struct memory_piece *pieces;
};

/* Zeroed, aligned for anything. Never NULL. */
void *memory_take(struct memory *, size_t size);
/* A copy of len bytes, with a NUL behind. */
char *memory_copy(struct memory *, const char *text, size_t len);
char *memory_format(struct memory *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void memory_clear(struct memory *);

/* Says that there is none, and exits with status 1: what a configuration says cannot be known
 * without it. */
_Noreturn void memory_out(void);

#endif
