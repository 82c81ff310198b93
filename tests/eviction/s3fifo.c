/* S3-FIFO: newcomers in a small queue; of these, who is asked for again goes to the main one; who
 * has left the small one a moment ago goes there at once. Two shapes: as it is published, with
 * queues that share the memory and an exact memory of who has left; and as two rings, each of a
 * size that does not change, with a table of fingerprints. */
#include "policy.h"
#include "store.h"

#include "base/bug.h"

#include <stdlib.h>

/* An entry may take this part of the small ring at most. */
#define LARGE_PART 4

struct s3 {
	struct s3_shape shape;
	struct store *store;
	uint64_t small_octets;
	uint32_t *ghosts; /* NULL: they are in the queue GHOST */
	uint64_t ghost_count;
};

static void *s3_open(const struct policy *p, uint64_t octets, uint32_t names)
{
	struct s3 *s = calloc(1, sizeof *s);

	MUST(s);
	s->shape = p->s3;
	s->store = store_new(octets, names);
	s->small_octets = octets * p->s3.small_permille / 1000;
	if (p->s3.ghost_octets) {
		s->ghost_count = octets / p->s3.ghost_octets;
		s->ghosts = calloc(s->ghost_count, sizeof *s->ghosts);
		MUST(s->ghosts);
	}
	return s;
}

static void s3_close(void *arg)
{
	struct s3 *s = arg;

	free(s->ghosts);
	free(s->store);
	free(s);
}

/* ---- who has left ---- */

static uint32_t *ghost_of(struct s3 *s, uint32_t name)
{
	return &s->ghosts[trace_mix(name) % s->ghost_count];
}

static uint32_t fingerprint(uint32_t name)
{
	return (uint32_t)(trace_mix(name) >> 32) | 1;
}

static void forget(struct s3 *s, uint32_t name)
{
	struct store *store = s->store;

	store_remove(store, name);
	if (s->ghosts) {
		*ghost_of(s, name) = fingerprint(name);
		return;
	}
	store_add(store, GHOST, name);
	while (store->queues[GHOST].octets > store->octets - s->small_octets)
		store_remove(store, store->queues[GHOST].oldest);
}

/* Whether it has left a moment ago; it is no ghost any more. */
static bool comes_back(struct s3 *s, uint32_t name)
{
	if (s->ghosts) {
		bool was = *ghost_of(s, name) == fingerprint(name);

		if (was)
			*ghost_of(s, name) = 0;
		return was;
	}
	if (s->store->entries[name].place != GHOST)
		return false;
	store_remove(s->store, name);
	return true;
}

/* ---- who has to go ---- */

static void shrink_main(struct s3 *s)
{
	struct store *store = s->store;

	for (unsigned chances = 0;; chances++) {
		uint32_t name = store->queues[MAIN].oldest;
		struct entry *e = &store->entries[name];

		store_remove(store, name);
		if (!e->hits || (s->shape.chances && chances == s->shape.chances))
			return;
		e->hits--;
		store_add(store, MAIN, name);
	}
}

static void add_to_main(struct s3 *s, uint32_t name)
{
	struct queue *main = &s->store->queues[MAIN];

	while (main->octets + trace_size(name) > s->store->octets - s->small_octets)
		shrink_main(s);
	s->store->entries[name].hits = 0;
	store_add(s->store, MAIN, name);
}

static void shrink_small(struct s3 *s)
{
	struct queue *main = &s->store->queues[MAIN];
	uint32_t name = s->store->queues[SMALL].oldest;
	uint64_t main_octets = s->store->octets - s->small_octets;
	bool has_room = s->ghosts && main->octets + trace_size(name) <= main_octets;

	if (s->store->entries[name].hits >= s->shape.threshold || has_room) {
		store_remove(s->store, name);
		add_to_main(s, name);
	} else {
		forget(s, name);
	}
}

/* As published: nobody has to go while there is room anywhere. */
static void make_room(struct s3 *s, uint32_t size)
{
	struct queue *queues = s->store->queues;

	while (queues[SMALL].octets + queues[MAIN].octets + size > s->store->octets) {
		if (queues[SMALL].octets > s->small_octets || !queues[MAIN].octets)
			shrink_small(s);
		else
			shrink_main(s);
	}
}

static bool s3_ask(void *arg, uint32_t name)
{
	struct s3 *s = arg;
	enum place place = s->store->entries[name].place;

	if (place == SMALL || place == MAIN) {
		if (s->store->entries[name].hits < s->shape.hits_max)
			s->store->entries[name].hits++;
		return true;
	}

	/* In rings, what would take much of the small one does not enter it. */
	bool back = comes_back(s, name) ||
		(s->ghosts && trace_size(name) > s->small_octets / LARGE_PART);

	if (!s->ghosts)
		make_room(s, trace_size(name));
	if (back) {
		add_to_main(s, name);
		return false;
	}
	while (s->ghosts && s->store->queues[SMALL].octets + trace_size(name) > s->small_octets)
		shrink_small(s);
	s->store->entries[name].hits = 0;
	store_add(s->store, SMALL, name);
	return false;
}

const struct policy policy_s3fifo = { "S3-FIFO", s3_open, s3_ask, s3_close, { 100, 2, 0, 3, 0 } };
const struct policy policy_rings = { "two rings", s3_open, s3_ask, s3_close,
	{ 100, 2, 128, 3, 0 } };
