/* worker: see worker.h.
 *
 * Draining goes in steps, each begun when the one before has ended: listeners stop; waiting queries
 * end; listeners and servers say goodbye; the loop stops.
 */
#include "worker.h"

#include "base/bug.h"
#include "base/log.h"
#include "holder.h"
#include "query/lookup.h"
#include "query/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that each server may need in each worker: its connection, and the one after it. */
#define FILES_PER_SERVER 2
/* Descriptors for what is opened for a moment only. */
#define FILES_SPARE 8
/* What an idle timeout is told in, and the longest that can be told (RFC 7828 §3.1). */
#define KEEPALIVE_UNIT_MS 100
#define KEEPALIVE_MAX     UINT16_MAX
/* Turns between the signal and the end, for what the kernel has taken for us by then. */
#define LAST_TURNS 5

struct worker {
	const struct config *conf;
	struct query_conf query;
	struct listening listening;
	struct loop *loop;
	struct rand rand;
	struct metrics metrics;
	struct upstreams *upstreams;
	struct query_env env;
	struct listener **listeners;
	size_t listener_count;
	size_t ending; /* parts that have not said goodbye */
	bool draining;
	pthread_t thread;
};

static const char more_files[] =
	"raise the limit (`ulimit -n`, LimitNOFILE=), or set fewer workers";

/* ---- one worker ---- */

static size_t share(size_t whole, unsigned workers)
{
	return (whole + workers - 1) / workers;
}

static void set_limits(struct worker *w)
{
	unsigned n = w->conf->workers, keepalive = w->conf->listen.idle_ms / KEEPALIVE_UNIT_MS;
	struct listen_conf *listen = &w->listening.conf;

	w->query = w->conf->query;
	w->query.queries_max = share(w->query.queries_max, n);
	w->query.keepalive = (uint16_t)(keepalive < KEEPALIVE_MAX ? keepalive : KEEPALIVE_MAX);
	*listen = w->conf->listen;
	listen->connections = share(listen->connections, n);
	listen->connections_per_client = share(listen->connections_per_client, n);
}

static void say_cannot_start(void)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "cannot start: out of memory or of file descriptors");
	log_str(&l, "hint", more_files);
	log_end(&l);
}

struct worker *worker_new(const struct config *conf)
{
	struct worker *w = calloc(1, sizeof *w);

	if (!w)
		goto fail;
	w->conf = conf;
	set_limits(w);
	w->listeners = calloc(2 * conf->listen.count, sizeof(struct listener *));
	w->loop = loop_new();
	if (!w->listeners || !w->loop)
		goto fail;
	w->upstreams = upstreams_new(w->loop, &conf->upstream, &w->rand, &w->metrics);
	if (!w->upstreams)
		goto fail;
	w->env = (struct query_env){ .loop = w->loop,
		.rand = &w->rand,
		.metrics = &w->metrics,
		.upstreams = w->upstreams,
		.conf = &w->query,
		.pipeline = default_pipeline };
	w->listening.env = &w->env;
	hosts_init(&w->listening.hosts, &w->rand);
	lookups_init(&w->env);
	if (query_env_init(&w->env) < 0)
		goto fail;
	return w;

fail:
	say_cannot_start();
	worker_free(w);
	return NULL;
}

static void ignore(void *arg)
{
	(void)arg;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->listener_count; i++) {
		w->listeners[i]->ops->stop(w->listeners[i]);
		w->listeners[i]->ops->close(w->listeners[i], ignore, NULL);
	}
	loop_free(w->loop);
	upstreams_free(w->upstreams);
	query_env_clear(&w->env);
	free(w->listeners);
	free(w);
}

struct loop *worker_loop(struct worker *w)
{
	return w->loop;
}

const struct metrics *worker_metrics(const struct worker *w)
{
	return &w->metrics;
}

/* ---- listening ---- */

static const char *remedy(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return "stop that process, or listen elsewhere, for example --listen 127.0.0.1:5300";
	case -EACCES:
		return "ports below 1024 need root or CAP_NET_BIND_SERVICE; or --listen 127.0.0.1:5300";
	case -EADDRNOTAVAIL:
		return "the address is not one of this host: see `ip address`";
	case -EMFILE:
		return more_files;
	default:
		return "see the reason";
	}
}

static void say_cannot_listen(const struct addr *a, const struct listener_ops *ops, int err)
{
	struct log_line l;
	char text[ADDR_TEXT], holder[HOLDER_TEXT];

	log_begin(&l, LOG_ERROR, "cannot listen");
	log_str(&l, "addr", addr_print(a, text));
	log_str(&l, "proto", ops->name);
	log_str(&l, "reason", strerror(-err));
	if (err == -EADDRINUSE)
		log_str(&l, "holder", holder_find(a, ops == &on_tcp, holder));
	log_str(&l, "hint", remedy(err));
	log_end(&l);
}

int worker_listen(struct worker *w, enum sharing sharing)
{
	static const struct listener_ops *const transports[] = { &on_udp, &on_tcp };
	const struct listen_conf *listen = &w->conf->listen;

	for (size_t i = 0; i < listen->count; i++) {
		for (size_t t = 0; t < sizeof transports / sizeof *transports; t++) {
			int err = transports[t]->open(&w->listeners[w->listener_count],
				&w->listening, &listen->addrs[i], sharing);

			if (err < 0) {
				say_cannot_listen(&listen->addrs[i], transports[t], err);
				return err;
			}
			w->listener_count++;
		}
	}
	return 0;
}

