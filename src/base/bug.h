/* bug: what to do about the impossible. Never use these on what a peer sent. */
#ifndef BASE_BUG_H
#define BASE_BUG_H

#include <stdbool.h>

/* Impossible: aborts always. */
#define MUST(x) ((x) ? (void)0 : bug(#x, __FILE__, __LINE__))
/* Should not happen: `if (!CHECK(n <= cap)) return DROP;` aborts in a debug build; otherwise it is
 * logged, counted, and the caller recovers. */
#define CHECK(x) ((x) || bug_seen(#x, __FILE__, __LINE__))

_Noreturn void bug(const char *what, const char *file, int line);
bool bug_seen(const char *what, const char *file, int line);

#endif
