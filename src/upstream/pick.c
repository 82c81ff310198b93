#include "upstream/pick.h"

#include <float.h>
#include <math.h>

/* Every bit of the result depends on every bit of the number (the finalizer of SplitMix64). */
static uint64_t scatter(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* The lowest of all servers' draws has a domain: exponentially distributed, each is the lowest as
 * often as its weight says. */
static double draw(const struct candidate *c, uint64_t domain)
{
	uint64_t random = scatter(domain ^ scatter(c->number + 1));

	return -log(((double)(random >> 11) + 0.5) * 0x1p-53) / c->weight;
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
