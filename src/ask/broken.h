/* broken: where a message is broken, in words: a second reading of what reply_parse() refused, for
 * people. */
#ifndef ASK_BROKEN_H
#define ASK_BROKEN_H

#include "base/span.h"

#include <stddef.h>

/* Writes what is wrong first, and at which octet, in at most size octets with the NUL. Nothing is
 * written but "" of a message that reply_parse() takes. */
void broken_where(struct span message, char *why, size_t size);

#endif
