/* key: what a question is known by in the tables of lookups and of the cache: everything that can
 * change its answer. */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include "base/siphash.h"
#include "dns/message.h"
#include "dns/name.h"

#include <stdbool.h>

struct key {
	uint64_t hash; /* of the rest */
	uint16_t group; /* of servers, by index */
	bool dnssec_ok, checking_disabled; /* DO, CD (RFC 4035 §3.2) */
	bool fresh_only; /* what has expired is of no use; no part of what is compared */
	uint16_t len; /* of the question */
	uint8_t question[NAME_MAX_WIRE + 7]; /* name in lower case, type, class; room */
};

/* Who asks, in the eyes of a key. */
struct key_scope {
	uint16_t group;
	bool dnssec_ok, checking_disabled;
};

void key_make(struct key *, const struct siphash_key *, const struct question *,
	const struct key_scope *);
/* The key of the name alone, whatever the type: of type 0. */
void key_of_name(struct key *, const struct siphash_key *, const struct key *);

bool key_equals(const struct key *, const struct key *);

/* The question, which borrows from the key. */
struct question key_question(const struct key *);

#endif
