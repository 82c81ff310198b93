#include "crew.h"

#include "base/clock.h"
#include "base/log.h"
#include "changes.h"
#include "confine.h"
#include "control/control.h"
#include "control/place.h"
#include "query/shared.h"
#include "saved_cache.h"
#include "saved_time.h"
#include "service.h"
#include "watchdog.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that each server may need in each worker: its connection, and the one after it. */
#define FILES_PER_SERVER 2
/* Descriptors for what is opened for a moment only. */
#define FILES_SPARE 8
/* Turns between the signal and the end, for what the kernel has taken for us by then. */
#define LAST_TURNS 5

struct member {
	struct worker *worker;
	pthread_t thread; /* of all but the first */
	struct post drain, changes[CHANGES]; /* what it is told */
};

struct crew {
	struct member *members;
	unsigned count, started;
	struct control *control; /* NULL: there is none */
	struct changes changes;
	struct query_shared shared;
	int stop_signal; /* 0: none yet */
	struct timer turn;
	unsigned turns_left;
	struct saved_time saved_time;
	struct saved_cache saved_cache;
	struct service service;
	struct watchdog watchdog;
	struct sandbox sandbox;
};

static struct loop *loop_of(const struct crew *crew, unsigned i)
{
	return worker_loop(crew->members[i].worker);
}

/* ---- the end ---- */

static void drain_from(struct crew *crew, unsigned first)
{
	for (unsigned i = first; i < crew->started; i++) {
		struct member *m = &crew->members[i];

		loop_post(loop_of(crew, i), &m->drain, worker_drain, m->worker);
	}
}

static void drain_all(void *arg)
{
	drain_from(arg, 0);
}

/* Connections and queries that came before the signal may still be with the kernel: closing at once
 * would reset them. */
static void on_last_turn(struct timer *t)
{
	struct crew *crew = container_of(t, struct crew, turn);
	struct log_line l;

	if (crew->turns_left--) {
		timer_start(loop_of(crew, 0), t, 1);
		return;
	}
	log_begin(&l, LOG_INFO, "stopping: answering what is in flight");
	log_str(&l, "signal", strsignal(crew->stop_signal));
	log_end(&l);
	/* A worker that has drained would not take what it is told. */
	changes_unwatch(&crew->changes);
	watchdog_stop(&crew->watchdog);
	/* First, since it visits workers, which stop when they have drained. */
	if (crew->control)
		control_stop(crew->control, drain_all, crew);
	else
		drain_all(crew);
}

static void on_stop_signal(void *arg, int signal_number)
{
	struct crew *crew = arg;

	if (crew->stop_signal)
		_exit(1); /* asked twice: somebody does not want to wait */
	crew->stop_signal = signal_number;
	service_stopping(&crew->service);
	crew->turns_left = LAST_TURNS;
	crew->turn.fire = on_last_turn;
	timer_start(loop_of(crew, 0), &crew->turn, 1);
}

/* ---- the beginning ---- */

static void *run_thread(void *arg)
{
	loop_run(worker_loop(arg));
	return NULL;
}

static bool build_all(struct crew *crew, const struct config *conf)
{
	if (!shared_init(&crew->shared, &conf->cache, conf->workers))
		return false;
	crew->members = calloc(conf->workers, sizeof *crew->members);
	if (!crew->members)
		return false;
	for (; crew->count < conf->workers; crew->count++) {
		enum sharing sharing = conf->workers == 1 ? BIND_ALONE
			: crew->count == 0                ? BIND_FIRST
							  : BIND_NEXT;
		struct worker *w = worker_new(conf, &crew->shared);

		crew->members[crew->count].worker = w;
		if (!w)
			return false;
		if (worker_listen(w, sharing) < 0) {
			crew->count++;
			return false;
		}
	}
	return true;
}

/* Signals are for the first worker's loop; the threads of the others inherit a mask without them,
 * but for the one by which a strict sandbox tells. */
