#include "reload.h"

#include "announce.h"
#include "base/clock.h"
#include "base/log.h"
#include "upstream/addresses.h"
#include "upstream/same.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More octets than reading a configuration takes as a rule, with the system's certificates. */
#define READING_TAKES (16 * 1024 * 1024)

static struct loop *loop_of(const struct reload *r)
{
	return worker_loop(r->workers[0]);
}

/* ---- what came of it ---- */

static void log_failed(const struct reload *r, const char *fault)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "reload failed: nothing has changed");
	log_fmt(&l, "reload", "%u", r->number);
	log_str(&l, "reason", fault);
	log_str(&l, "hint", "`sotto check` says all that is wrong with a configuration");
	log_end(&l);
}

static void log_done(const struct reload *r)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "reloaded");
	log_fmt(&l, "reload", "%u", r->number); /* or one like the last would not be written */
	log_str(&l, "config", r->now->file ? r->now->file : "none");
	log_str(&l, "changed", *r->changed.at_once ? r->changed.at_once : "nothing");
	announce_upstreams(&l, r->now);
	log_end(&l);
	if (!*r->changed.after_restart)
		return;
	log_begin(&l, LOG_WARN, "only a restart changes some settings: they are what they were");
	log_str(&l, "settings", r->changed.after_restart);
	log_end(&l);
}

static void begin(struct reload *r);

