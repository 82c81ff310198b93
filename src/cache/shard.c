#include "cache/shard.h"

#include "base/bug.h"

#include <string.h>

enum {
	OCTETS_PER_CHAIN = 128, /* about what an entry takes */
	CHAINS_PER_GHOST = 2,
	SMALL_PART = 10, /* of the entries' memory is the small ring's */
	/* Asked for so often in the small ring, an entry is taken into the main one. */
	ASKED_ENOUGH = 1,
	/* Entries that are put back, so that one newcomer does not move the whole ring. */
	CHANCES_MAX = 64,
};

static uint32_t power_of_two_below(size_t n)
{
	uint32_t p = 1;

	while (p <= UINT32_MAX / 2 && 2 * (size_t)p <= n)
		p *= 2;
	return p;
}

void shard_init(struct shard *s, uint8_t *memory, size_t size)
{
	uint32_t chains = power_of_two_below(size / OCTETS_PER_CHAIN);
	size_t tables = sizeof(uint32_t) * (chains + chains / CHAINS_PER_GHOST);
	uint32_t units = (uint32_t)((size - tables) / ENTRY_UNIT), small = units / SMALL_PART;

	*s = (struct shard){ .mask = chains - 1 };
	s->chains = (uint32_t *)(void *)memory;
	s->ghosts = s->chains + chains;
	ring_init(&s->small, memory + tables, 0, small);
	ring_init(&s->main, memory + tables, small, units - small);
}

/* ---- chains: 0 is the end, so that memory from the system needs no filling ---- */

static struct entry *entry_of(const struct shard *s, uint32_t link)
{
	return ring_entry(&s->main, link - 1);
}

static uint32_t *chain_of(const struct shard *s, uint32_t tag)
{
	return &s->chains[tag & s->mask];
}

static bool is_of(const struct entry *e, const struct key *k)
{
	return e->tag == (uint32_t)k->hash && e->question_len == k->len && e->group == k->group &&
		e->dnssec_ok == k->dnssec_ok && e->checking_disabled == k->checking_disabled &&
		memcmp(entry_question(e), k->question, k->len) == 0;
}

struct entry *shard_find(const struct shard *s, const struct key *k)
{
	uint32_t link = *chain_of(s, (uint32_t)k->hash);

	while (link) {
		struct entry *e = entry_of(s, link);

		if (is_of(e, k))
			return e;
		link = e->next;
	}
	return NULL;
}

/* What leads to the entry: its chain's start, or the entry in front of it. */
static uint32_t *link_to(const struct shard *s, const struct entry *e)
{
	uint32_t *link = chain_of(s, e->tag);

	while (entry_of(s, *link) != e)
		link = &entry_of(s, *link)->next;
	return link;
}

void shard_touch(struct entry *e)
{
	if (e->asked < ENTRY_ASKED_MAX)
		e->asked++;
	if (e->hits < UINT8_MAX)
		e->hits++;
}

void shard_kill(struct shard *s, struct entry *e)
{
	*link_to(s, e) = e->next;
	e->dead = true;
	s->entries--;
	s->used -= (uint64_t)e->units * ENTRY_UNIT;
}

/* ---- who has to go ---- */

static uint32_t *ghost_of(const struct shard *s, uint32_t tag)
{
	return &s->ghosts[tag & s->mask / CHAINS_PER_GHOST];
}

static void evict(struct shard *s, struct entry *e, bool leaves_ghost)
{
	if (leaves_ghost)
		*ghost_of(s, e->tag) = e->tag;
	shard_kill(s, e);
	s->evicted++;
}

/* Puts the entry at the tail back to the head, which it may overlap. There is always room: what it
 * leaves is in one piece with the free units in front of it. */
static void put_back(struct shard *s, struct entry *e)
{
	uint32_t *link = link_to(s, e);

	ring_pop(&s->main);
	e->asked--;
	*link = ring_push(&s->main, e->units, e) + 1;
}