/* One line each, for who asked for port 0. */
static void say_listening(const struct worker *w)
{
	for (size_t i = 0; i < w->listener_count; i++) {
		const struct listener *l = w->listeners[i];
		char text[ADDR_TEXT];
		struct log_line line;
		struct addr a;

		l->ops->address(l, &a);
		log_begin(&line, LOG_DEBUG, "listening");
		log_str(&line, "addr", addr_print(&a, text));
		log_str(&line, "proto", l->ops->name);
		log_end(&line);
	}
}

/* ---- draining ---- */

static void said_goodbye(void *arg)
{
	struct worker *w = arg;

	if (--w->ending == 0)
		loop_stop(w->loop);
}

static void on_queries_over(void *arg)
{
	struct worker *w = arg;
	size_t count = w->listener_count;

	w->ending = count + 1;
	w->listener_count = 0;
	for (size_t i = 0; i < count; i++)
		w->listeners[i]->ops->close(w->listeners[i], said_goodbye, w);
	upstreams_stop(w->upstreams, said_goodbye, w);
}

void worker_drain(void *arg)
{
	struct worker *w = arg;

	if (w->draining)
		return;
	w->draining = true;
	for (size_t i = 0; i < w->listener_count; i++)
		w->listeners[i]->ops->stop(w->listeners[i]);
	query_env_drain(&w->env, on_queries_over, w);
}

/* ---- all workers ---- */

struct crew {
	struct worker **workers;
	unsigned count, started;
	int stop_signal; /* 0: none yet */
	struct timer turn;
	unsigned turns_left;
};

/* Connections and queries that came before the signal may still be with the kernel: closing at once
 * would reset them. */
static void on_last_turn(struct timer *t)
{
	struct crew *crew = container_of(t, struct crew, turn);
	struct log_line l;

	if (crew->turns_left--) {
		timer_start(crew->workers[0]->loop, t, 1);
		return;
	}
	log_begin(&l, LOG_INFO, "stopping: answering what is in flight");
	log_str(&l, "signal", strsignal(crew->stop_signal));
	log_end(&l);
	for (unsigned i = 0; i < crew->count; i++)
		loop_post(crew->workers[i]->loop, worker_drain, crew->workers[i]);
}

static void on_stop_signal(void *arg, int signal_number)
{
	struct crew *crew = arg;

	if (crew->stop_signal)
		_exit(1); /* asked twice: somebody does not want to wait */
	crew->stop_signal = signal_number;
	crew->turns_left = LAST_TURNS;
	crew->turn.fire = on_last_turn;
	timer_start(crew->workers[0]->loop, &crew->turn, 1);
}

static void *run_thread(void *arg)
{
	struct worker *w = arg;

	loop_run(w->loop);
	return NULL;
}

static bool build_all(struct crew *crew, const struct config *conf)
{
	crew->workers = calloc(conf->workers, sizeof(struct worker *));
	if (!crew->workers)
		return false;
	for (; crew->count < conf->workers; crew->count++) {
		enum sharing sharing = conf->workers == 1 ? BIND_ALONE
			: crew->count == 0                ? BIND_FIRST
							  : BIND_NEXT;
		struct worker *w = worker_new(conf);

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

/* Signals are for the first worker's loop; the threads of the others inherit a mask without them.
 */
static bool start_threads(struct crew *crew)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (crew->started = 1; crew->started < crew->count; crew->started++) {
		struct worker *w = crew->workers[crew->started];
		int err = pthread_create(&w->thread, NULL, run_thread, w);

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
		metrics_add(&sum, &crew->workers[i]->metrics);
	log_flush();
	log_begin(&l, LOG_INFO, "stopped");
	metrics_each(&sum, add_count, &l);
	log_end(&l);
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

/* Clients get what is left when everything else has its own, so that they cannot keep sotto from
 * its servers. False: nothing is left, which is said. */
static bool share_files(struct crew *crew, const struct config *conf)
{
	size_t left = files_left(),
	       reserved = FILES_SPARE + crew->count * FILES_PER_SERVER * conf->upstream.count;

	if (left < reserved + crew->count) {
		struct log_line l;

		log_begin(&l, LOG_ERROR, "too few file descriptors");
		log_fmt(&l, "missing", "%zu", reserved + crew->count - left);
		log_str(&l, "hint", more_files);
		log_end(&l);
		return false;
	}
	for (unsigned i = 0; i < crew->count; i++) {
		struct listen_conf *listen = &crew->workers[i]->listening.conf;
		size_t most = (left - reserved) / crew->count;

		if (listen->connections > most)
			listen->connections = most;
	}
	return true;
}

/* ---- the whole ---- */

int workers_run(const struct config *conf, void (*ready)(void *arg), void *arg)
{
	struct crew crew = { 0 };
	int status = 1;

	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	if (!build_all(&crew, conf))
		goto out;
	if (loop_on_signal(crew.workers[0]->loop, SIGTERM, on_stop_signal, &crew) < 0 ||
		loop_on_signal(crew.workers[0]->loop, SIGINT, on_stop_signal, &crew) < 0)
		goto out;
	if (!share_files(&crew, conf))
		goto out;
	if (start_threads(&crew)) {
		ready(arg);
		say_listening(crew.workers[0]);
		loop_run(crew.workers[0]->loop);
		status = 0;
	} else {
		for (unsigned i = 1; i < crew.started; i++)
			loop_post(crew.workers[i]->loop, worker_drain, crew.workers[i]);
	}
	for (unsigned i = 1; i < crew.started; i++)
		pthread_join(crew.workers[i]->thread, NULL);
	if (status == 0)
		say_goodbye(&crew);

out:
	for (unsigned i = 0; i < crew.count; i++)
		worker_free(crew.workers[i]);
	free(crew.workers);
	return status;
}
