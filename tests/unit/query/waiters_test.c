#include "query/waiters.h"

#include "case.h"

/* Somebody who waits, and how they were woken: when, in the order of all, and with what. */
struct someone {
	struct waiter waiter;
	unsigned woken, order;
	const struct result *told;
};

static struct waiters ws;
static struct someone all[10];
static unsigned woken;
static const struct result result = { .good = true };

static void on_wake(struct waiter *w, const struct result *r)
{
	struct someone *s = container_of(w, struct someone, waiter);

	s->woken++;
	s->order = ++woken;
	s->told = r;
}

static void begin(void)
{
	waiters_init(&ws);
	woken = 0;
}

static struct someone *add(unsigned n, uint64_t deadline_ms)
{
	all[n] = (struct someone){ .waiter = { .deadline_ms = deadline_ms, .wake = on_wake } };
	waiters_add(&ws, &all[n].waiter);
	return &all[n];
}

CASE(the_first_deadline_is_known_in_whatever_order_they_came)
{
	static const uint64_t deadlines[] = { 50, 30, 40, 30, 60, 10 };
	static const uint64_t first[] = { 50, 30, 30, 30, 30, 10 };

	begin();
	for (unsigned n = 0; n < 6; n++) {
		add(n, deadlines[n]);
		EQ(waiters_deadline(&ws), first[n]);
	}
	EQ(ws.count, 6);
}

CASE(who_has_no_time_left_is_told_and_the_others_wait_on)
{
	begin();
	add(0, 30);
	add(1, 10);
	add(2, 20);
	waiters_dismiss(&ws, 9, &result);
	EQ(woken, 0);
	waiters_dismiss(&ws, 20, &result);
	EQ(all[1].order, 1);
	EQ(all[2].order, 2);
	OK(all[1].told == &result);
	EQ(all[0].woken, 0);
	EQ(ws.count, 1);
	EQ(waiters_deadline(&ws), 30);
	waiters_dismiss(&ws, 1000, &result);
	EQ(ws.count, 0);
	waiters_dismiss(&ws, 2000, &result); /* nobody is left */
	for (unsigned n = 0; n < 3; n++)
		EQ(all[n].woken, 1);
}

CASE(who_came_first_is_woken_first_of_those_with_the_same_deadline)
{
	begin();
	for (unsigned n = 0; n < 5; n++)
		add(n, 10);
	OK(waiters_wake(&ws, SIZE_MAX, &result));
	for (unsigned n = 0; n < 5; n++)
		EQ(all[n].order, n + 1);
}

CASE(they_are_woken_so_many_at_a_time)
{
	begin();
	for (unsigned n = 0; n < 5; n++)
		add(n, 10 * n);
	OK(!waiters_wake(&ws, 0, &result));
	EQ(woken, 0);
	OK(!waiters_wake(&ws, 2, &result));
	EQ(woken, 2);
	OK(!waiters_wake(&ws, 2, &result));
	OK(waiters_wake(&ws, 2, &result));
	EQ(woken, 5);
	OK(waiters_wake(&ws, 2, &result));
	EQ(woken, 5);
}

CASE(to_wake_just_as_many_as_there_are_leaves_nobody)
{
	begin();
	add(0, 10);
	add(1, 10);
	OK(waiters_wake(&ws, 2, &result));
	EQ(ws.count, 0);
}

static void on_wake_wait_again(struct waiter *w, const struct result *r)
{
	on_wake(w, r);
	w->deadline_ms += 100;
	w->wake = on_wake;
	waiters_add(&ws, w);
}

CASE(who_is_woken_may_wait_again)
{
	begin();
	add(0, 10)->waiter.wake = on_wake_wait_again;
	add(1, 10);
	waiters_dismiss(&ws, 10, &result);
	EQ(all[0].woken, 1);
	EQ(all[1].woken, 1);
	EQ(ws.count, 1);
	EQ(waiters_deadline(&ws), 110);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_first_deadline_is_known_in_whatever_order_they_came),
		CLAIM(who_has_no_time_left_is_told_and_the_others_wait_on),
		CLAIM(who_came_first_is_woken_first_of_those_with_the_same_deadline),
		CLAIM(they_are_woken_so_many_at_a_time),
		CLAIM(to_wake_just_as_many_as_there_are_leaves_nobody),
		CLAIM(who_is_woken_may_wait_again),
	};

	return RUN(cases);
}
