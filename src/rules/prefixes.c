#include "rules/prefixes.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

#define OCTETS     16
#define FIRST_ROOM 64

/* What a network is known by; without padding, so that it can be hashed and compared as it is. */
struct network {
	uint8_t octets[OCTETS]; /* zeros behind the length */
	uint8_t family; /* octets of an address: 4 or 16; 0: the place is free */
	uint8_t bits;
};

struct place {
	struct network network;
	uint32_t number;
};

struct prefixes {
	struct siphash_key key;
	struct place *places; /* open addressing; room is a power of two, half of it free */
	size_t room, count;
	bool has[2][PREFIXES_DEPTH]; /* lengths, of IPv4 and IPv6 */
};

struct prefixes *prefixes_new(void)
{
	struct prefixes *p = calloc(1, sizeof *p);
	struct rand rand = { .left = 0 };

	if (p)
		siphash_key_make(&p->key, &rand);
	return p;
}

void prefixes_free(struct prefixes *p)
{
	if (p)
		free(p->places);
	free(p);
}

/* ---- places ---- */

static struct place *place_of(const struct prefixes *p, const struct network *n)
{
	size_t at = (size_t)siphash(&p->key, n, sizeof *n);

	for (;; at++) {
		struct place *place = &p->places[at & (p->room - 1)];

		if (!place->network.family || memcmp(&place->network, n, sizeof *n) == 0)
			return place;
	}
}

static bool grow(struct prefixes *p)
{
	struct place *before = p->places;
	size_t count = p->room;

	p->places = calloc(count ? 2 * count : FIRST_ROOM, sizeof *p->places);
	if (!p->places) {
		p->places = before;
		return false;
	}
	p->room = count ? 2 * count : FIRST_ROOM;
	for (size_t i = 0; i < count; i++)
		if (before[i].network.family)
			*place_of(p, &before[i].network) = before[i];
	free(before);
	return true;
}

/* ---- networks ---- */

static void cut(struct network *n, unsigned bits)
{
	n->bits = (uint8_t)bits;
	for (unsigned i = bits / 8; i < OCTETS; i++)
		n->octets[i] = (uint8_t)(i > bits / 8 ? 0 : n->octets[i] & 0xff00 >> bits % 8);
}

/* Of all bits of an address; false: it is of another family. */
static bool network_of(struct network *n, const struct addr *a)
{
	struct span octets = addr_octets(a);

	*n = (struct network){ .family = (uint8_t)octets.len, .bits = (uint8_t)(8 * octets.len) };
	memcpy(n->octets, octets.at, octets.len);
	return octets.len > 0;
}

uint32_t *prefixes_put(struct prefixes *p, const struct prefix *prefix)
{
	struct network n;

	if (2 * (p->count + 1) > p->room && !grow(p))
		return NULL;
	network_of(&n, &prefix->base);
	cut(&n, prefix->bits);
	struct place *place = place_of(p, &n);

	if (!place->network.family) {
		place->network = n;
		p->count++;
		p->has[n.family == OCTETS][n.bits] = true;
	}
	return &place->number;
}

unsigned prefixes_find(
	const struct prefixes *p, const struct prefix *within, uint32_t numbers[PREFIXES_DEPTH])
{
	struct network n;
	unsigned count = 0;

	if (!p->count || !network_of(&n, &within->base))
		return 0;
	for (unsigned bits = within->bits + 1u; bits-- > 0;) {
		if (!p->has[n.family == OCTETS][bits])
			continue;
		cut(&n, bits);
		const struct place *place = place_of(p, &n);

		if (place->network.family)
			numbers[count++] = place->number;
	}
	return count;
}

size_t prefixes_count(const struct prefixes *p)
{
	return p->count;
}

size_t prefixes_memory(const struct prefixes *p)
{
	return sizeof *p + p->room * sizeof *p->places;
}
