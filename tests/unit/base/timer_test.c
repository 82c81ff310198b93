#include "base/timer.h"

#include "case.h"

#define MANY 500

/* A small generator of our own, so that a failure is the same every time. */
static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

CASE(nothing_is_due_where_nothing_runs)
{
	struct timers h = { 0 };

	OK(!timers_take_due(&h, UINT64_MAX));
}

CASE(a_timer_is_due_at_its_moment_and_not_before)
{
	struct timers h = { 0 };
	struct timer t = { 0 };

	timers_add(&h, &t, 10);
	OK(!timers_take_due(&h, 9));
	OK(timers_take_due(&h, 10) == &t);
	OK(!t.running);
	OK(!timers_take_due(&h, 10));
}

CASE(starting_again_moves)
{
	struct timers h = { 0 };
	struct timer t = { 0 };

	timers_add(&h, &t, 10);
	timers_add(&h, &t, 20);
	OK(!timers_take_due(&h, 19));
	OK(timers_take_due(&h, 20) == &t);
}

CASE(stopping_twice_is_stopping_once)
{
	struct timers h = { 0 };
	struct timer t = { 0 };

	timers_add(&h, &t, 10);
	timers_remove(&h, &t);
	timers_remove(&h, &t);
	OK(!timers_take_due(&h, UINT64_MAX));
}

/* Starts, moves and stops at random; what is taken must come in order, and be all that still runs.
 */
CASE(timers_come_in_order_whatever_was_moved_or_stopped)
{
	static struct timer t[MANY];
	struct timers h = { 0 };
	uint32_t state = 1;
	size_t running = 0, taken = 0;
	uint64_t last = 0;

	for (int i = 0; i < 10 * MANY; i++) {
		struct timer *one = &t[next(&state) % MANY];

		if (next(&state) % 3 == 0)
			timers_remove(&h, one);
		else
			timers_add(&h, one, next(&state) % 1000);
	}
	for (int i = 0; i < MANY; i++)
		running += t[i].running;
	for (struct timer *due; (due = timers_take_due(&h, 1000)); taken++) {
		OK(due->at_ms >= last);
		last = due->at_ms;
	}
	EQ(taken, running);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(nothing_is_due_where_nothing_runs),
		CLAIM(a_timer_is_due_at_its_moment_and_not_before),
		CLAIM(starting_again_moves),
		CLAIM(stopping_twice_is_stopping_once),
		CLAIM(timers_come_in_order_whatever_was_moved_or_stopped),
	};

	return RUN(cases);
}
