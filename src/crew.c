#include "crew.h"

#include "base/clock.h"
#include "base/log.h"
#include "changes.h"
#include "confine.h"
#include "control/control.h"
#include "control/place.h"
#include "query/shared.h"
#include "reload.h"
#include "renewal.h"
#include "rule_files.h"
#include "saved_cache.h"
#include "saved_time.h"
#include "service.h"
#include "watchdog.h"

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
/* And each address that is listened on: UDP and TCP. */
#define FILES_PER_ADDRESS 2
/* Descriptors for what is opened for a moment only. */
#define FILES_SPARE 8
/* For what others are shown: the dump, and the socket of events. */
#define FILES_TOLD 2
/* Turns between the signal and the end, for what the kernel has taken for us by then. */
#define LAST_TURNS 5

/* What a worker is told from here. */
struct calls {
	struct post drain, changes[CHANGES];
};

struct crew {
	struct worker **workers;
	pthread_t *threads; /* of all but the first */
	struct calls *calls;
	unsigned count, started;
	struct reload reload;
	struct reload_owner reload_owner;
	size_t files; /* descriptors for listeners, control, servers and clients */
	struct view view;
	char fault[2 * WORKER_WHY]; /* of the latest reload */
	struct control *control; /* NULL: there is none */
	struct changes changes;
	struct worker_shared shared;
	int stop_signal; /* 0: none yet */
	struct timer turn;
	unsigned turns_left;
	struct renewal renewal;
	struct rule_files rule_files;
	struct saved_time saved_time;
	struct saved_cache saved_cache;
	struct service service;
	struct watchdog watchdog;
	struct sandbox sandbox;
};

static struct loop *loop_of(const struct crew *crew, unsigned i)
{
	return worker_loop(crew->workers[i]);
}

/* ---- the end ---- */

static void drain_from(struct crew *crew, unsigned first)
{
	for (unsigned i = first; i < crew->started; i++)
		loop_post(loop_of(crew, i), &crew->calls[i].drain, worker_drain, crew->workers[i]);
}

static void drain_all(void *arg)
{
	drain_from(arg, 0);
}

