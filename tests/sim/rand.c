/* Chance in a simulated world: each generator is its own sequence, fixed by the seed and by the
 * order in which generators are first used. */
#include "base/rand.h"

#include "base/bug.h"
#include "rand.h"

#include <string.h>

static uint64_t next_seed;
static uint16_t mask = UINT16_MAX;

void rand_seed(uint64_t seed)
{
	next_seed = seed << 16;
	mask = UINT16_MAX;
}

void rand_narrow(uint16_t most)
{
	mask = most;
}

/* SplitMix64 (Steele, Lea, Flood 2014), its state in the first octets of the generator. */
uint16_t rand_u16(struct rand *r)
{
	uint64_t state;

	if (!r->left) {
		r->left = sizeof r->bytes;
		state = ++next_seed;
	} else {
		memcpy(&state, r->bytes, sizeof state);
	}
	state += 0x9e3779b97f4a7c15;
	memcpy(r->bytes, &state, sizeof state);
	state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
	state = (state ^ state >> 27) * 0x94d049bb133111eb;
	return (uint16_t)(state ^ state >> 31) & mask;
}

uint32_t rand_below(struct rand *r, uint32_t below)
{
	MUST(below > 0);
	uint32_t v = (uint32_t)rand_u16(r) << 16 | rand_u16(r);

	return v % below;
}
