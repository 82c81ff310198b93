#include "base/loop.h"

#include "case.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

/* Long enough for a thread that has nothing else to do, short enough for nobody to notice. */
#define MOMENT_MS 50

/* ---- work ---- */

struct deed {
	struct work work;
	struct loop *loop;
	pthread_t run_by, done_by;
	int runs, dones;
};

static void run(struct work *w)
{
	struct deed *d = container_of(w, struct deed, work);

	d->run_by = pthread_self();
	d->runs++;
}

static void done(struct work *w)
{
	struct deed *d = container_of(w, struct deed, work);

	d->done_by = pthread_self();
	d->dones++;
	if (d->dones == 1)
		EQ(loop_work(d->loop, w), 0);
	else
		loop_stop(d->loop);
}

CASE(work_runs_in_another_thread_is_done_in_ours_and_can_be_given_again)
{
	struct loop *l = loop_new();
	struct deed d = { .work = { run, done }, .loop = l };

	EQ(loop_work(l, &d.work), 0);
	EQ(d.dones, 0);
	loop_run(l);
	EQ(d.runs, 2);
	EQ(d.dones, 2);
	OK(!pthread_equal(d.run_by, pthread_self()));
	OK(pthread_equal(d.done_by, pthread_self()));
	loop_free(l);
}

static atomic_int at_work, most_at_work;
static atomic_int finished;
static sem_t somebody_came;

/* Gives others a moment to come as well. */
static void gather(struct work *w)
{
	int n = ++at_work;
	const struct timespec moment = { .tv_nsec = MOMENT_MS * 1000000L };

	(void)w;
	if (n > most_at_work)
		most_at_work = n;
	sem_post(&somebody_came);
	nanosleep(&moment, NULL);
	at_work--;
	finished++;
}

static struct loop *gathering;
static int gathered;

static void count(struct work *w)
{
	(void)w;
	if (++gathered == 5)
		loop_stop(gathering);
}

CASE(two_threads_do_the_work_of_all_loops)
{
	struct work works[5];

	most_at_work = 0;
	gathered = 0;
	sem_init(&somebody_came, 0, 0);
	gathering = loop_new();
	for (int i = 0; i < 5; i++) {
		works[i] = (struct work){ gather, count };
		EQ(loop_work(gathering, &works[i]), 0);
	}
	loop_run(gathering);
	EQ(gathered, 5);
	EQ(most_at_work, 2);
	loop_free(gathering);
}

CASE(freeing_the_loop_waits_for_what_runs_and_drops_what_does_not)
{
	struct work works[5];

	finished = 0;
	gathered = 0;
	sem_init(&somebody_came, 0, 0);
	gathering = loop_new();
	for (int i = 0; i < 5; i++) {
		works[i] = (struct work){ gather, count };
		EQ(loop_work(gathering, &works[i]), 0);
	}
	sem_wait(&somebody_came);
	sem_wait(&somebody_came);
	loop_free(gathering);
	EQ(finished, 2);
	EQ(gathered, 0);
}

static void never(void *arg)
{
	(void)arg;
	OK(false);
}

CASE(what_is_posted_when_the_loop_has_ended_never_runs)
{
	struct loop *l = loop_new();
	struct post post = { 0 };

	loop_post(l, &post, never, NULL);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(work_runs_in_another_thread_is_done_in_ours_and_can_be_given_again),
		CLAIM(two_threads_do_the_work_of_all_loops),
		CLAIM(freeing_the_loop_waits_for_what_runs_and_drops_what_does_not),
		CLAIM(what_is_posted_when_the_loop_has_ended_never_runs),
	};

	return RUN(cases);
}
