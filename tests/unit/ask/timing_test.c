#include "ask/timing.h"

#include "case.h"

static struct timing_sum sum_of(const uint64_t *times, size_t count, size_t room)
{
	struct timing t;
	struct timing_sum s;

	OK(timing_init(&t, room));
	for (size_t i = 0; i < count; i++)
		timing_add(&t, times[i]);
	timing_sum(&t, &s);
	timing_clear(&t);
	return s;
}

CASE(percentiles_are_of_the_nearest_rank)
{
	uint64_t times[200];

	for (unsigned i = 0; i < 200; i++)
		times[i] = 200 - i; /* 1 to 200, the slowest first */
	struct timing_sum s = sum_of(times, 200, 200);

	EQ(s.min, 1);
	EQ(s.p50, 100);
	EQ(s.p90, 180);
	EQ(s.p99, 198);
	EQ(s.max, 200);
}

CASE(one_time_is_every_percentile)
{
	struct timing_sum s = sum_of((uint64_t[]){ 7 }, 1, 1);

	EQ(s.min, 7);
	EQ(s.p50, 7);
	EQ(s.p99, 7);
	EQ(s.max, 7);
}

CASE(of_two_the_half_is_the_faster_one)
{
	struct timing_sum s = sum_of((uint64_t[]){ 30, 10 }, 2, 2);

	EQ(s.p50, 10);
	EQ(s.p90, 30);
}

CASE(no_times_are_zeros)
{
	struct timing_sum s = sum_of(NULL, 0, 0);

	EQ(s.max, 0);
}

CASE(there_are_no_more_times_than_there_is_room_for)
{
	EQ(sum_of((uint64_t[]){ 1, 2, 3 }, 3, 2).max, 2);
}

CASE(a_time_that_does_not_fit_is_the_longest)
{
	EQ(sum_of((uint64_t[]){ UINT64_MAX }, 1, 1).max, UINT32_MAX);
}

CASE(the_first_question_is_due_at_once_and_the_others_in_their_time)
{
	EQ(timing_due(10, 0), 1);
	EQ(timing_due(10, 99999), 1);
	EQ(timing_due(10, 100000), 2);
	EQ(timing_due(10, 1000000), 11);
	EQ(timing_due(3, 3600000000u), 10801);
}

/* So no question is late for more than a millisecond, and no turn of the loop comes to nothing. */
CASE(who_has_waited_finds_one_due_and_not_a_millisecond_earlier)
{
	static const unsigned rates[] = { 1, 3, 10, 999, 1000 };

	for (size_t r = 0; r < 5; r++)
		for (uint64_t passed = 0; passed < 2500000; passed += 777) {
			uint64_t sent = timing_due(rates[r], passed);
			uint64_t wait_us = timing_wait_ms(rates[r], sent, passed) * 1000u;

			OK(timing_due(rates[r], passed + wait_us) > sent);
			OK(wait_us == 1000 ||
				timing_due(rates[r], passed + wait_us - 1000) == sent);
		}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(percentiles_are_of_the_nearest_rank),
		CLAIM(one_time_is_every_percentile),
		CLAIM(of_two_the_half_is_the_faster_one),
		CLAIM(no_times_are_zeros),
		CLAIM(there_are_no_more_times_than_there_is_room_for),
		CLAIM(a_time_that_does_not_fit_is_the_longest),
		CLAIM(the_first_question_is_due_at_once_and_the_others_in_their_time),
		CLAIM(who_has_waited_finds_one_due_and_not_a_millisecond_earlier),
	};

	return RUN(cases);
}
