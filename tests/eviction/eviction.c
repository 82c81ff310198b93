/* eviction: hit ratios of ways to choose which entry has to go, as a table for people.
 *
 *	eviction             of all policies, and of the cache itself
 *	eviction parameters  of S3-FIFO in two rings, by its parameters
 *	eviction ... 10      on traces of a tenth of the length
 */
#include "policy.h"

#include "cache/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned permilles[] = { 10, 50, 200 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VARIANTS     16

static size_t all_policies(struct policy *out)
{
	const struct policy *all[] = { &policy_lru, &policy_fifo, &policy_clock, &policy_sieve,
		&policy_s3fifo, &policy_rings, &policy_real };

	for (size_t i = 0; i < COUNT(all); i++)
		out[i] = *all[i];
	return COUNT(all);
}

static size_t all_shapes(struct policy *out)
{
	static const struct {
		const char *title;
		struct s3_shape shape;
	} all[] = {
		{ "as chosen", { 100, 2, 128, 3, 0 } },
		{ "small 5 %", { 50, 2, 128, 3, 0 } },
		{ "small 20 %", { 200, 2, 128, 3, 0 } },
		{ "asked for once", { 100, 1, 128, 3, 0 } },
		{ "ghost/64", { 100, 2, 64, 3, 0 } },
		{ "ghost/256", { 100, 2, 256, 3, 0 } },
		{ "ghost/512", { 100, 2, 512, 3, 0 } },
		{ "hits to 1", { 100, 1, 128, 1, 0 } },
		{ "hits to 7", { 100, 2, 128, 7, 0 } },
		{ "4 chances", { 100, 2, 128, 3, 4 } },
		{ "16 chances", { 100, 2, 128, 3, 16 } },
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		out[i] = policy_rings;
		out[i].title = all[i].title;
		out[i].s3 = all[i].shape;
	}
	return COUNT(all);
}

static void print_rows(const struct recipe *r, const struct policy *policies, size_t count)
{
	struct trace t;

	trace_make(&t, r);
	for (size_t size = 0; size < COUNT(permilles); size++) {
		uint64_t octets = t.footprint * permilles[size] / 1000;

		if (octets < CACHE_SIZE_MIN)
			continue;
		printf("| %s | %u %% | %.1f MB |", r->title, permilles[size] / 10,
			(double)octets / 1e6);
		for (size_t i = 0; i < count; i++) {
			printf(" %.2f |", 100 * policy_play(&policies[i], &t, octets));
			fflush(stdout);
		}
		printf("\n");
	}
	trace_clear(&t);
}

int main(int argc, char **argv)
{
	struct policy policies[VARIANTS];
	bool shapes = argc > 1 && strcmp(argv[1], "parameters") == 0;
	size_t count = shapes ? all_shapes(policies) : all_policies(policies);
	long part = argc > 1 + shapes ? strtol(argv[1 + shapes], NULL, 10) : 1;

	if (part < 1 || part > 1000)
		return 64;
	printf("| trace | of the footprint | size |");
	for (size_t i = 0; i < count; i++)
		printf(" %s |", policies[i].title);
	printf("\n");
	for (int i = 0; i < RECIPES; i++) {
		struct recipe r = trace_recipe(i, (uint32_t)part);

		print_rows(&r, policies, count);
	}
	return 0;
}
