#include "chance.h"

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint32_t chance_below(struct chance *c, uint32_t below)
{
	uint64_t x = c->state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((x ^ x >> 31) >> 32) % below;
}

uint32_t chance_between(struct chance *c, uint32_t least, uint32_t most)
{
	return least + chance_below(c, most - least + 1);
}

bool chance_of(struct chance *c, unsigned per_mille)
{
	return chance_below(c, 1000) < per_mille;
}
