#include "upstream/pick.h"

#include <float.h>

/* Every bit of the result depends on every bit of the number (the finalizer of SplitMix64). */
static uint64_t scatter(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* -log2 of x / 2^64, to a hundredth: more than any share can show, and without the third of a
 * megabyte that the mathematical library would add to us. */
static double minus_log2(uint64_t x)
{
	int zeros = __builtin_clzll(x | 1);
	double f = (double)(x << zeros << 1) * 0x1p-64; /* x is 2^(63 - zeros) times 1 + f */

	return zeros + 1 - (f + 0.344 * f * (1 - f));
}

/* The lowest of all servers' draws has a domain: exponentially distributed, each is the lowest as
 * often as its weight says. */
static double draw(const struct candidate *c, uint64_t domain)
{
	return minus_log2(scatter(domain ^ scatter(c->number + 1))) / c->weight;
}

static double rank(enum policy policy, uint64_t domain, const struct candidate *c, size_t place)
{
	switch (policy) {
	case POLICY_SPREAD:
		return draw(c, domain);
	case POLICY_ORDERED:
		return (double)place;
	default:
		return c->cost_us ? (double)c->cost_us / c->weight : DBL_MAX;
	}
}

/* What is unknown may be good. */
static unsigned standing_rank(enum standing standing)
{
	return standing == DOWN ? 2 : standing == DOUBTFUL ? 1 : 0;
}

/* Is a a better choice than b? */
static bool is_better(
	enum policy policy, uint64_t domain, const struct candidate *all, size_t a, size_t b)
{
	const struct candidate *x = &all[a], *y = &all[b];
	unsigned rank_x = standing_rank(x->standing), rank_y = standing_rank(y->standing);

	if (rank_x != rank_y)
		return rank_x < rank_y;
	if (x->sends != y->sends)
		return x->sends < y->sends;
	return rank(policy, domain, x, a) < rank(policy, domain, y, b);
}

int pick_next(enum policy policy, uint64_t domain, const struct candidate *c, size_t count,
	unsigned sends_max)
{
	int best = -1;

	for (size_t i = 0; i < count; i++) {
		if (c[i].sends >= sends_max || c[i].waiting)
			continue;
		if (best < 0 || is_better(policy, domain, c, i, (size_t)best))
			best = (int)i;
	}
	return best;
}
