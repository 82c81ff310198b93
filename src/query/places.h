/* places: how many of the places where queries wait each client holds, so that no client takes
 * those that others need.
 *
 * A host may hold a fixed number. The network that it could choose addresses from (addr_network())
 * may hold as many as are left: one network alone half of all, two a third each, and who comes next
 * always finds some.
 *
 * Counts are kept in a sketch: each stands at two places, chosen by a hash that nobody can predict,
 * and is the lesser of what is found there. So it takes the same memory whoever asks, never fails,
 * and is never too low; to be too high, somebody else must share both places.
 */
#ifndef QUERY_PLACES_H
#define QUERY_PLACES_H

#include "base/siphash.h"
#include "net/addr.h"

#include <stdbool.h>

#define SKETCH_ROWS    2
#define SKETCH_COLUMNS 4096

struct sketch {
	uint32_t counts[SKETCH_ROWS][SKETCH_COLUMNS];
};

/* Where the count of one client stands. */
struct spot {
	uint16_t columns[SKETCH_ROWS];
};

/* One place that is held. */
struct place_held {
	struct spot host, network;
};

struct places {
	const struct siphash_key *key;
	size_t most_of_host;
	struct sketch hosts, networks;
};

/* One more for this client, if it may, where so many are left. */
bool places_take(struct places *, const struct addr *client, size_t left, struct place_held *);
void places_give_back(struct places *, const struct place_held *);

#endif
