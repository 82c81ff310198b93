/* cache_words: what the words behind `cache lookup` and `cache flush` mean, for the daemon and for
 * who asks it. */
#ifndef CONTROL_CACHE_WORDS_H
#define CONTROL_CACHE_WORDS_H

#include "control/words.h"
#include "dns/name.h"

#include <stdint.h>

/* Entries of the cache. */
struct cache_words {
	bool all; /* whatever their name; else ... */
	bool below; /* of the name, and of all names below it */
	bool any_type;
	uint16_t type; /* unless any_type */
	size_t name_len;
	uint8_t name[NAME_MAX_WIRE]; /* in lower case */
};

/* NAME [TYPE]. NULL, or why they mean nothing: a constant. */
const char *cache_words_lookup(struct cache_words *, const struct words *);
/* NAME, --below NAME, or --all. */
const char *cache_words_flush(struct cache_words *, const struct words *);

/* Writes words that mean the same; no name in them has a blank. */
#define CACHE_WORDS_TEXT (NAME_TEXT + 32)
void cache_words_print(const struct cache_words *, char text[CACHE_WORDS_TEXT]);

#endif
