#include "query/flights.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "cache/answers.h"

/* One part in a question, in one loop. */
struct part {
	struct flight flight;
	struct key key;
	unsigned landed;
	bool told, good;
	uint8_t mark; /* the last octet of the message */
	pthread_t by; /* in which thread it landed */
};

static struct flights *all;
static struct loop *here; /* this thread's */
static struct said one;
static unsigned left; /* that are to land before the loop stops */

static void on_landed(struct flight *f, const struct result *r)
{
	struct part *p = container_of(f, struct part, flight);

	p->landed++;
	p->by = pthread_self();
	p->told = r;
	if (r) {
		p->good = r->good;
		p->mark = r->packed->message.at[r->packed->message.len - 1];
	}
	if (--left == 0)
		loop_stop(here);
}

static void begin(void)
{
	all = flights_new();
	here = loop_new();
	OK(all && here);
}

static void end(void)
{
	flights_free(all);
	loop_free(here);
}

static bool take_off(struct part *p, const char *name)
{
	*p = (struct part){ .key = key_of(name, TYPE_A) };
	p->flight.key = &p->key;
	p->flight.loop = here;
	p->flight.landed = on_landed;
	return flights_take_off(all, &p->flight);
}

/* With what it came to, or without; what it was told does not outlive the call. */
static void land(struct part *p, bool good, uint8_t mark)
{
	const struct result r = { say(&one, "a", TYPE_A, 10, mark), good };

	flights_land(all, &p->flight, &r);
	memset(&one, 0xff, sizeof one);
}

/* Has so many land. */
static void let_land(unsigned count)
{
	left = count;
	loop_run(here);
}

CASE(the_first_of_a_question_leads_and_others_follow)
{
	struct part a, b, c, other;

	begin();
	OK(take_off(&a, "a"));
	OK(!take_off(&b, "a"));
	OK(take_off(&other, "b"));
	OK(!take_off(&c, "A"));
	land(&a, true, 7);
	EQ(b.landed + c.landed, 0); /* from the loop only */
	let_land(2);
	EQ(b.landed, 1);
	EQ(c.landed, 1);
	OK(b.told && b.good && b.mark == 7);
	OK(c.told && c.good && c.mark == 7);
	EQ(a.landed + other.landed, 0);
	flights_land(all, &other.flight, NULL);
	end();
}

CASE(a_failure_is_told_too)
{
	struct part a, b;

	begin();
	take_off(&a, "a");
	take_off(&b, "a");
	land(&a, false, 1);
	let_land(1);
	OK(b.told && !b.good);
	end();
}

CASE(where_nothing_came_of_it_followers_hear_that)
{
	struct part a, b;

	begin();
	take_off(&a, "a");
	take_off(&b, "a");
	flights_land(all, &a.flight, NULL);
	let_land(1);
	EQ(b.landed, 1);
	OK(!b.told);
	end();
}

CASE(who_comes_after_the_landing_leads)
{
	struct part a, b, c;

	begin();
	take_off(&a, "a");
	take_off(&b, "a");
	land(&a, true, 1);
	OK(take_off(&c, "a")); /* while b has not heard yet */
	let_land(1);
	OK(!take_off(&b, "a"));
	land(&c, true, 2);
	let_land(1);
	EQ(b.mark, 2);
	end();
}

CASE(who_has_left_hears_nothing)
{
	struct part a, b, c, d;

	begin();
	take_off(&a, "a");
	take_off(&b, "a");
	take_off(&c, "a");
	take_off(&d, "a");
	OK(flights_leave(all, &c.flight)); /* from the middle */
	land(&a, true, 1);
	let_land(2);
	EQ(b.landed, 1);
	EQ(d.landed, 1);
	EQ(c.landed, 0);
	end();
}

CASE(where_all_have_left_a_landing_is_for_nobody)
{
	struct part a, b;

	begin();
	take_off(&a, "a");
	take_off(&b, "a");
	OK(flights_leave(all, &b.flight));
	land(&a, true, 1);
	OK(take_off(&b, "a"));
	flights_land(all, &b.flight, NULL);
	end();
}

