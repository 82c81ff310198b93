/* loop: see loop.h.
 *
 * Descriptors and timers are ours, by epoll(7); signals, calls from other threads, and work in them
 * are libuv's, whose loop is one of our descriptors (docs/decisions/008-descriptors-of-our-own.md).
 */
#include "base/loop.h"

#include "base/bug.h"
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#define WORK_THREADS 2
#define TEXT_OF(x)   #x
#define TEXT(x)      TEXT_OF(x)
/* Descriptors that are looked at in one turn. */
#define READY_MAX 256

struct signal {
	uv_signal_t uv;
	void (*handle)(void *, int);
	void *arg;
};

/* Work of another thread for this loop. */
struct job {
	uv_work_t uv;
	struct list node; /* in loop->jobs */
	struct loop *loop;
	struct work *work;
};

/* A descriptor that is watched. Outlives its watch until the turn is over, as the kernel may have
 * told of it already. */
struct poll {
	struct list node; /* in loop->polls, or in loop->dead */
	struct loop *loop;
	struct watch *watch; /* NULL: not any more */
	int fd;
	uint32_t events; /* EPOLL...; 0: not known to the kernel */
};

struct loop {
	uv_loop_t uv;
	int fd; /* epoll's */
	bool stopped;
	bool uv_changed; /* it has something new to watch */
	uint64_t now_us; /* at the start of the turn */
	int64_t since_boot_ms; /* 0: not read in this turn */
	struct timers timers;
	struct list tasks, polls, dead;
	uv_async_t wake;
	pthread_mutex_t post_lock;
	struct post *posted, **posted_end; /* by other threads, under that lock */
	size_t posted_count;
	struct list jobs;
	bool ending; /* loop_free() was called */
};

/* ---- tasks ---- */

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
		t->run(t);
	}
}

/* ---- timers ---- */

uint64_t loop_now(const struct loop *l)
{
	return l->now_us / 1000;
}

uint64_t loop_now_us(const struct loop *l)
{
	return l->now_us;
}

int64_t loop_since_boot(struct loop *l)
{
	if (!l->since_boot_ms)
		l->since_boot_ms = clock_since_boot_ms();
	return l->since_boot_ms;
}

void timer_start(struct loop *l, struct timer *t, uint64_t after_ms)
{
	/* At least 1, so that a timer started by its own firing waits for another turn. */
	timers_add(&l->timers, t, loop_now(l) + (after_ms ? after_ms : 1));
}

void timer_stop(struct loop *l, struct timer *t)
{
	timers_remove(&l->timers, t);
}

static void fire_timers(struct loop *l)
{
	struct timer *t;

	while ((t = timers_take_due(&l->timers, loop_now(l))))
		t->fire(t);
}

/* Until the next timer; -1: there is none. */
static int time_to_sleep(const struct loop *l)
{
	const struct timer *t = l->timers.earliest;
	uint64_t now = t ? uv_hrtime() / 1000000 : 0;

	if (!t)
		return -1;
	if (t->at_ms <= now)
		return 0;
	return t->at_ms - now < INT_MAX ? (int)(t->at_ms - now) : INT_MAX;
}

/* ---- file descriptors ---- */

static uint32_t to_epoll(int events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
		(events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0) |
		(events & LOOP_SHARED ? (uint32_t)EPOLLEXCLUSIVE : 0);
}

/* An error of the descriptor is told by whoever reads or writes. */
static int from_epoll(const struct poll *p, uint32_t events)
{
	if (events & EPOLLERR)
		events |= EPOLLIN | EPOLLOUT;
	if (events & EPOLLHUP)
		events |= p->events;
	return ((events & EPOLLIN) ? LOOP_READ : 0) | ((events & EPOLLOUT) ? LOOP_WRITE : 0);
}

/* Tells the kernel. What is watched for nothing is taken out, or errors would be told all the same.
 */
