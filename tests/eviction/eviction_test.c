/* The cache against LRU, on the same traces, in hundredths of a percent of all requests. Every
 * run is the same; what is claimed is a good part below what was measured, as another hash or a few
 * octets more of an entry change it. */
#include "case.h"
#include "policy.h"

/* Of the lengths in docs/decisions/007-the-cache.md, and of the names. */
#define PART 20

enum size { TENTH = 10, FIFTH = 5 };

/* How much more of the trace hits in a cache of that part of its footprint than in another. */
static int gain(int which, enum size part, const struct policy *than)
{
	const struct recipe r = trace_recipe(which, PART);
	struct trace t;

	trace_make(&t, &r);
	double ours = policy_play(&policy_real, &t, t.footprint / part);
	double others = policy_play(than, &t, t.footprint / part);

	trace_clear(&t);
	print_message("# %s, 1/%d: %.2f %%, %s %.2f %%\n", r.title, part, 100 * ours, than->title,
		100 * others);
	return (int)(10000 * (ours - others));
}

CASE(the_lru_it_is_measured_by_drops_who_was_not_asked_for_longest)
{
	uint64_t all_but_one = trace_size(0) + trace_size(1) + trace_size(2) + trace_size(3) - 1;
	void *lru = policy_lru.open(&policy_lru, all_but_one, 4);

	for (uint32_t name = 0; name < 3; name++)
		OK(!policy_lru.ask(lru, name));
	OK(policy_lru.ask(lru, 0));
	OK(!policy_lru.ask(lru, 3)); /* in place of 1 */
	OK(policy_lru.ask(lru, 2));
	OK(policy_lru.ask(lru, 0));
	OK(policy_lru.ask(lru, 3));
	OK(!policy_lru.ask(lru, 1));
	policy_lru.close(lru);
}

CASE(a_small_cache_keeps_more_of_what_is_popular_than_lru)
{
	OK(gain(ZIPF, TENTH, &policy_lru) > 200);
	OK(gain(FLAT_ZIPF, TENTH, &policy_lru) > 400);
}

CASE(a_large_cache_does_too)
{
	OK(gain(ZIPF, FIFTH, &policy_lru) > 50);
	OK(gain(FLAT_ZIPF, FIFTH, &policy_lru) > 200);
}

CASE(a_flood_of_names_does_not_drive_out_what_is_popular)
{
	OK(gain(FLOOD, TENTH, &policy_lru) > 500);
	OK(gain(FLOOD, FIFTH, &policy_lru) > 500);
}

CASE(not_even_if_each_is_asked_for_twice)
{
	OK(gain(TWICE_SOON, TENTH, &policy_lru) > 300);
	OK(gain(TWICE_SOON, FIFTH, &policy_lru) > 300);
}

CASE(a_small_cache_follows_a_change_of_what_is_popular)
{
	OK(gain(SHIFT, TENTH, &policy_lru) > 0);
}

/* The price: what was popular goes only when all of it was looked at as often as it was asked for.
 */
CASE(a_large_cache_follows_it_little_later_than_lru)
{
	OK(gain(SHIFT, FIFTH, &policy_lru) > -200);
}

/* What rings, tables and a ghost of 32 bits cost. */
CASE(it_comes_close_to_s3_fifo_as_published)
{
	OK(gain(ZIPF, TENTH, &policy_s3fifo) > -150);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_lru_it_is_measured_by_drops_who_was_not_asked_for_longest),
		CLAIM(a_small_cache_keeps_more_of_what_is_popular_than_lru),
		CLAIM(a_large_cache_does_too),
		CLAIM(a_flood_of_names_does_not_drive_out_what_is_popular),
		CLAIM(not_even_if_each_is_asked_for_twice),
		CLAIM(a_small_cache_follows_a_change_of_what_is_popular),
		CLAIM(a_large_cache_follows_it_little_later_than_lru),
		CLAIM(it_comes_close_to_s3_fifo_as_published),
	};

	return RUN(cases);
}