CASE(who_is_late_to_leave_will_hear)
{
	struct part a, b;

	begin();
	take_off(&a, "a");
	take_off(&b, "a");
	land(&a, true, 3);
	OK(!flights_leave(all, &b.flight));
	let_land(1);
	EQ(b.landed, 1);
	EQ(b.mark, 3);
	end();
}

CASE(questions_in_the_same_place_are_told_apart)
{
	struct part leaders[3], follower;

	begin();
	for (unsigned i = 0; i < 3; i++) { /* as if they collided */
		char name[2] = { (char)('a' + i), 0 };

		leaders[i] = (struct part){ .key = key_of(name, TYPE_A) };
		leaders[i].key.hash = 5;
		leaders[i].flight.key = &leaders[i].key;
		leaders[i].flight.loop = here;
		OK(flights_take_off(all, &leaders[i].flight));
	}
	follower = (struct part){ .key = leaders[1].key };
	follower.flight = (struct flight){ &follower.key, here, .landed = on_landed };
	OK(!flights_take_off(all, &follower.flight));
	land(&leaders[0], true, 1);
	land(&leaders[2], true, 2);
	land(&leaders[1], true, 3);
	let_land(1);
	EQ(follower.mark, 3);
	end();
}

CASE(a_thousand_may_follow)
{
	enum { MANY = 1000 };
	struct part leader, *many = calloc(MANY, sizeof *many);

	begin();
	OK(many);
	take_off(&leader, "a");
	for (unsigned i = 0; i < MANY; i++)
		OK(!take_off(&many[i], "a"));
	for (unsigned i = 0; i < MANY; i += 3)
		OK(flights_leave(all, &many[i].flight));
	land(&leader, true, 9);
	let_land(MANY - (MANY + 2) / 3);
	for (unsigned i = 0; i < MANY; i++) {
		EQ(many[i].landed, i % 3 ? 1 : 0);
		EQ(many[i].mark, i % 3 ? 9 : 0);
	}
	free(many);
	end();
}

/* ---- two loops in two threads ---- */

#define PAIRS 200

/* A thread with a loop of its own, in which many wait for this thread's. */
struct there {
	pthread_t thread;
	struct loop *loop;
	sem_t ready;
	struct part parts[PAIRS];
	unsigned landed, left;
};

static struct there there;

static void on_landed_there(struct flight *f, const struct result *r)
{
	struct part *p = container_of(f, struct part, flight);

	p->by = pthread_self();
	p->landed++;
	p->told = r;
	p->mark = r ? r->packed->message.at[r->packed->message.len - 1] : 0;
	there.landed++;
	if (there.landed + there.left == PAIRS)
		loop_stop(there.loop);
}

/* Every fifth leaves again, if it is not too late. */
static void *run_there(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < PAIRS; i++)
		flights_take_off(all, &there.parts[i].flight);
	sem_post(&there.ready);
	for (unsigned i = 0; i < PAIRS; i += 5)
		there.left += flights_leave(all, &there.parts[i].flight);
	if (there.landed + there.left < PAIRS)
		loop_run(there.loop);
	return NULL;
}

static void follow_from_there(void)
{
	there = (struct there){ .loop = loop_new() };
	OK(there.loop);
	sem_init(&there.ready, 0, 0);
	for (unsigned i = 0; i < PAIRS; i++) {
		struct part *p = &there.parts[i];

		p->key = key_in("a", i, &(struct key_scope){ .group = 0 });
		p->flight = (struct flight){ &p->key, there.loop, .landed = on_landed_there };
	}
	EQ(pthread_create(&there.thread, NULL, run_there, NULL), 0);
}