static int set_events(struct poll *p, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = p };
	int how = !events ? EPOLL_CTL_DEL : p->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (events == p->events)
		return 0;
	p->events = events;
	return epoll_ctl(p->loop->fd, how, p->fd, &e) < 0 ? -errno : 0;
}

static void poll_bury(struct poll *p)
{
	p->watch->handle = NULL;
	p->watch = NULL;
	list_remove(&p->node);
	list_push(&p->loop->dead, &p->node);
}

static struct poll *poll_new(struct loop *l, struct watch *w, int fd)
{
	struct poll *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->loop = l;
	p->watch = w;
	p->fd = fd;
	list_push(&l->polls, &p->node);
	w->handle = p;
	return p;
}

int watch_start(struct loop *l, struct watch *w, int fd, int events)
{
	struct poll *p = w->handle ? w->handle : poll_new(l, w, fd);
	int err = p ? set_events(p, to_epoll(events)) : -ENOMEM;

	if (p && err < 0)
		poll_bury(p);
	return err;
}

void watch_stop(struct watch *w)
{
	struct poll *p = w->handle;

	if (!p)
		return;
	set_events(p, 0);
	poll_bury(p);
}

void watch_close(struct watch *w, int fd)
{
	if (w->handle)
		poll_bury(w->handle);
	close(fd);
}

static void free_polls(struct list *polls)
{
	list_each_safe (node, polls) {
		list_remove(node);
		free(container_of(node, struct poll, node));
	}
}

/* ---- turns ---- */

static void take_ready(struct loop *l, const struct epoll_event *ready, int count)
{
	for (int i = 0; i < count; i++) {
		struct poll *p = ready[i].data.ptr;

		if (!p)
			l->uv_changed = true;
		else if (p->watch)
			p->watch->ready(p->watch, from_epoll(p, ready[i].events));
	}
	free_polls(&l->dead);
}

static void start_turn(struct loop *l)
{
	l->now_us = uv_hrtime() / 1000;
	l->since_boot_ms = 0;
}

