#include "trace.h"

#include "base/bug.h"

#include <math.h>
#include <stdlib.h>

/* Rare names are a third of what is asked: a flood of names that nobody has asked for before; the
 * same, but each is asked for again at once, as when a server looks up who connects to it twice;
 * the same, but later. */
static const struct recipe recipes[RECIPES] = {
	[ZIPF] = { "Zipf 1.0", 1000000, 5000000, 1.0, 0, 0, 0 },
	[FLAT_ZIPF] = { "Zipf 0.8", 1000000, 5000000, 0.8, 0, 0, 0 },
	[FLOOD] = { "scan", 200000, 5000000, 1.0, 3, 0, 0 },
	[TWICE_SOON] = { "twice, soon", 200000, 5000000, 1.0, 3, 20, 0 },
	[TWICE_LATER] = { "twice, later", 200000, 5000000, 1.0, 3, 16000, 0 },
	[SHIFT] = { "shift", 1000000, 5000000, 1.0, 0, 0, 500000 },
};

struct recipe trace_recipe(int which, uint32_t part)
{
	struct recipe r = recipes[which];

	r.names /= part;
	r.asked /= part;
	r.shift /= part;
	if (which == TWICE_LATER)
		r.again_after /= part;
	return r;
}

uint64_t trace_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint32_t trace_size(uint32_t name)
{
	uint64_t x = trace_mix(name ^ (uint64_t)1 << 40);
	uint32_t of_100 = (uint32_t)(x % 100), at = (uint32_t)(x >> 32);

	if (of_100 < 85)
		return 120 + at % 180;
	if (of_100 < 95)
		return 300 + at % 300;
	if (of_100 < 99)
		return 600 + at % 800;
	return 1400 + at % 2600;
}

/* How often the names of ranks 0 to n are asked for together, for each n. */
static double *cumulate(const struct recipe *r)
{
	double *sums = malloc(r->names * sizeof *sums), sum = 0;

	MUST(sums);
	for (uint32_t n = 0; n < r->names; n++)
		sums[n] = sum += pow(n + 1.0, -r->exponent);
	return sums;
}

static uint32_t draw_rank(const double *sums, uint32_t count, uint64_t chance)
{
	double at = (double)(chance >> 11) / (double)((uint64_t)1 << 53) * sums[count - 1];
	uint32_t low = 0, high = count - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sums[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The j-th request for a rare name: by turns for a new one and for one that was new a while ago. */
static uint32_t rare(const struct recipe *r, uint32_t j)
{
	uint32_t pair = j / 2;

	if (!r->again_after)
		return j;
	return j % 2 && pair >= r->again_after / 2 ? pair - r->again_after / 2 : pair;
}

void trace_make(struct trace *t, const struct recipe *r)
{
	double *sums = cumulate(r);

	*t = (struct trace){ .recipe = r, .asked = malloc(r->asked * sizeof *t->asked) };
	MUST(t->asked);
	t->names = r->names + (r->rare_in ? r->asked / r->rare_in + 1 : 0);
	for (uint32_t i = 0; i < r->asked; i++) {
		uint32_t shift = i < r->asked / 2 ? 0 : r->shift;

		if (r->rare_in && i % r->rare_in == 0)
			t->asked[i] = r->names + rare(r, i / r->rare_in);
		else
			t->asked[i] = (draw_rank(sums, r->names, trace_mix(i)) + shift) % r->names;
	}
	for (uint32_t name = 0; name < r->names; name++)
		t->footprint += trace_size(name);
	free(sums);
}

void trace_clear(struct trace *t)
{
	free(t->asked);
	t->asked = NULL;
}
