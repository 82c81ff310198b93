/* lists: lists of names that are blocked or allowed, as they are written. */
#ifndef CONFIG_LISTS_H
#define CONFIG_LISTS_H

#include "config/kinds.h"

/* Is that what a blocked question is answered with, and not an address? */
bool lists_read_answer(const char *text, enum block_answer *);

#endif
