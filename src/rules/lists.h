/* lists: files of names that are blocked or allowed, in the forms that there are. */
#ifndef RULES_LISTS_H
#define RULES_LISTS_H

#include "rules/list_entry.h"

/* Reads a list, line by line; memory does not depend on its length. A line that its format does not
 * know is a fault. take() gets each entry, and may refuse (out of memory: false). False: there was
 * a fault, report->why. */
bool list_read(const char *file, enum list_format,
	bool (*take)(void *arg, const struct list_entry *), void *arg, struct list_report *);
/* The same of text, for tests. */
bool list_read_text(struct span text, enum list_format,
	bool (*take)(void *arg, const struct list_entry *), void *arg, struct list_report *);

/* "hosts" and so on. */
const char *list_format_name(enum list_format);

#endif
