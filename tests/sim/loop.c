/* The loop of a simulated world: see world.h. No descriptor, signal or other thread exists here. */
#include "base/loop.h"

#include "base/bug.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>

/* The clock does not start at 0, which the daemon may take for "never". */
#define BEGINNING_MS 1000000
/* More than this in one millisecond is a daemon that spins. */
#define DISPATCHED_MAX 1000000

struct loop {
	struct world world;
	struct timers timers;
	struct list tasks;
	uint64_t now_ms;
	unsigned at_once; /* dispatched in this millisecond */
};

static struct loop *only;

struct posted {
	struct event event;
	struct post *post;
};

struct loop *loop_only(void)
{
	MUST(only);
	return only;
}

/* One more event, timer or task is about to run. */
static void dispatch(struct loop *l)
{
	bool time_stands_still = ++l->at_once > DISPATCHED_MAX;

	MUST(!time_stands_still);
	l->world.dispatched++;
}

/* ---- tasks and timers ---- */

void loop_later(struct loop *l, struct task *t)
{
	if (t->waiting)
		return;
	t->waiting = true;
	list_push(&l->tasks, &t->node);
}

void loop_cancel(struct task *t)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	list_remove(&t->node);
}

static void run_tasks(struct loop *l)
{
	struct list *node;

	while ((node = list_first(&l->tasks))) {
		struct task *t = container_of(node, struct task, node);

		loop_cancel(t);
		dispatch(l);
		t->run(t);
	}
}

uint64_t loop_now(const struct loop *l)
{
	return l->now_ms;
}

uint64_t loop_now_us(const struct loop *l)
{
	return l->now_ms * 1000;
}

int64_t loop_since_boot(struct loop *l)
{
	return (int64_t)(l->now_ms + l->world.slept_ms);
}

void timer_start(struct loop *l, struct timer *t, uint64_t after_ms)
{
	timers_add(&l->timers, t, l->now_ms + (after_ms ? after_ms : 1));
}

void timer_stop(struct loop *l, struct timer *t)
{
	timers_remove(&l->timers, t);
}

/* ---- events ---- */

struct world *loop_world(struct loop *l)
{
	return &l->world;
}

int world_denies(struct loop *l, enum need need)
{
	const struct peers *p = l->world.peers;

	return p && p->denied ? p->denied(l->world.arg, need) : 0;
}

void event_post(struct loop *l, struct event *e, uint64_t at_ms)
{
	struct list *after = l->world.events.prev;

	MUST(!e->waiting && at_ms >= l->now_ms);
	e->at_ms = at_ms;
	e->waiting = true;
	while (after != &l->world.events && container_of(after, struct event, node)->at_ms > at_ms)
		after = after->prev;
	/* Behind `after` is in front of its successor, where a push to that "list" puts it. */
	list_push(after->next, &e->node);
}

void event_cancel(struct event *e)
{
	if (!e->waiting)
		return;
	e->waiting = false;
	list_remove(&e->node);
}

static struct event *next_event(struct loop *l)
{
	struct list *node = list_first(&l->world.events);

	return node ? container_of(node, struct event, node) : NULL;
}

static size_t count_timers(const struct timer *t)
{
	size_t n = 0;

	for (; t; t = t->next)
		n += 1 + count_timers(t->child);
	return n;
}

size_t loop_timers(const struct loop *l)
{
	return count_timers(l->timers.earliest);
}

size_t loop_tasks(const struct loop *l)
{
	size_t n = 0;

	for (const struct list *node = l->tasks.next; node != &l->tasks; node = node->next)
		n++;
	return n;
}

/* ---- turns ---- */

static uint64_t next_moment(struct loop *l)
{
	const struct event *e = next_event(l);
	const struct timer *t = l->timers.earliest;
	uint64_t at = e ? e->at_ms : UINT64_MAX;

	return t && t->at_ms < at ? t->at_ms : at;
}

/* The events that wait when the turn begins; what they cause comes in the next one. */
static void run_events(struct loop *l)
{
	struct list due;
	struct list *node;

	list_init(&due);
	for (struct event *e; (e = next_event(l)) && e->at_ms <= l->now_ms;) {
		list_remove(&e->node);
		list_push(&due, &e->node);
	}
	while ((node = list_first(&due))) {
		struct event *e = container_of(node, struct event, node);
		bool owned = e->owned;

		event_cancel(e);
		dispatch(l);
		e->happen(e);
		if (owned)
			free(e);
	}
}

static void turn(struct loop *l)
{
	struct timer *t;

	run_events(l);
	while ((t = timers_take_due(&l->timers, l->now_ms))) {
		dispatch(l);
		t->fire(t);
	}
	run_tasks(l);
}

void loop_run(struct loop *l)
{
	unsigned stops = l->world.stops;

	run_tasks(l);
	while (l->world.stops == stops) {
		uint64_t next = next_moment(l);

		if (next > l->now_ms) {
			l->world.peers->moment_over(l->world.arg, next);
			next = next_moment(l); /* which may be a nearer one now */
			l->at_once = 0;
		}
		if (next == UINT64_MAX)
			return;
		if (next > l->now_ms)
			l->now_ms = next;
		turn(l);
	}
}

void loop_stop(struct loop *l)
{
	l->world.stops++;
}

/* ---- what does not exist here ---- */

int watch_start(struct loop *l, struct watch *w, int fd, int events)
{
	(void)l, (void)w, (void)fd, (void)events;
	return -ENOSYS;
}

void watch_stop(struct watch *w)
{
	(void)w;
}

int loop_on_signal(struct loop *l, int signal_number, void (*handle)(void *, int), void *arg)
{
	(void)l, (void)signal_number, (void)handle, (void)arg;
	return 0;
}

static void on_posted(struct event *e)
{
	struct post *p = container_of(e, struct posted, event)->post;

	p->waiting = false;
	p->run(p->arg);
}

void loop_post(struct loop *l, struct post *post, void (*run)(void *arg), void *arg)
{
	struct posted *p = post->waiting ? NULL : calloc(1, sizeof *p);

	if (post->waiting)
		return;
	MUST(p);
	*post = (struct post){ NULL, true, run, arg };
	p->event = (struct event){ .owned = true, .happen = on_posted };
	p->post = post;
	event_post(l, &p->event, l->now_ms);
}

/* What is done elsewhere is done at once. */
struct job {
	struct event event;
	struct work *work;
};

static void on_job_over(struct event *e)
{
	struct work *work = container_of(e, struct job, event)->work;

	work->done(work);
}

int loop_work(struct loop *l, struct work *work)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return -ENOMEM;
	work->run(work);
	job->event = (struct event){ .owned = true, .happen = on_job_over };
	job->work = work;
	event_post(l, &job->event, l->now_ms);
	return 0;
}

/* ---- life ---- */

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	MUST(!only);
	only = l;
	l->now_ms = BEGINNING_MS;
	list_init(&l->tasks);
	list_init(&l->world.events);
	list_init(&l->world.wires);
	list_init(&l->world.sockets);
	list_init(&l->world.acceptors);
	list_init(&l->world.askings);
	return l;
}

void loop_free(struct loop *l)
{
	struct list *node;

	if (!l)
		return;
	run_tasks(l);
	while ((node = list_first(&l->world.events))) {
		struct event *e = container_of(node, struct event, node);

		event_cancel(e);
		if (e->owned)
			free(e);
	}
	while ((node = list_first(&l->world.wires))) {
		struct wire *w = container_of(node, struct wire, node);

		list_remove(node);
		buf_clear(&w->early);
		free(w);
	}
	only = NULL;
	free(l);
}