CASE(a_follower_in_another_thread_hears_in_its_own)
{
	static struct part leaders[PAIRS];

	begin();
	for (unsigned i = 0; i < PAIRS; i++) {
		leaders[i] = (struct part){ .key = key_in("a", i, &(struct key_scope){ 0 }) };
		leaders[i].flight = (struct flight){ &leaders[i].key, here, .landed = on_landed };
		OK(flights_take_off(all, &leaders[i].flight));
	}
	follow_from_there();
	sem_wait(&there.ready);
	for (unsigned i = 0; i < PAIRS; i++) { /* while some leave */
		if (i % 2)
			land(&leaders[i], true, (uint8_t)i);
		else
			flights_land(all, &leaders[i].flight, NULL);
	}
	EQ(pthread_join(there.thread, NULL), 0);
	EQ(there.landed + there.left, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++) {
		const struct part *p = &there.parts[i];

		OK(p->landed == 1 || (p->landed == 0 && i % 5 == 0));
		OK(!p->landed || pthread_equal(p->by, there.thread));
		OK(!p->landed || p->told == i % 2);
		OK(!p->told || p->mark == (uint8_t)i);
		EQ(leaders[i].landed, 0);
	}
	loop_free(there.loop);
	end();
}

/* ---- two threads that ask the same, again and again ---- */

#define ROUNDS 2000

/* One thread's wish to know. Who leads knows in the next turn, and asks again, as do those who
 * hear.
 */
struct asker {
	struct part part;
	struct loop *loop;
	struct said said;
	unsigned led, followed, rounds;
	struct task next, know;
};

static void on_asker_landed(struct flight *f, const struct result *r)
{
	struct asker *a = container_of(f, struct asker, part.flight);

	(void)r;
	a->followed++;
	loop_later(a->loop, &a->next);
}

static void know(struct task *t)
{
	struct asker *a = container_of(t, struct asker, know);
	const struct result r = { &a->said.packed, true };

	flights_land(all, &a->part.flight, a->rounds % 7 ? &r : NULL);
	a->led++;
	loop_later(a->loop, &a->next);
}

static void ask(struct task *t)
{
	struct asker *a = container_of(t, struct asker, next);

	if (a->rounds++ == ROUNDS) {
		loop_stop(a->loop);
		return;
	}
	a->part.key = key_in("a", a->rounds % 3, &(struct key_scope){ 0 });
	a->part.flight = (struct flight){ &a->part.key, a->loop, .landed = on_asker_landed };
	if (flights_take_off(all, &a->part.flight))
		loop_later(a->loop, &a->know);
}

static void *run_asker(void *arg)
{
	struct asker *a = arg;

	loop_later(a->loop, &a->next);
	loop_run(a->loop);
	return NULL;
}

CASE(of_threads_that_ask_the_same_each_leads_or_hears)
{
	static struct asker askers[2];
	pthread_t threads[2];

	all = flights_new();
	for (int i = 0; i < 2; i++) {
		askers[i] = (struct asker){
			.loop = loop_new(), .next = { .run = ask }, .know = { .run = know }
		};
		OK(askers[i].loop);
		say(&askers[i].said, "a", TYPE_A, 10, 1);
		EQ(pthread_create(&threads[i], NULL, run_asker, &askers[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		EQ(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < 2; i++) {
		EQ(askers[i].led + askers[i].followed, ROUNDS);
		loop_free(askers[i].loop);
	}
	flights_free(all);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_first_of_a_question_leads_and_others_follow),
		CLAIM(a_failure_is_told_too),
		CLAIM(where_nothing_came_of_it_followers_hear_that),
		CLAIM(who_comes_after_the_landing_leads),
		CLAIM(who_has_left_hears_nothing),
		CLAIM(where_all_have_left_a_landing_is_for_nobody),
		CLAIM(who_is_late_to_leave_will_hear),
		CLAIM(questions_in_the_same_place_are_told_apart),
		CLAIM(a_thousand_may_follow),
		CLAIM(a_follower_in_another_thread_hears_in_its_own),
		CLAIM(of_threads_that_ask_the_same_each_leads_or_hears),
	};

	return RUN(cases);
}
