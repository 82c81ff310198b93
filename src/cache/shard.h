/* shard: a part of the cache that is a cache of its own: a table of chains, two rings, and a memory
 * of who had to go (S3-FIFO).
 *
 * A newcomer enters the small ring. From its tail goes who was asked for again since, or comes
 * while the main ring has room, to the main ring; everybody else is forgotten but for a ghost, a
 * piece of the hash. A newcomer with a ghost enters the main ring. From the tail of that, who was
 * asked for lately goes back to the head, the others are forgotten.
 *
 * No locks, no clock: cache.c has both.
 */
#ifndef CACHE_SHARD_H
#define CACHE_SHARD_H

#include "cache/ring.h"

struct shard {
	uint32_t *chains, *ghosts; /* of mask + 1 places, and of half as many */
	uint32_t mask;
	struct ring small, main;
	uint64_t entries, used; /* alive; octets of them */
	uint64_t evicted, refused;
};

/* Takes over memory of that many octets, all zero, aligned to a page. */
void shard_init(struct shard *, uint8_t *memory, size_t size);

/* The entry of the key, or NULL. Valid until the next call that changes something. */
struct entry *shard_find(const struct shard *, const struct key *);
/* It was asked for. */
void shard_touch(struct entry *);
/* Makes room for an entry with that many octets of packed_move(), instead of the one there is of
 * this key, and puts it into its chain; the caller fills in the rest. NULL: too large. */
struct entry *shard_put(struct shard *, const struct key *, size_t bytes);
void shard_kill(struct shard *, struct entry *);
void shard_kill_all(struct shard *);

/* Where a walk over all entries is. Start from zero. */
struct shard_walk {
	bool in_main;
	uint64_t position;
};
/* The next living entry; NULL: that was all. What is changed meanwhile may be missed, or come
 * twice. */
struct entry *shard_next(const struct shard *, struct shard_walk *);

#endif
