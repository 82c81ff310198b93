/* taken: would the configuration take a value? Those are asked who read it. */
#ifndef IMPORT_TAKEN_H
#define IMPORT_TAKEN_H

#include <stdbool.h>
#include <stddef.h>

struct taken {
	const char *key; /* as "cache.size" */
	const char *entry; /* of a map, its key; NULL: it is none */
	const char *const *words; /* the value: one word, ... */
	size_t count;
	bool list; /* ... or a list of them */
};

#define TAKEN_WHY 200 /* as RRSET_WHY */
/* False: why says what is wrong with it. */
bool taken(const struct taken *, char why[TAKEN_WHY]);

/* Can it stand in a file at all? */
bool taken_as_text(const char *text, char why[TAKEN_WHY]);

#endif
