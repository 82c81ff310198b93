/* siphash: SipHash-1-3: a hash that nobody can predict without its key, so that nobody can choose
 * what collides in a table. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/rand.h"

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k[2];
};

/* A key that nobody can guess. */
void siphash_key_make(struct siphash_key *, struct rand *);

uint64_t siphash(const struct siphash_key *, const void *bytes, size_t len);

#endif
