/* ring: a queue of entries in memory that is used round and round: new ones come in at the head,
 * the oldest goes from the tail. No entry is ever cut in two: what is left at the end of the memory
 * is a gap. */
#ifndef CACHE_RING_H
#define CACHE_RING_H

#include "cache/entry.h"

struct ring {
	uint8_t *memory; /* of the shard, in which places are counted */
	uint32_t first, units; /* the part that is this ring's */
	uint32_t tail, used; /* relative to first */
	uint64_t popped; /* units, since the beginning: positions are counted from there */
};

static inline struct entry *ring_entry(const struct ring *r, uint32_t place)
{
	return (struct entry *)(void *)(r->memory + (size_t)place * ENTRY_UNIT);
}

void ring_init(struct ring *, uint8_t *memory, uint32_t first, uint32_t units);
/* Drops all. */
void ring_clear(struct ring *);

/* Is there room for an entry of that many units, and the gap in front of it, if it takes one? */
bool ring_has_room(const struct ring *, uint32_t units);
/* The place of a new entry at the head; there must be room. It becomes a copy of `from`, which may
 * overlap it, or, without one, nothing of it is set. */
uint32_t ring_push(struct ring *, uint32_t units, const struct entry *from);

/* The place of the oldest entry, or gap; ENTRY_NONE: it is empty. */
uint32_t ring_tail(const struct ring *);
/* Drops the oldest. Its octets stay as they are until the room is used, and there is room for as
 * many units now, whatever gap that takes. */
void ring_pop(struct ring *);

/* The place of the entry at *position or, if that has gone, of the oldest one; *position moves
 * behind it. ENTRY_NONE: the head is reached. Start from 0. */
uint32_t ring_next(const struct ring *, uint64_t *position);

#endif
