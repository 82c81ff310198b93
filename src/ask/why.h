/* why: what is wrong, in words that are handed up to who can tell them. */
#ifndef ASK_WHY_H
#define ASK_WHY_H

#include <stdbool.h>

#define WHY_MAX 200

/* Writes it; what has no room is cut. False, for its callers to return; every verdict that
 * is called BAD is false, too. */
bool why_say(char why[WHY_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
