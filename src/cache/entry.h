/* entry: an answer as it lies in the memory of a shard. */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "cache/key.h"
#include "dns/pack.h"

/* Entries begin at multiples of this; places are counted in it. */
#define ENTRY_UNIT 16

/* No entry, or the end of a chain. */
#define ENTRY_NONE UINT32_MAX

struct entry {
	/* What a gap has too, which may be no longer than a unit. */
	uint32_t units; /* it takes, up to the next one */
	uint32_t next; /* of its chain */
	uint32_t tag; /* of the hash: it chooses the chain, and tells most others in it apart */
	bool dead : 1; /* a gap, or what is not in its chain any more */

	bool dnssec_ok : 1, checking_disabled : 1;
	bool refreshing : 1; /* somebody was told to ask for it again */
	uint8_t worth;
	uint16_t group;

	int64_t since_ms; /* when its TTLs were right; of a failure: when it was first */
	int64_t retry_ms; /* asking has failed: it is not tried again before; 0: it has not */
	uint32_t lifetime_s;
	uint16_t message_len, ttl_count, errors_len, rcode;
	uint16_t question_len;
	uint8_t asked; /* lately, up to ENTRY_ASKED_MAX: for who has to go */
	uint8_t hits; /* since it was stored, up to 255 */
	uint8_t failures; /* in a row */
	uint8_t holds;
	_Alignas(uint16_t) uint8_t bytes[]; /* what packed_move() copies */
};

/* What each answer costs beside itself; what a search reads first is in front. */
_Static_assert(sizeof(struct entry) <= 56 && offsetof(struct entry, since_ms) == 16,
	"docs/decisions/007-the-cache.md says how large an entry is");

#define ENTRY_ASKED_MAX 3

static inline struct packed entry_packed(const struct entry *e)
{
	const uint8_t *message = e->bytes + 2 * e->ttl_count;

	return (struct packed){ .message = { message, e->message_len },
		.ttl_at = (const uint16_t *)(const void *)e->bytes,
		.ttl_count = e->ttl_count,
		.errors = { message + e->message_len, e->errors_len },
		.rcode = e->rcode,
		.holds = e->holds,
		.worth = e->worth,
		.lifetime_s = e->lifetime_s };
}

/* The question, type 0 for WORTH_NXDOMAIN, is what the message repeats. */
static inline const uint8_t *entry_question(const struct entry *e)
{
	return e->bytes + 2 * e->ttl_count + DNS_HEADER;
}

static inline int64_t entry_expires_ms(const struct entry *e)
{
	return e->since_ms + (int64_t)e->lifetime_s * 1000;
}

#endif