/* The first line of the problems, in which file, line and column are. */
static const char *first_problem(const struct reload *r, char line[WORKER_WHY])
{
	const char *text = r->problems ? r->problems : "out of memory";

	snprintf(line, WORKER_WHY, "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

static const char *with_hint(struct reload *r, const char *fault, const char *hint)
{
	if (!hint)
		return fault;
	snprintf(r->fault, sizeof r->fault, "%s; %s", fault, hint);
	return r->fault;
}

static void finish(struct reload *r, const char *what)
{
	const char *hint = what ? r->owner->hint(r->owner->arg, what) : NULL;
	const char *fault = with_hint(r, what, hint);
	struct reload_result result = { .number = r->number,
		.fault = fault,
		.hint = hint,
		.problems = r->next || !fault ? NULL : r->problems,
		.changed = &r->changed,
		.at_ms = clock_since_boot_ms() };

	if (fault) {
		log_failed(r, fault);
	} else {
		config_free(r->now);
		r->now = config_share(r->next);
		log_done(r);
	}
	r->owner->over(r->owner->arg, &result, r->now);
	config_free(r->next);
	r->next = NULL;
	free(r->problems);
	r->problems = NULL;
	r->phase = RELOAD_IDLE;
	if (r->stopped)
		r->stopped(r->stopped_arg);
	else if (r->again)
		begin(r);
}

/* ---- visits ---- */

static void come_home(void *arg)
{
	struct reload *r = arg;

	r->home(r);
}

/* In the thread of the worker that is next. */
static void on_visit(void *arg)
{
	struct reload *r = arg;

	r->visit(r, r->workers[r->visited]);
	if (++r->visited < r->worker_count)
		loop_post(worker_loop(r->workers[r->visited]), &r->post, on_visit, r);
	else
		loop_post(loop_of(r), &r->post, come_home, r);
}

/* One worker after the other, each in its own thread; then home() in the first one's. */
static void visit_all(struct reload *r, void (*visit)(struct reload *, struct worker *),
	void (*home)(struct reload *))
{
	r->phase = RELOAD_VISITING;
	r->visit = visit;
	r->home = home;
	r->visited = 0;
	loop_post(loop_of(r), &r->post, on_visit, r);
}

static void prepare(struct reload *r, struct worker *w)
{
	if (!r->failed)
		r->failed = worker_prepare(w, r->next, worker_sharing(r->visited, r->worker_count),
				    r->why) < 0;
}

static void swap(struct reload *r, struct worker *w)
{
	worker_swap(w, &r->files);
}

static void forget(struct reload *r, struct worker *w)
{
	(void)r;
	worker_forget(w);
}

static void on_swapped(struct reload *r)
{
	finish(r, NULL);
}

static void on_forgotten(struct reload *r)
{
	finish(r, r->why);
}

static void on_prepared(struct reload *r)
{
	if (r->failed) {
		visit_all(r, forget, on_forgotten);
		return;
	}
	/* What all share changes first. */
	log_set_level(r->next->log_level);
	clock_await_synchronisation(r->next->await_clock);
	if (r->cache)
		cache_tune(r->cache, &r->next->cache);
	visit_all(r, swap, on_swapped);
}

/* ---- reading, in a thread that serves nobody ---- */

/* Who reads a configuration ends the process when there is no memory for it (config/memory.h), and
 * libfyaml does worse. So it is begun only where there is plenty. */
static bool is_there_room(void)
{
	void *volatile room = malloc(READING_TAKES); /* or the compiler would do without */
	bool there = room;

	free(room);
	return there;
}

static void on_read(struct work *w)
{
	struct reload *r = container_of(w, struct reload, work);
	size_t len;
	FILE *problems = is_there_room() ? open_memstream(&r->problems, &len) : NULL;

	if (!problems)
		return;
	struct config_sources from = *r->sources;

	from.again = true;
	from.before = r->now->front;
	r->next = config_new(&from, problems);
	fclose(problems);
	if (!r->next)
		return;
	changed_find(&r->changed, r->now, r->next);
	changed_keep(r->next, r->now);
	addresses_load(&r->next->upstream);
	if (same_number(&r->next->upstream, &r->now->upstream) && r->cache)
		cache_flush_all(r->cache);
}

/* Nobody looks at the workers. */
static void on_held(void *arg)
{
	struct reload *r = arg;

	if (r->phase == RELOAD_HOLDING)
		visit_all(r, prepare, on_prepared);
}

static void on_read_over(struct work *w)
{
	struct reload *r = container_of(w, struct reload, work);
	char line[WORKER_WHY];

	if (r->stopped)
		return;
	if (!r->next) {
		finish(r, first_problem(r, line));
		return;
	}
	const char *why = r->owner->admit(r->owner->arg, r->next, &r->files);

	if (why) {
		finish(r, why);
		return;
	}
	r->phase = RELOAD_HOLDING;
	if (r->owner->hold)
		r->owner->hold(r->owner->arg, on_held, r);
	else
		on_held(r);
}

/* ---- asking for one ---- */

static void on_unread(void *arg)
{
	struct reload *r = arg;

	on_read_over(&r->work);
}

static void begin(struct reload *r)
{
	r->phase = RELOAD_READING;
	r->again = r->failed = false;
	r->number++;
	r->changed.at_once[0] = r->changed.after_restart[0] = '\0';
	r->owner->begun(r->owner->arg);
	if (loop_work(loop_of(r), &r->work) < 0)
		loop_post(loop_of(r), &r->post, on_unread, r); /* out of memory */
}

unsigned reload_ask(struct reload *r)
{
	if (r->stopped)
		return r->number + 1; /* which never is: the end cuts off whoever waits */
	r->again = r->phase != RELOAD_IDLE;
	if (!r->again)
		begin(r);
	return r->number + r->again;
}

void reload_stop(struct reload *r, void (*stopped)(void *arg), void *arg)
{
	r->stopped = stopped;
	r->stopped_arg = arg;
	if (r->phase == RELOAD_VISITING)
		return; /* finish() tells */
	r->phase = RELOAD_IDLE;
	stopped(arg);
}

/* ---- life ---- */

void reload_init(struct reload *r)
{
	r->work = (struct work){ on_read, on_read_over };
}

void reload_clear(struct reload *r)
{
	config_free(r->now);
	config_free(r->next);
	free(r->problems);
}
