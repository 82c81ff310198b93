#include "cache/ring.h"

#include "base/bug.h"

#include <string.h>

void ring_init(struct ring *r, uint8_t *memory, uint32_t first, uint32_t units)
{
	*r = (struct ring){ .memory = memory, .first = first, .units = units };
}

void ring_clear(struct ring *r)
{
	r->popped += r->used;
	r->tail = r->used = 0;
}

static uint32_t wrapped(const struct ring *r, uint64_t at)
{
	return (uint32_t)(at >= r->units ? at - r->units : at);
}

static uint32_t head(const struct ring *r)
{
	return wrapped(r, (uint64_t)r->tail + r->used);
}

/* What a new entry leaves unused in front of it. */
static uint32_t gap(const struct ring *r, uint32_t units)
{
	uint32_t to_end = r->units - head(r);

	return units > to_end ? to_end : 0;
}

bool ring_has_room(const struct ring *r, uint32_t units)
{
	return (uint64_t)gap(r, units) + units <= r->units - r->used;
}

uint32_t ring_push(struct ring *r, uint32_t units, const struct entry *from)
{
	uint32_t skip = gap(r, units), gap_at = r->first + head(r), place;

	MUST(ring_has_room(r, units));
	r->used += skip;
	place = r->first + head(r);
	r->used += units;
	if (from)
		memmove(ring_entry(r, place), from, (size_t)units * ENTRY_UNIT);
	if (skip > 0) {
		ring_entry(r, gap_at)->units = skip;
		ring_entry(r, gap_at)->dead = true;
	}
	return place;
}

uint32_t ring_tail(const struct ring *r)
{
	return r->used ? r->first + r->tail : ENTRY_NONE;
}

void ring_pop(struct ring *r)
{
	uint32_t units = ring_entry(r, r->first + r->tail)->units;

	r->tail = wrapped(r, (uint64_t)r->tail + units);
	r->used -= units;
	r->popped += units;
	if (r->used == 0)
		r->tail = 0; /* the most room in one piece */
}

uint32_t ring_next(const struct ring *r, uint64_t *position)
{
	if (*position < r->popped)
		*position = r->popped;
	if (*position >= r->popped + r->used)
		return ENTRY_NONE;
	uint32_t place = r->first + wrapped(r, r->tail + (*position - r->popped));

	*position += ring_entry(r, place)->units;
	return place;
}