void loop_run(struct loop *l)
{
	struct epoll_event ready[READY_MAX];

	l->stopped = false;
	start_turn(l);
	while (!l->stopped) {
		if (l->uv_changed) {
			l->uv_changed = false;
			uv_run(&l->uv, UV_RUN_NOWAIT);
		}
		fire_timers(l);
		run_tasks(l);
		if (l->stopped)
			break;
		int n = epoll_wait(l->fd, ready, READY_MAX, time_to_sleep(l));

		start_turn(l);
		take_ready(l, ready, n);
	}
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

/* ---- signals ---- */

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void on_signal(uv_signal_t *uv, int signal_number)
{
	struct signal *s = uv->data;

	s->handle(s->arg, signal_number);
}

int loop_on_signal(struct loop *l, int signal_number, void (*handle)(void *, int), void *arg)
{
	struct signal *s = malloc(sizeof *s);

	if (!s)
		return -ENOMEM;
	s->handle = handle;
	s->arg = arg;
	int err = uv_signal_init(&l->uv, &s->uv);

	if (err) {
		free(s);
		return err;
	}
	s->uv.data = s; /* the handle is the first member: closing it frees the whole */
	l->uv_changed = true;
	return uv_signal_start(&s->uv, on_signal, signal_number);
}

/* ---- other threads ---- */

/* The oldest post, out of the list, as a copy: from here on it may be posted again, or be gone. */
static struct post take_post(struct loop *l)
{
	pthread_mutex_lock(&l->post_lock);
	struct post *p = l->posted, copy = *p;

	l->posted = p->next;
	if (!l->posted)
		l->posted_end = &l->posted;
	l->posted_count--;
	p->waiting = false;
	pthread_mutex_unlock(&l->post_lock);
	return copy;
}

/* Those that come meanwhile wake the loop again. */
static void on_wake(uv_async_t *a)
{
	struct loop *l = a->data;

	pthread_mutex_lock(&l->post_lock);
	size_t count = l->posted_count;
	pthread_mutex_unlock(&l->post_lock);
	while (count--) {
		struct post p = take_post(l);

		p.run(p.arg);
	}
}

void loop_post(struct loop *l, struct post *p, void (*run)(void *arg), void *arg)
{
	pthread_mutex_lock(&l->post_lock);
	if (!p->waiting) {
		*p = (struct post){ NULL, true, run, arg };
		*l->posted_end = p;
		l->posted_end = &p->next;
		l->posted_count++;
	}
	pthread_mutex_unlock(&l->post_lock);
	uv_async_send(&l->wake);
}

/* ---- work ---- */

static void on_job(uv_work_t *uv)
{
	struct job *job = uv->data;

	job->work->run(job->work);
}

static void on_job_over(uv_work_t *uv, int status)
{
	struct job *job = uv->data;
	struct work *work = job->work;
	bool tell = !job->loop->ending;

	(void)status; /* is one of a loop that ends */
	list_remove(&job->node);
	free(job);
	if (tell)
		work->done(work);
}

int loop_work(struct loop *l, struct work *work)
{
	struct job *job = malloc(sizeof *job);

	if (!job)
		return -ENOMEM;
	job->loop = l;
	job->work = work;
	job->uv.data = job;
	int err = uv_queue_work(&l->uv, &job->uv, on_job, on_job_over);

	if (err) {
		free(job);
		return err;
	}
	list_push(&l->jobs, &job->node);
	return 0;
}

static void *end_at_once(void *arg)
{
	return arg;
}

/* libuv ends the process where it cannot make a thread: so as many are made before. */
static int try_threads(void)
{
	pthread_t threads[WORK_THREADS];
	int count = 0, err = 0;

	while (count < WORK_THREADS && !err) {
		err = pthread_create(&threads[count], NULL, end_at_once, NULL);
		count += !err;
	}
	while (count)
		pthread_join(threads[--count], NULL);
	return -err;
}

static void do_nothing(struct work *w)
{
	(void)w;
}

int loop_make_helpers(struct loop *l)
{
	static struct work nothing = { do_nothing, do_nothing };
	int err = try_threads();

	return err ? err : loop_work(l, &nothing);
}

static void cancel_jobs(struct loop *l)
{
	for (struct list *node = l->jobs.next; node != &l->jobs; node = node->next)
		uv_cancel((uv_req_t *)&container_of(node, struct job, node)->uv);
}

/* ---- life ---- */

/* Its loop tells by its own descriptor that there is something to do. */
static bool watch_uv(struct loop *l)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };

	l->fd = epoll_create1(EPOLL_CLOEXEC);
	return l->fd >= 0 && epoll_ctl(l->fd, EPOLL_CTL_ADD, uv_backend_fd(&l->uv), &e) == 0;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	/* How many threads loop_work() has: libuv reads it when it first needs one. The first loop
	 * is made before there is any other thread that could read the environment. */
	setenv("UV_THREADPOOL_SIZE", TEXT(WORK_THREADS), 0);
	if (uv_loop_init(&l->uv)) {
		free(l);
		return NULL;
	}
	list_init(&l->tasks);
	list_init(&l->jobs);
	pthread_mutex_init(&l->post_lock, NULL);
	l->posted_end = &l->posted;
	list_init(&l->polls);
	list_init(&l->dead);
	l->wake.data = l;
	l->fd = -1;
	l->uv_changed = true;
	start_turn(l);
	if (uv_async_init(&l->uv, &l->wake, on_wake) || !watch_uv(l)) {
		loop_free(l);
		return NULL;
	}
	return l;
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, h->type == UV_SIGNAL ? free_handle : NULL);
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	l->ending = true;
	run_tasks(l);
	cancel_jobs(l);
	free_polls(&l->polls);
	free_polls(&l->dead);
	if (l->fd >= 0)
		close(l->fd);
	uv_walk(&l->uv, close_handle, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	MUST(uv_loop_close(&l->uv) == 0);
	pthread_mutex_destroy(&l->post_lock);
	free(l);
}
