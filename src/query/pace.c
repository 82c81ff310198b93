#include "query/pace.h"

#include <stdatomic.h>
#include <stdlib.h>

#define LINES     2048
#define LINE      4 /* buckets that a network may have: 64 octets */
#define MS_NS     1000000
#define SECOND_NS (1000 * (uint64_t)MS_NS)

/* Workers that write to one at the same time may lose a token of it, and nothing else. */
struct bucket {
	atomic_uint tag; /* a part of the hash of whose it is */
	atomic_uint over; /* queries too many */
	atomic_uint_fast64_t full_at_ns;
};

struct pace {
	const struct siphash_key *key;
	struct bucket lines[LINES][LINE];
};

struct pace *pace_new(const struct siphash_key *key)
{
	struct pace *p = calloc(1, sizeof *p);

	if (p)
		p->key = key;
	return p;
}

void pace_free(struct pace *p)
{
	free(p);
}

static uint64_t full_at(const struct bucket *b)
{
	return atomic_load_explicit(&b->full_at_ns, memory_order_relaxed);
}

/* Whose it was loses what it has spent. */
static void give(struct bucket *b, unsigned tag)
{
	atomic_store_explicit(&b->tag, tag, memory_order_relaxed);
	atomic_store_explicit(&b->over, 0, memory_order_relaxed);
	atomic_store_explicit(&b->full_at_ns, 0, memory_order_relaxed);
}

static struct bucket *find(struct pace *p, uint64_t hash)
{
	struct bucket *line = p->lines[hash % LINES], *fullest = line;
	unsigned tag = (unsigned)(hash >> 32);

	for (unsigned i = 0; i < LINE; i++) {
		if (atomic_load_explicit(&line[i].tag, memory_order_relaxed) == tag)
			return &line[i];
		if (full_at(&line[i]) < full_at(fullest))
			fullest = &line[i];
	}
	give(fullest, tag);
	return fullest;
}

unsigned pace_take(struct pace *p, const struct pace_asks *asks, unsigned per_second)
{
	struct span network = addr_network(asks->client);
	uint64_t hash = siphash(p->key, network.at, network.len);
	struct bucket *b = find(p, asks->proved ? ~hash : hash);
	uint64_t now_ns = asks->now_ms * MS_NS, was = full_at(b), then;

	do {
		then = (was > now_ns ? was : now_ns) + SECOND_NS / per_second;
		if (then > now_ns + SECOND_NS)
			return atomic_fetch_add_explicit(&b->over, 1, memory_order_relaxed) + 1;
	} while (!atomic_compare_exchange_weak_explicit(
		&b->full_at_ns, &was, then, memory_order_relaxed, memory_order_relaxed));
	return 0;
}