static void make_room_in_main(struct shard *s, uint32_t units)
{
	unsigned chances = CHANCES_MAX;

	while (!ring_has_room(&s->main, units)) {
		struct entry *e = ring_entry(&s->main, ring_tail(&s->main));

		if (!e->dead && e->asked && chances) {
			chances--;
			put_back(s, e);
			continue;
		}
		if (!e->dead)
			evict(s, e, false);
		ring_pop(&s->main);
	}
}

static void move_to_main(struct shard *s, struct entry *e)
{
	uint32_t *link, place;

	make_room_in_main(s, e->units);
	link = link_to(s, e);
	place = ring_push(&s->main, e->units, e);
	*link = place + 1;
}

static void make_room_in_small(struct shard *s, uint32_t units)
{
	while (!ring_has_room(&s->small, units)) {
		struct entry *e = ring_entry(&s->small, ring_tail(&s->small));

		if (!e->dead) {
			if (e->asked > ASKED_ENOUGH || ring_has_room(&s->main, e->units))
				move_to_main(s, e);
			else
				evict(s, e, true);
		}
		ring_pop(&s->small);
	}
}

static bool had_ghost(struct shard *s, uint32_t tag)
{
	uint32_t *ghost = ghost_of(s, tag);

	if (*ghost != tag)
		return false;
	*ghost = 0;
	return true;
}

/* ---- newcomers ---- */

/* One entry may be this part of its ring at most. */
#define RING_PART 4

/* The place of an entry of that many units, in the ring where it belongs. ENTRY_NONE: too large. */
static uint32_t place_for(struct shard *s, uint32_t units, bool known)
{
	bool in_main = known || units > s->small.units / RING_PART;

	if (units > s->main.units / RING_PART)
		return ENTRY_NONE;
	if (in_main)
		make_room_in_main(s, units);
	else
		make_room_in_small(s, units);
	return ring_push(in_main ? &s->main : &s->small, units, NULL);
}

static bool is_in_main(const struct shard *s, const struct entry *e)
{
	return (const uint8_t *)e >= (const uint8_t *)ring_entry(&s->main, s->main.first);
}

struct entry *shard_put(struct shard *s, const struct key *k, size_t bytes)
{
	uint32_t units = (uint32_t)((sizeof(struct entry) + bytes + ENTRY_UNIT - 1) / ENTRY_UNIT);
	uint32_t tag = (uint32_t)k->hash;
	struct entry *e = shard_find(s, k);
	uint8_t asked = e ? e->asked : 0;
	bool known = e ? is_in_main(s, e) : had_ghost(s, tag);

	if (e)
		shard_kill(s, e);
	uint32_t place = place_for(s, units, known);

	if (place == ENTRY_NONE) {
		s->refused++;
		return NULL;
	}
	e = ring_entry(&s->main, place);
	memset(e, 0, sizeof *e);
	e->units = units;
	e->tag = tag;
	e->asked = asked;
	e->group = k->group;
	e->dnssec_ok = k->dnssec_ok;
	e->checking_disabled = k->checking_disabled;
	e->question_len = k->len;
	e->next = *chain_of(s, tag);
	*chain_of(s, tag) = place + 1;
	s->entries++;
	s->used += (uint64_t)units * ENTRY_UNIT;
	return e;
}

void shard_kill_all(struct shard *s)
{
	memset(s->chains, 0, ((size_t)s->mask + 1) * sizeof *s->chains);
	memset(s->ghosts, 0, ((size_t)s->mask + 1) / CHAINS_PER_GHOST * sizeof *s->ghosts);
	ring_clear(&s->small);
	ring_clear(&s->main);
	s->entries = s->used = 0;
}

/* ---- all of them ---- */

struct entry *shard_next(const struct shard *s, struct shard_walk *w)
{
	for (;;) {
		uint32_t place = ring_next(w->in_main ? &s->main : &s->small, &w->position);

		if (place == ENTRY_NONE && w->in_main)
			return NULL;
		if (place == ENTRY_NONE)
			*w = (struct shard_walk){ .in_main = true };
		else if (!ring_entry(&s->main, place)->dead)
			return ring_entry(&s->main, place);
	}
}
