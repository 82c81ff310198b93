/* pattern: which names a rule is about. A pattern is the labels that it fixes at the end of a name,
 * and a test for what is before them. Letters have no case. */
#ifndef RULES_PATTERN_H
#define RULES_PATTERN_H

#include "dns/name.h"

#include <stdbool.h>

enum pattern_kind {
	PATTERN_EXACT, /* this name */
	PATTERN_SUFFIX, /* this name, and all below it; "." is every name */
	PATTERN_BELOW, /* all below it, not the name itself */
	PATTERN_GLOB, /* `*` is any octets, dots too, or none; `?` is one octet, but no dot; what is
			 escaped (`\*`, `\.`, `\ddd`) is an octet like others */
	PATTERN_REGEX, /* PCRE2, found anywhere in the text without the last dot, unless anchored;
			  who needs more than a number of steps for it does not match */
	PATTERN_DNSCHEF /* label by label from the end: `*` is one label, or, at the left, none */
};

/* As it is written. */
struct pattern_conf {
	enum pattern_kind kind;
	const char *text;
};

/* As it is tested. */
struct pattern {
	enum pattern_kind kind;
	const char *text; /* of GLOB, REGEX and DNSCHEF, as it was written; owned */
	void *compiled; /* the same as it is run; owned */
	size_t tail_len;
	uint8_t tail[NAME_MAX_WIRE]; /* what is fixed, in lower case; at least the root */
};

#define PATTERN_WHY 160
/* Reads one; pattern_clear() is owed. False: why says what is wrong with it, and nothing is owed.
 */
bool pattern_read(struct pattern *, const struct pattern_conf *, char why[PATTERN_WHY]);
void pattern_clear(struct pattern *);

/* Does it hold for a name (uncompressed, in lower case) that is the tail, or below it? Of any
 * thread. */
bool pattern_matches(const struct pattern *, const uint8_t *name, size_t len);
/* The same of those kinds that need nothing but the tail. */
bool pattern_plain_matches(enum pattern_kind, size_t tail_len, size_t len);

/* How many times, in this thread, a name took a regular expression more steps than it may have. */
unsigned long pattern_exceeded(void);

/* "suffix" and so on, and the kind of such a word; false: there is none. */
const char *pattern_kind_name(enum pattern_kind);
bool pattern_read_kind(const char *word, enum pattern_kind *);

#endif
