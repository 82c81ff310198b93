#include "upstream/pick.h"

#include "case.h"

#define SENDS_MAX 3

static int pick(enum policy policy, const struct candidate *c, size_t count)
{
	return pick_next(policy, 0, c, count, SENDS_MAX);
}

CASE(fastest_is_the_one_of_least_cost)
{
	struct candidate c[] = { { .standing = GOOD, .cost_us = 30000, .weight = 100, .number = 0 },
		{ .standing = GOOD, .cost_us = 10000, .weight = 100, .number = 1 },
		{ .standing = GOOD, .cost_us = 20000, .weight = 100, .number = 2 } };

	EQ(pick(POLICY_FASTEST, c, 3), 1);
	EQ(pick(POLICY_RACE, c, 3), 1);
}

CASE(a_weight_makes_a_server_cheaper)
{
	struct candidate c[] = { { .standing = GOOD, .cost_us = 30000, .weight = 400 },
		{ .standing = GOOD, .cost_us = 10000, .weight = 100 } };

	EQ(pick(POLICY_FASTEST, c, 2), 0);
}

CASE(ordered_is_the_first_whatever_it_costs)
{
	struct candidate c[] = { { .standing = GOOD, .cost_us = 30000, .weight = 100 },
		{ .standing = GOOD, .cost_us = 10000, .weight = 100 } };

	EQ(pick(POLICY_ORDERED, c, 2), 0);
}

CASE(what_was_never_measured_comes_after_what_was_by_cost_and_in_its_place_by_order)
{
	struct candidate c[] = { { .standing = UNTRIED, .cost_us = 0, .weight = 100 },
		{ .standing = GOOD, .cost_us = 90000, .weight = 100 } };

	EQ(pick(POLICY_FASTEST, c, 2), 1);
	EQ(pick(POLICY_ORDERED, c, 2), 0);
	c[1] = (struct candidate){ .standing = UNTRIED, .cost_us = 0, .weight = 100 };
	EQ(pick(POLICY_FASTEST, c, 2), 0);
}

CASE(the_better_standing_wins_over_cost_and_order)
{
	struct candidate c[] = { { .standing = DOWN, .cost_us = 1000, .weight = 100 },
		{ .standing = DOUBTFUL, .cost_us = 2000, .weight = 100 },
		{ .standing = GOOD, .cost_us = 90000, .weight = 100 } };

	for (int policy = POLICY_FASTEST; policy <= POLICY_SPREAD; policy++) {
		EQ(pick((enum policy)policy, c, 3), 2);
		EQ(pick((enum policy)policy, c, 2), 1);
		EQ(pick((enum policy)policy, c, 1), 0);
	}
}

CASE(who_was_asked_less_comes_first)
{
	struct candidate c[] = { { .standing = GOOD, .cost_us = 1000, .weight = 100, .sends = 1 },
		{ .standing = GOOD, .cost_us = 9000, .weight = 100 } };

	EQ(pick(POLICY_FASTEST, c, 2), 1);
	EQ(pick(POLICY_ORDERED, c, 2), 1);
}

CASE(who_is_waited_for_or_was_asked_too_often_is_out)
{
	struct candidate c[] = {
		{ .standing = GOOD, .cost_us = 1000, .weight = 100, .waiting = true },
		{ .standing = GOOD, .cost_us = 2000, .weight = 100, .sends = SENDS_MAX }
	};

	EQ(pick(POLICY_FASTEST, c, 2), -1);
	c[0].waiting = false;
	EQ(pick(POLICY_FASTEST, c, 2), 0);
	EQ(pick(POLICY_FASTEST, c, 0), -1);
}

/* ---- spread ---- */

#define DOMAINS 20000

static void share_out(const struct candidate *c, size_t count, int chosen[DOMAINS])
{
	for (uint64_t d = 0; d < DOMAINS; d++)
		chosen[d] = pick_next(POLICY_SPREAD, d * 7919, c, count, SENDS_MAX);
}

CASE(spread_gives_each_server_its_share_of_the_domains)
{
	static int chosen[DOMAINS];
	struct candidate c[] = { { .standing = GOOD, .cost_us = 1000, .weight = 100, .number = 0 },
		{ .standing = GOOD, .cost_us = 1000, .weight = 200, .number = 1 },
		{ .standing = GOOD, .cost_us = 1000, .weight = 100, .number = 2 } };
	unsigned n[3] = { 0 };

	share_out(c, 3, chosen);
	for (int d = 0; d < DOMAINS; d++)
		n[chosen[d]]++;
	OK(n[0] > DOMAINS * 23 / 100 && n[0] < DOMAINS * 27 / 100);
	OK(n[1] > DOMAINS * 48 / 100 && n[1] < DOMAINS * 52 / 100);
}

CASE(spread_moves_no_domain_but_those_of_the_server_that_is_gone)
{
	static int before[DOMAINS], after[DOMAINS];
	struct candidate c[] = { { .standing = GOOD, .cost_us = 1000, .weight = 100, .number = 0 },
		{ .standing = GOOD, .cost_us = 1000, .weight = 100, .number = 1 },
		{ .standing = GOOD, .cost_us = 1000, .weight = 100, .number = 2 } };

	share_out(c, 3, before);
	c[1].standing = DOWN;
	share_out(c, 3, after);
	for (int d = 0; d < DOMAINS; d++)
		if (before[d] != 1)
			EQ(before[d], after[d]);
		else
			OK(after[d] != 1);
}

CASE(spread_does_not_depend_on_the_place_of_a_server)
{
	struct candidate c[] = { { .standing = GOOD, .cost_us = 0, .weight = 100, .number = 4 },
		{ .standing = GOOD, .cost_us = 0, .weight = 100, .number = 9 } };
	struct candidate swapped[] = { c[1], c[0] };

	for (uint64_t d = 0; d < 100; d++)
		EQ(pick_next(POLICY_SPREAD, d, c, 2, SENDS_MAX),
			1 - pick_next(POLICY_SPREAD, d, swapped, 2, SENDS_MAX));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(fastest_is_the_one_of_least_cost),
		CLAIM(a_weight_makes_a_server_cheaper),
		CLAIM(ordered_is_the_first_whatever_it_costs),
		CLAIM(what_was_never_measured_comes_after_what_was_by_cost_and_in_its_place_by_order),
		CLAIM(the_better_standing_wins_over_cost_and_order),
		CLAIM(who_was_asked_less_comes_first),
		CLAIM(who_is_waited_for_or_was_asked_too_often_is_out),
		CLAIM(spread_gives_each_server_its_share_of_the_domains),
		CLAIM(spread_moves_no_domain_but_those_of_the_server_that_is_gone),
		CLAIM(spread_does_not_depend_on_the_place_of_a_server),
	};

	return RUN(cases);
}
