#include "base/loop.h"

#include "base/bug.h"
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

#define WORK_THREADS "2"

/* A call from another thread. */
struct posted {
	struct posted *next;
	void (*run)(void *);
	void *arg;
};

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

struct loop {
	uv_loop_t uv;
	uv_prepare_t before_sleep;
	uv_check_t after_sleep;
	uv_timer_t alarm; /* for the earliest timer */
	uint64_t alarm_at_ms; /* 0: not set */
	uint64_t now_us; /* 0: not read in this turn */
	int64_t since_boot_ms; /* likewise */
	struct timers timers;
	struct list tasks;
	uv_async_t wake;
	pthread_mutex_t post_lock;
	struct posted *posted, **posted_end;
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
	return uv_now(&l->uv);
}

uint64_t loop_now_us(struct loop *l)
{
	if (!l->now_us)
		l->now_us = uv_hrtime() / 1000;
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

static void on_alarm(uv_timer_t *alarm)
{
	struct loop *l = alarm->data;
	struct timer *t;

	l->alarm_at_ms = 0;
	while ((t = timers_take_due(&l->timers, loop_now(l))))
		t->fire(t);
}

static void set_alarm(struct loop *l)
{
	const struct timer *t = l->timers.earliest;
	uint64_t at = t ? t->at_ms : 0;

	if (at == l->alarm_at_ms)
		return;
	l->alarm_at_ms = at;
	if (t)
		uv_timer_start(&l->alarm, on_alarm, at > loop_now(l) ? at - loop_now(l) : 0, 0);
	else
		uv_timer_stop(&l->alarm);
}

/* ---- turns ---- */

static void on_before_sleep(uv_prepare_t *p)
{
	struct loop *l = p->data;

	run_tasks(l);
	set_alarm(l);
	l->now_us = 0;
	l->since_boot_ms = 0;
}

static void on_after_sleep(uv_check_t *c)
{
	run_tasks(c->data);
}

/* ---- file descriptors ---- */

/* The handle is the first member: closing it frees the whole. */
struct poll {
	uv_poll_t uv;
	struct watch *watch;
	int events; /* libuv's */
};

static void on_ready(uv_poll_t *uv, int status, int events)
{
	struct poll *p = uv->data;
	int ready =
		(events & UV_READABLE ? LOOP_READ : 0) | (events & UV_WRITABLE ? LOOP_WRITE : 0);

	/* A status is an error of the descriptor; reading from it tells which, but perhaps only
	 * after what came before the error. libuv has stopped watching: it goes on until the
	 * owner has heard of the error. */
	if (status < 0) {
		uv_poll_start(uv, p->events, on_ready);
		ready = LOOP_READ | LOOP_WRITE;
	}
	p->watch->ready(p->watch, ready);
}

static struct poll *poll_new(struct loop *l, struct watch *w, int fd, int *err)
{
	struct poll *p = malloc(sizeof *p);

	*err = p ? uv_poll_init(&l->uv, &p->uv, fd) : -ENOMEM;
	if (*err) {
		free(p);
		return NULL;
	}
	p->uv.data = p;
	p->watch = w;
	return p;
}

int watch_start(struct loop *l, struct watch *w, int fd, int events)
{
	int err;

	if (!w->handle)
		w->handle = poll_new(l, w, fd, &err);
	struct poll *p = w->handle;

	if (!p)
		return err;
	p->events =
		(events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
	return uv_poll_start(&p->uv, p->events, on_ready);
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

void watch_stop(struct watch *w)
{
	if (!w->handle)
		return;
	struct poll *p = w->handle;

	uv_close((uv_handle_t *)&p->uv, free_handle);
	w->handle = NULL;
}

/* ---- signals ---- */

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
	return uv_signal_start(&s->uv, on_signal, signal_number);
}

/* ---- other threads ---- */

static void on_wake(uv_async_t *a)
{
	struct loop *l = a->data;

	pthread_mutex_lock(&l->post_lock);
	struct posted *p = l->posted;

	l->posted = NULL;
	l->posted_end = &l->posted;
	pthread_mutex_unlock(&l->post_lock);
	while (p) {
		struct posted *done = p;

		p->run(p->arg);
		p = p->next;
		free(done);
	}
}

void loop_post(struct loop *l, void (*run)(void *), void *arg)
{
	struct posted *p = malloc(sizeof *p);

	MUST(p); /* for what people ask for, now and then: without it the process cannot be ended
		    in order */
	*p = (struct posted){ NULL, run, arg };
	pthread_mutex_lock(&l->post_lock);
	*l->posted_end = p;
	l->posted_end = &p->next;
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

static void cancel_jobs(struct loop *l)
{
	for (struct list *node = l->jobs.next; node != &l->jobs; node = node->next)
		uv_cancel((uv_req_t *)&container_of(node, struct job, node)->uv);
}

/* ---- life ---- */

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	/* How many threads loop_work() has: libuv reads it when it first needs one. The first loop
	 * is made before there is any other thread that could read the environment. */
	setenv("UV_THREADPOOL_SIZE", WORK_THREADS, 0);
	if (uv_loop_init(&l->uv)) {
		free(l);
		return NULL;
	}
	list_init(&l->tasks);
	list_init(&l->jobs);
	pthread_mutex_init(&l->post_lock, NULL);
	l->posted_end = &l->posted;
	l->before_sleep.data = l->after_sleep.data = l->alarm.data = l->wake.data = l;
	uv_prepare_init(&l->uv, &l->before_sleep);
	uv_check_init(&l->uv, &l->after_sleep);
	uv_timer_init(&l->uv, &l->alarm);
	if (uv_async_init(&l->uv, &l->wake, on_wake)) {
		loop_free(l);
		return NULL;
	}
	uv_prepare_start(&l->before_sleep, on_before_sleep);
	uv_check_start(&l->after_sleep, on_after_sleep);
	return l;
}

void loop_run(struct loop *l)
{
	uv_update_time(&l->uv);
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
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
	uv_walk(&l->uv, close_handle, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	MUST(uv_loop_close(&l->uv) == 0);
	pthread_mutex_destroy(&l->post_lock);
	free(l);
}
