#include "query/places.h"

static struct spot find(const struct siphash_key *key, struct span client)
{
	uint64_t hash = siphash(key, client.at, client.len);
	struct spot s;

	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		s.columns[row] = hash % SKETCH_COLUMNS;
		hash /= SKETCH_COLUMNS;
	}
	return s;
}

static size_t held(const struct sketch *sketch, const struct spot *s)
{
	size_t least = SIZE_MAX;

	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		if (sketch->counts[row][s->columns[row]] < least)
			least = sketch->counts[row][s->columns[row]];
	}
	return least;
}

static void add(struct sketch *sketch, const struct spot *s, int n)
{
	for (unsigned row = 0; row < SKETCH_ROWS; row++)
		sketch->counts[row][s->columns[row]] += (uint32_t)n;
}

bool places_take(struct places *p, const struct addr *client, size_t left, struct place_held *place)
{
	place->host = find(p->key, addr_octets(client));
	place->network = find(p->key, addr_network(client));
	if (held(&p->hosts, &place->host) >= p->most_of_host ||
		held(&p->networks, &place->network) >= left)
		return false;
	add(&p->hosts, &place->host, 1);
	add(&p->networks, &place->network, 1);
	return true;
}

void places_give_back(struct places *p, const struct place_held *place)
{
	add(&p->hosts, &place->host, -1);
	add(&p->networks, &place->network, -1);
}