static void on_no_reload(void *arg)
{
	struct crew *crew = arg;

	/* First, since it visits workers, which stop when they have drained. */
	if (crew->control)
		control_stop(crew->control, drain_all, crew);
	else
		drain_all(crew);
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
	renewal_stop(&crew->renewal);
	rule_files_stop(&crew->rule_files);
	reload_stop(&crew->reload, on_no_reload, crew);
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

static bool show(struct crew *crew, const struct config *conf)
{
	struct shown *shown = &crew->shared.shown;
	struct fault f;

	shown->tickets = tls_tickets_new(conf->ticket_keys, &f);
	if (!shown->tickets) {
		log_say(LOG_ERROR, f.reason);
		return false;
	}
	shown_set(shown, conf->front);
	return true;
}

static bool build_all(struct crew *crew, struct config *conf)
{
	if (!shared_init(&crew->shared.query, &conf->cache, conf->workers) || !show(crew, conf))
		return false;
	crew->workers = calloc(conf->workers, sizeof *crew->workers);
	crew->threads = calloc(conf->workers, sizeof *crew->threads);
	crew->calls = calloc(conf->workers, sizeof *crew->calls);
	if (!crew->workers || !crew->threads || !crew->calls)
		return false;
	for (; crew->count < conf->workers; crew->count++) {
		enum sharing sharing = worker_sharing(crew->count, conf->workers);
		struct worker *w = worker_new(conf, &crew->shared);

		crew->workers[crew->count] = w;
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
		unsigned i = crew->started;
		int err = pthread_create(&crew->threads[i], NULL, run_thread, crew->workers[i]);

		if (err)
			break;
	}
	bool whole = crew->started == crew->count && loop_make_helpers(loop_of(crew, 0)) == 0;

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!whole)
		log_say(LOG_ERROR, "cannot start a thread");
	return whole;
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
		metrics_add(&sum, worker_metrics(crew->workers[i]));
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

	for (unsigned i = 0; i < crew->count; i++)
		loop_post(loop_of(crew, i), &crew->calls[i].changes[change], tell[change],
			crew->workers[i]);
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

static unsigned on_asked_to_reload(void *arg)
{
	struct crew *crew = arg;

	return reload_ask(&crew->reload);
}

static void set_view(struct crew *crew, const struct config *conf)
{
	crew->view.file = conf->file;
	crew->view.listen = &conf->listen;
	crew->view.upstream = &conf->upstream;
}

/* path: where it is; empty: there is none. */
static bool open_control(struct crew *crew, const struct config *conf, char path[PLACE_TEXT])
{
	int64_t now = clock_since_boot_ms();
	struct view *view = &crew->view;
	struct log_line l;
	int err = -ENOMEM;

	*path = '\0';
	if (!place_choose(conf->control, path))
		return true;
	*view = (struct view){ .start_ms = now,
		.config.loaded_ms = now,
		.cache = crew->shared.query.cache,
		.sandbox = &crew->sandbox,
		.worker_count = crew->count,
		.reload = on_asked_to_reload,
		.reload_arg = crew };
	set_view(crew, conf);
	view->rules = &crew->rule_files.told;
	view->workers = calloc(crew->count, sizeof *view->workers);
	for (unsigned i = 0; view->workers && i < crew->count; i++) {
		struct worker *w = crew->workers[i];

		view->workers[i] = (struct view_worker){ worker_loop(w), worker_upstreams(w),
			worker_metrics(w), worker_env(w) };
	}
	if (view->workers)
		err = control_open(&crew->control, path, view);
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

	snprintf(status, sizeof status, "serving, with %u worker%s; `sotto status` tells more",
		crew->count, crew->count == 1 ? "" : "s");
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

static size_t reserved_files(const struct crew *crew, const struct config *conf)
{
	return FILES_SPARE + FILES_TOLD + CONTROL_FILES +
		crew->count *
		(FILES_PER_SERVER * conf->upstream.count + FILES_PER_ADDRESS * conf->listen.count);
}

/* Clients get what is left when everything else has its own, so that they cannot keep sotto from
 * its servers. False: nothing is left. */
static bool share_files(
	const struct crew *crew, const struct config *conf, struct worker_files *share)
{
	size_t reserved = reserved_files(crew, conf), each;

	if (crew->files < reserved + crew->count)
		return false;
	each = (crew->files - reserved) / crew->count;
	share->askers = askers_of(conf, each);
	share->clients = each - share->askers;
	return true;
}

/* False: there are too few, which is said. */
static bool limit_files(struct crew *crew, const struct config *conf)
{
	struct worker_files share;
	struct log_line l;

	crew->files = files_left() + crew->count * FILES_PER_ADDRESS * conf->listen.count;
	if (share_files(crew, conf, &share)) {
		for (unsigned i = 0; i < crew->count; i++)
			worker_limit_files(crew->workers[i], &share);
		return true;
	}
	log_begin(&l, LOG_ERROR, "too few file descriptors");
	log_fmt(&l, "missing", "%zu", reserved_files(crew, conf) + crew->count - crew->files);
	log_str(&l, "hint", worker_more_files);
	log_end(&l);
	return false;
}

/* ---- another configuration ---- */

static void on_reload_signal(void *arg, int signal_number)
{
	struct crew *crew = arg;

	(void)signal_number;
	reload_ask(&crew->reload);
}

static const char *admit(void *arg, struct config *next, struct worker_files *share)
{
	struct crew *crew = arg;

	rule_files_keep(&crew->rule_files, next);
	if (!share_files(crew, next, share))
		return "too few file descriptors for so many upstreams";
	return confine_refuses(&crew->sandbox, next);
}

static const char *hint(void *arg, const char *fault)
{
	const struct crew *crew = arg;

	return sandbox_hint(&crew->sandbox, fault);
}

static void hold_control(void *arg, void (*go)(void *), void *go_arg)
{
	struct crew *crew = arg;

	if (crew->control)
		control_hold(crew->control, go, go_arg);
	else
		go(go_arg);
}

static void on_reload_begun(void *arg)
{
	const struct crew *crew = arg;

	service_reloading(&crew->service);
}

/* What who asked for it is told. NULL: out of memory. */
static json_t *tell_reload(const struct reload_result *r)
{
	if (!r->fault)
		return json_pack("{s:s, s:s}", "changed", r->changed->at_once, "after_restart",
			r->changed->after_restart);
	return json_pack("{s:s+, s:s?, s:s?}", "error", "nothing has changed: ", r->fault,
		"problems", r->problems, "hint", r->hint);
}

static void on_reload_over(void *arg, const struct reload_result *r, const struct config *now)
{
	struct crew *crew = arg;
	struct view_config *told = &crew->view.config;

	if (r->fault) {
		snprintf(crew->fault, sizeof crew->fault, "%s", r->fault);
		told->fault = crew->fault;
		told->fault_ms = r->at_ms;
	} else {
		told->fault = NULL;
		told->loaded_ms = r->at_ms;
		set_view(crew, now);
		saved_cache_renew(&crew->saved_cache, now);
		dump_write(crew->shared.query.dump, &now->dump);
		renewal_renew(&crew->renewal, crew->reload.now);
		rule_files_renew(&crew->rule_files, crew->reload.now);
	}
	tell_ready(crew);
	if (!crew->control)
		return;
	control_go_on(crew->control, &crew->view);
	control_reloaded(crew->control, r->number, tell_reload(r));
}

static void init_reload(struct crew *crew, struct config *conf, const struct config_sources *from)
{
	crew->reload_owner = (struct reload_owner){ admit, hint, hold_control, on_reload_begun,
		on_reload_over, crew };
	crew->reload = (struct reload){ .sources = from,
		.owner = &crew->reload_owner,
		.workers = crew->workers,
		.worker_count = crew->count,
		.cache = crew->shared.query.cache,
		.now = config_share(conf) };
	reload_init(&crew->reload);
}

/* ---- the whole ---- */

static bool watch_signals(struct crew *crew)
{
	struct loop *loop = loop_of(crew, 0);

	return loop_on_signal(loop, SIGTERM, on_stop_signal, crew) == 0 &&
		loop_on_signal(loop, SIGINT, on_stop_signal, crew) == 0 &&
		loop_on_signal(loop, SIGHUP, on_reload_signal, crew) == 0;
}

/* False: why not has been said. */
static bool begin(struct crew *crew, struct config *conf, const struct config_sources *from)
{
	char control[PLACE_TEXT];

	sandbox_prepare(conf->sandbox);
	if (!build_all(crew, conf))
		return false;
	init_reload(crew, conf, from);
	if (!watch_signals(crew))
		return false;
	changes_watch(&crew->changes, loop_of(crew, 0), tell_change, crew);
	if (!open_control(crew, conf, control) || !limit_files(crew, conf))
		return false;
	saved_cache_init(&crew->saved_cache);
	if (conf->dump.file && !dump_open(crew->shared.query.dump, &conf->dump))
		return false;
	/* When all is open, and before there is another thread. */
	confine(&crew->sandbox, conf, *control ? control : NULL);
	return true;
}

static int serve(struct crew *crew, struct config *conf, void (*ready)(const struct config *))
{
	bool all = start_threads(crew);

	if (all) {
		ready(conf);
		worker_say_listening(crew->workers[0]);
		tell_ready(crew);
		watchdog_start(&crew->watchdog, &crew->service, watched_loop, crew, crew->count);
		renewal_start(&crew->renewal, loop_of(crew, 0), &crew->shared.shown, conf);
		rule_files_start(&crew->rule_files, loop_of(crew, 0), conf);
		saved_time_keep(&crew->saved_time, loop_of(crew, 0), conf->upstream.state);
		saved_cache_keep(&crew->saved_cache, loop_of(crew, 0), &crew->shared.query, conf);
		dump_write(crew->shared.query.dump, &conf->dump);
		loop_run(loop_of(crew, 0));
		saved_time_end(&crew->saved_time);
	} else {
		drain_from(crew, 1);
	}
	for (unsigned i = 1; i < crew->started; i++)
		pthread_join(crew->threads[i], NULL);
	if (!all)
		return 1;
	saved_cache_end(&crew->saved_cache);
	say_goodbye(crew);
	return 0;
}

int crew_run(struct config *conf, const struct config_sources *from,
	void (*ready)(const struct config *))
{
	struct crew crew = { 0 };
	int status = 1;

	signal(SIGPIPE, SIG_IGN);
	shown_init(&crew.shared.shown);
	service_open(&crew.service);
	raise_file_limit();
	if (begin(&crew, conf, from))
		status = serve(&crew, conf, ready);
	changes_unwatch(&crew.changes);
	control_free(crew.control);
	for (unsigned i = 0; i < crew.count; i++)
		worker_free(crew.workers[i]);
	reload_clear(&crew.reload);
	free(crew.workers);
	free(crew.threads);
	free(crew.calls);
	shared_clear(&crew.shared.query);
	shown_clear(&crew.shared.shown);
	renewal_clear(&crew.renewal);
	rule_files_clear(&crew.rule_files);
	service_close(&crew.service);
	return status;
}