static bool start_threads(struct crew *crew)
{
	sigset_t all, before;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (crew->started = 1; crew->started < crew->count; crew->started++) {
		struct member *m = &crew->members[crew->started];
		int err = pthread_create(&m->thread, NULL, run_thread, m->worker);

		if (err) {
			log_say(LOG_ERROR, "cannot start a thread");
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return crew->started == crew->count;
}

static void add_count(void *arg, const char *name, const char *help, uint64_t value)
{
	(void)help;
	if (value)
		log_count(arg, name, value);
}

static void say_goodbye(struct crew *crew)
{
	struct metrics sum = { 0 };
	struct log_line l;

	for (unsigned i = 0; i < crew->count; i++)
		metrics_add(&sum, worker_metrics(crew->members[i].worker));
	log_flush();
	log_begin(&l, LOG_INFO, "stopped");
	metrics_each(&sum, add_count, &l);
	log_end(&l);
}

/* ---- what happens to the host ---- */

static void on_routes(void *worker)
{
	worker_changed(worker, CHANGE_ROUTES);
}

static void on_clock(void *worker)
{
	worker_changed(worker, CHANGE_CLOCK);
}

static void on_slept(void *worker)
{
	worker_changed(worker, CHANGE_SLEPT);
}

/* To all workers, each in its thread. */
static void tell_change(void *arg, enum change change)
{
	static void (*const tell[CHANGES])(void *) = {
		[CHANGE_ROUTES] = on_routes, [CHANGE_CLOCK] = on_clock, [CHANGE_SLEPT] = on_slept
	};
	struct crew *crew = arg;

	for (unsigned i = 0; i < crew->count; i++) {
		struct member *m = &crew->members[i];

		loop_post(loop_of(crew, i), &m->changes[change], tell[change], m->worker);
	}
}

/* ---- control ---- */

/* False: the socket that was asked for cannot be had. Without one that nobody asked for, sotto does
 * its work all the same. */
static bool say_no_control(const struct config *conf, const char *path, int err)
{
	bool asked = strcmp(conf->control, "auto") != 0;
	struct log_line l;

	log_begin(&l, asked ? LOG_ERROR : LOG_WARN, "no control socket");
	log_str(&l, "path", path);
	log_str(&l, "reason",
		err == -EADDRINUSE ? "another sotto answers there, or it is no socket"
				   : strerror(-err));
	log_str(&l, "hint", "set `control` to another path, or to none");
	log_end(&l);
	return !asked;
}

/* path: where it is; empty: there is none. */
static bool open_control(struct crew *crew, const struct config *conf, char path[PLACE_TEXT])
{
	struct view view = { .start_ms = clock_since_boot_ms(),
		.file = conf->file,
		.listen = &conf->listen,
		.upstream = &conf->upstream,
		.cache = crew->shared.cache,
		.sandbox = &crew->sandbox,
		.worker_count = crew->count };
	struct log_line l;
	int err = -ENOMEM;

	*path = '\0';
	if (!place_choose(conf->control, path))
		return true;
	view.workers = calloc(crew->count, sizeof *view.workers);
	for (unsigned i = 0; view.workers && i < crew->count; i++) {
		struct worker *w = crew->members[i].worker;

		view.workers[i] = (struct view_worker){ worker_loop(w), worker_upstreams(w),
			worker_metrics(w) };
	}
	if (view.workers)
		err = control_open(&crew->control, path, &view);
	if (err < 0)
		return say_no_control(conf, path, err);
	log_begin(&l, LOG_DEBUG, "control socket");
	log_str(&l, "path", path);
	log_end(&l);
	return true;
}

/* ---- the service manager ---- */

static struct loop *watched_loop(const void *crew, unsigned i)
{
	return loop_of(crew, i);
}

static void tell_ready(const struct crew *crew)
{
	char status[64];

	snprintf(status, sizeof status, "serving, with %u workers; `sotto status` tells more",
		crew->count);
	service_ready(&crew->service, status);
}

/* ---- file descriptors ---- */

static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* How many may still be opened. The lowest free one tells how many are in use, since each new one
 * takes that place. */
static size_t files_left(void)
{
	struct rlimit files;
	int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (lowest < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 0;
	close(lowest);
	return files.rlim_cur - (size_t)lowest;
}

/* What one worker may open for questions over UDP: not more than half of what it has. */
static size_t askers_of(const struct config *conf, size_t left)
{
	for (size_t i = 0; i < conf->upstream.count; i++)
		if (conf->upstream.servers[i].scheme == SCHEME_UDP)
			return left / 2 < ASKERS_MAX ? left / 2 : ASKERS_MAX;
	return 0;
}

/* Clients get what is left when everything else has its own, so that they cannot keep sotto from
 * its servers. False: nothing is left, which is said. */
static bool share_files(struct crew *crew, const struct config *conf)
{
	size_t left = files_left(),
	       reserved = FILES_SPARE + CONTROL_FILES +
		crew->count * FILES_PER_SERVER * conf->upstream.count;

	if (left < reserved + crew->count) {
		struct log_line l;

		log_begin(&l, LOG_ERROR, "too few file descriptors");
		log_fmt(&l, "missing", "%zu", reserved + crew->count - left);
		log_str(&l, "hint", worker_more_files);
		log_end(&l);
		return false;
	}
	left = (left - reserved) / crew->count;
	size_t askers = askers_of(conf, left);

	for (unsigned i = 0; i < crew->count; i++)
		worker_limit_files(crew->members[i].worker, left - askers, askers);
	return true;
}

/* ---- the whole ---- */

int crew_run(const struct config *conf, void (*ready)(void *arg), void *arg)
{
	struct crew crew = { 0 };
	char control[PLACE_TEXT];
	int status = 1;

	signal(SIGPIPE, SIG_IGN);
	service_open(&crew.service);
	raise_file_limit();
	if (!build_all(&crew, conf))
		goto out;
	if (loop_on_signal(loop_of(&crew, 0), SIGTERM, on_stop_signal, &crew) < 0 ||
		loop_on_signal(loop_of(&crew, 0), SIGINT, on_stop_signal, &crew) < 0 ||
		loop_on_signal(loop_of(&crew, 0), SIGHUP, on_stop_signal, &crew) < 0)
		goto out;
	changes_watch(&crew.changes, loop_of(&crew, 0), tell_change, &crew);
	if (!open_control(&crew, conf, control) || !share_files(&crew, conf))
		goto out;
	saved_cache_init(&crew.saved_cache);
	/* When all is open, and before there is another thread. */
	confine(&crew.sandbox, conf, *control ? control : NULL);
	if (start_threads(&crew)) {
		ready(arg);
		worker_say_listening(crew.members[0].worker);
		tell_ready(&crew);
		watchdog_start(&crew.watchdog, &crew.service, watched_loop, &crew, crew.count);
		saved_time_keep(&crew.saved_time, loop_of(&crew, 0), conf->upstream.state);
		saved_cache_keep(&crew.saved_cache, loop_of(&crew, 0), &crew.shared, conf);
		loop_run(loop_of(&crew, 0));
		saved_time_end(&crew.saved_time);
		status = 0;
	} else {
		drain_from(&crew, 1);
	}
	for (unsigned i = 1; i < crew.started; i++)
		pthread_join(crew.members[i].thread, NULL);
	if (status == 0) {
		saved_cache_end(&crew.saved_cache);
		say_goodbye(&crew);
	}

out:
	changes_unwatch(&crew.changes);
	control_free(crew.control);
	for (unsigned i = 0; i < crew.count; i++)
		worker_free(crew.members[i].worker);
	free(crew.members);
	shared_clear(&crew.shared);
	service_close(&crew.service);
	return status;
}
