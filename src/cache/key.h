/* key: what a question is known by in the tables of lookups and of the cache: everything that can
 * change its answer. */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include "base/siphash.h"
#include "dns/message.h"

#include <stdbool.h>

struct key {
	uint64_t hash; /* of the rest */
	uint8_t group; /* of servers, by index */
	bool dnssec_ok, checking_disabled; /* DO, CD (RFC 4035 §3.2) */
	uint16_t len;
	uint8_t question[NAME_MAX_WIRE + 4]; /* name in lower case, type, class */
};

void key_make(struct key *, const struct siphash_key *, const struct question *, bool dnssec_ok,
	bool checking_disabled, uint8_t group);

bool key_equals(const struct key *, const struct key *);

/* The question, which borrows from the key. */
struct question key_question(const struct key *);

#endif
