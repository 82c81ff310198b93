/* LRU, FIFO, CLOCK and SIEVE: one queue each, MAIN. */
#include "policy.h"
#include "store.h"

#include "base/bug.h"

#include <stdlib.h>

struct simple {
	uint32_t hand; /* SIEVE's: where it looks next */
	struct store *store;
};

static void *simple_open(
	const struct policy *p __attribute__((unused)), uint64_t octets, uint32_t names)
{
	struct simple *s = calloc(1, sizeof *s);

	MUST(s);
	s->hand = NOBODY;
	s->store = store_new(octets, names);
	return s;
}

static void simple_close(void *arg)
{
	struct simple *s = arg;

	free(s->store);
	free(s);
}

static uint32_t choose_oldest(struct simple *s)
{
	return s->store->queues[MAIN].oldest;
}

/* The oldest that was not asked for since it was last looked at; the others become new. */
static uint32_t choose_clock(struct simple *s)
{
	for (;;) {
		uint32_t name = s->store->queues[MAIN].oldest;

		if (!s->store->entries[name].hits)
			return name;
		s->store->entries[name].hits = 0;
		store_remove(s->store, name);
		store_add(s->store, MAIN, name);
	}
}

/* Likewise, but the others stay where they are, and the hand goes on. */
static uint32_t choose_sieve(struct simple *s)
{
	uint32_t name = s->hand == NOBODY ? s->store->queues[MAIN].oldest : s->hand;

	while (s->store->entries[name].hits) {
		s->store->entries[name].hits = 0;
		name = s->store->entries[name].newer;
		if (name == NOBODY)
			name = s->store->queues[MAIN].oldest;
	}
	s->hand = s->store->entries[name].newer;
	return name;
}

static void add(struct simple *s, uint32_t name, uint32_t (*choose)(struct simple *))
{
	while (s->store->queues[MAIN].octets + trace_size(name) > s->store->octets)
		store_remove(s->store, choose(s));
	s->store->entries[name].hits = 0;
	store_add(s->store, MAIN, name);
}

static bool ask(struct simple *s, uint32_t name, uint32_t (*choose)(struct simple *))
{
	bool is_here = s->store->entries[name].place == MAIN;

	if (is_here)
		s->store->entries[name].hits = 1;
	else
		add(s, name, choose);
	return is_here;
}

static bool ask_lru(void *arg, uint32_t name)
{
	struct simple *s = arg;
	bool is_here = ask(s, name, choose_oldest);

	store_remove(s->store, name);
	store_add(s->store, MAIN, name);
	return is_here;
}

static bool ask_fifo(void *arg, uint32_t name)
{
	return ask(arg, name, choose_oldest);
}

static bool ask_clock(void *arg, uint32_t name)
{
	return ask(arg, name, choose_clock);
}

static bool ask_sieve(void *arg, uint32_t name)
{
	return ask(arg, name, choose_sieve);
}

const struct policy policy_lru = { "LRU", simple_open, ask_lru, simple_close, { 0 } };
const struct policy policy_fifo = { "FIFO", simple_open, ask_fifo, simple_close, { 0 } };
const struct policy policy_clock = { "CLOCK", simple_open, ask_clock, simple_close, { 0 } };
const struct policy policy_sieve = { "SIEVE", simple_open, ask_sieve, simple_close, { 0 } };
