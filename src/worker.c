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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Queries of one client that may wait in one worker, however many workers there are. */
#define CLIENT_LEAST 1024
/* What an idle timeout is told in, and the longest that can be told (RFC 7828 §3.1). */
#define KEEPALIVE_UNIT_MS 100
#define KEEPALIVE_MAX     UINT16_MAX

struct worker {
	struct config *conf; /* its upstreams own it */
	struct query_conf query;
	struct listening listening;
	struct loop *loop;
	struct rand rand;
	struct metrics metrics;
	struct upstreams *upstreams;
	struct query_env env;
	struct listener **heard; /* asked for by the configuration in force, ... */
	size_t heard_count;
	size_t ending; /* parts that have not said goodbye */
	bool draining, last; /* last: nothing but these is left */

	/* What is prepared: NULL if nothing is. */
	struct config *next;
	struct listener *
		*next_heard; /* ... by the next one: what is new, with room for what stays */
	size_t next_count;
};

const char worker_more_files[] =
	"raise the limit (`ulimit -n`, LimitNOFILE=), or set fewer workers";

/* ---- life ---- */

static size_t share(size_t whole, unsigned workers)
{
	return (whole + workers - 1) / workers;
}

/* The kernel may give all connections and datagrams of a client to one worker: that much it gets in
 * each, whatever its part of the whole would be. */
static size_t share_of_client(size_t whole, unsigned workers)
{
	size_t part = share(whole, workers);

	if (part >= CLIENT_LEAST)
		return part;
	return whole < CLIENT_LEAST ? whole : CLIENT_LEAST;
}

static void set_limits(struct worker *w)
{
	unsigned n = w->conf->workers, keepalive = w->conf->listen.idle_ms / KEEPALIVE_UNIT_MS;
	struct listen_conf *listen = &w->listening.conf;

	w->query = w->conf->query;
	w->query.queries_max = share(w->query.queries_max, n);
	w->query.queries_per_client = share_of_client(w->query.queries_per_client, n);
	w->query.keepalive = (uint16_t)(keepalive < KEEPALIVE_MAX ? keepalive : KEEPALIVE_MAX);
	w->query.limits = cache_limits(&w->conf->cache);
	w->query.stale_after_ms = w->conf->cache.stale_after_ms;
	*listen = w->conf->listen;
	listen->connections = share(listen->connections, n);
	listen->unsent /= n;
	listen->connections_per_client = share(listen->connections_per_client, n);
	w->listening.more_connections = "raise limits.connections";
}

static void say_cannot_start(void)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "cannot start: out of memory or of file descriptors");
	log_str(&l, "hint", worker_more_files);
	log_end(&l);
}

static void let_config_go(void *config)
{
	config_free(config);
}

static struct loan lend(struct config *conf)
{
	return (struct loan){ &conf->upstream, let_config_go, config_share(conf) };
}

static struct upstreams *start_upstreams(struct worker *w)
{
	const struct loan loan = lend(w->conf);
	struct upstreams *u = upstreams_new(w->loop, &loan, &w->rand, &w->metrics);

	if (!u)
		config_free(w->conf);
	return u;
}

struct worker *worker_new(struct config *conf, struct worker_shared *shared)
{
	struct worker *w = calloc(1, sizeof *w);

	if (!w)
		goto fail;
	w->conf = conf;
	set_limits(w);
	w->loop = loop_new();
	if (!w->loop)
		goto fail;
	w->upstreams = start_upstreams(w);
	if (!w->upstreams)
		goto fail;
	w->env = (struct query_env){ .loop = w->loop,
		.rand = &w->rand,
		.metrics = &w->metrics,
		.upstreams = w->upstreams,
		.conf = &w->query,
		.ruled = &w->conf->ruled,
		.shared = &shared->query,
		.pipeline = default_pipeline };
	w->listening.env = &w->env;
	w->listening.shown = &shared->shown;
	handshakes_init(&w->listening.handshakes, w->loop);
	hosts_init(&w->listening.hosts, &shared->query.key);
	if (lookups_init(&w->env) < 0 || query_env_init(&w->env) < 0)
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

static void close_all(struct listener *const *heard, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		heard[i]->ops->stop(heard[i]);
		heard[i]->ops->close(heard[i], ignore, NULL);
	}
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	close_all(w->heard, w->heard_count);
	close_all(w->next_heard, w->next_count);
	loop_free(w->loop);
	shown_here_clear(&w->listening.tls);
	ruled_here_clear(&w->env.rules); /* before the configuration goes that it was of */
	upstreams_free(w->upstreams);
	lookups_clear(&w->env);
	query_env_clear(&w->env);
	free(w->heard);
	free(w->next_heard);
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

const struct upstreams *worker_upstreams(const struct worker *w)
{
	return w->upstreams;
}

const struct query_env *worker_env(const struct worker *w)
{
	return &w->env;
}

void worker_changed(struct worker *w, enum change change)
{
	upstreams_changed(w->upstreams, change);
}

void worker_limit_files(struct worker *w, const struct worker_files *files)
{
	if (w->listening.conf.connections > files->clients) {
		w->listening.conf.connections = files->clients;
		w->listening.more_connections = worker_more_files;
	}
	upstreams_limit_askers(w->upstreams, files->askers);
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
		return worker_more_files;
	default:
		return "see the reason";
	}
}

static void say_cannot_listen(
	const struct endpoint *e, const struct listener_ops *ops, int err, char why[WORKER_WHY])
{
	struct log_line l;
	char holder[HOLDER_TEXT] = "";

	log_begin(&l, LOG_ERROR, "cannot listen");
	log_str(&l, "addr", e->text);
	log_str(&l, "proto", ops->name);
	log_str(&l, "reason", strerror(-err));
	if (err == -EADDRINUSE && e->at.addr.any.sa_family != AF_UNIX)
		log_str(&l, "holder", holder_find(&e->at.addr, ops == &on_stream, holder));
	log_str(&l, "hint", remedy(err));
	log_end(&l);
	snprintf(why, WORKER_WHY, "cannot listen on %s, %s: %s%s%s", e->text, ops->name,
		strerror(-err), *holder ? ", by " : "", holder);
}

static const struct listener_ops *const transports[] = { &on_udp, &on_stream };
enum { TRANSPORTS = sizeof transports / sizeof *transports };

static bool is_for(
	const struct listener *l, const struct endpoint *e, const struct listener_ops *ops)
{
	return l->ops == ops && ops->serves(e) && binding_equal(&l->endpoint->at, &e->at);
}

static bool is_heard(
	const struct worker *w, const struct endpoint *e, const struct listener_ops *ops)
{
	for (size_t i = 0; i < w->heard_count; i++)
		if (is_for(w->heard[i], e, ops))
			return true;
	return false;
}

/* NULL: it is wanted no more. */
static const struct endpoint *find_wanted(
	const struct listener *l, const struct listen_conf *listen)
{
	for (size_t i = 0; i < listen->count; i++)
		if (is_for(l, &listen->endpoints[i], l->ops))
			return &listen->endpoints[i];
	return NULL;
}

static int open_one(struct worker *w, const struct endpoint *e, const struct listener_ops *ops,
	enum sharing sharing)
{
	struct listener **l = &w->next_heard[w->next_count];
	int err = ops->open(l, &w->listening, e, sharing);

	if (err == -EALREADY) /* one worker does it for all */
		return 0;
	if (err < 0)
		return err;
	(*l)->endpoint = e;
	w->next_count++;
	return 0;
}

/* Opens what is new. */
static int open_listeners(struct worker *w, const struct listen_conf *listen, enum sharing sharing,
	char why[WORKER_WHY])
{
	w->next_heard = calloc(TRANSPORTS * listen->count, sizeof *w->next_heard);
	if (!w->next_heard) {
		snprintf(why, WORKER_WHY, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < listen->count; i++) {
		const struct endpoint *e = &listen->endpoints[i];

		for (size_t t = 0; t < TRANSPORTS; t++) {
			if (!transports[t]->serves(e) || is_heard(w, e, transports[t]))
				continue;
			int err = open_one(w, e, transports[t], sharing);

			if (err < 0) {
				say_cannot_listen(e, transports[t], err, why);
				return err;
			}
		}
	}
	return 0;
}

static void said_goodbye(void *arg)
{
	struct worker *w = arg;

	if (--w->ending == 0 && w->last)
		loop_stop(w->loop);
}

/* Queries of its clients may wait for longer than what it was asked for lasts. */
static void retire(struct worker *w, struct listener *l)
{
	w->ending++;
	l->endpoint = NULL;
	l->ops->stop(l);
	l->ops->close(l, said_goodbye, w);
}

/* What stays goes on beside what is new, as it is now asked for. */
static void swap_listeners(struct worker *w, const struct listen_conf *listen)
{
	for (size_t i = 0; i < w->heard_count; i++) {
		struct listener *l = w->heard[i];
		const struct endpoint *wanted = find_wanted(l, listen);

		if (!wanted) {
			retire(w, l);
			continue;
		}
		l->endpoint = wanted;
		l->spoken = wanted->spoken;
		if (l->ops->renew)
			l->ops->renew(l);
		w->next_heard[w->next_count++] = l;
	}
	free(w->heard);
	w->heard = w->next_heard;
	w->heard_count = w->next_count;
	w->next_heard = NULL;
	w->next_count = 0;
}

enum sharing worker_sharing(unsigned place, unsigned count)
{
	if (count == 1)
		return BIND_ALONE;
	return place == 0 ? BIND_FIRST : BIND_NEXT;
}

int worker_listen(struct worker *w, enum sharing sharing)
{
	char why[WORKER_WHY];
	int err = open_listeners(w, &w->conf->listen, sharing, why);

	if (!err)
		swap_listeners(w, &w->conf->listen);
	return err;
}

void worker_say_listening(const struct worker *w)
{
	for (size_t i = 0; i < w->heard_count; i++) {
		const struct listener *l = w->heard[i];
		const struct endpoint *e = l->endpoint;
		char text[ADDR_TEXT];
		struct log_line line;
		struct addr a;

		l->ops->address(l, &a);
		log_begin(&line, LOG_DEBUG, "listening");
		log_str(&line, "addr", e->at.path ? e->text : addr_print(&a, text));
		log_str(&line, "proto", l->ops->name);
		log_end(&line);
	}
}

/* ---- another configuration ---- */

int worker_prepare(
	struct worker *w, struct config *conf, enum sharing sharing, char why[WORKER_WHY])
{
	const struct loan loan = lend(conf);
	int err;

	if (!upstreams_prepare(w->upstreams, &loan)) {
		config_free(conf);
		snprintf(why, WORKER_WHY, "out of memory");
		return -ENOMEM;
	}
	w->next = conf;
	err = open_listeners(w, &conf->listen, sharing, why);
	if (err)
		worker_forget(w);
	return err;
}

void worker_swap(struct worker *w, const struct worker_files *files)
{
	w->conf = w->next;
	w->next = NULL;
	set_limits(w);
	w->env.ruled = &w->conf->ruled;
	ruled_get(w->env.ruled, &w->env.rules); /* likewise */
	shown_set(w->listening.shown, w->conf->front);
	upstreams_swap(w->upstreams);
	worker_limit_files(w, files);
	query_env_renew(&w->env);
	swap_listeners(w, &w->conf->listen);
}

void worker_forget(struct worker *w)
{
	if (!w->next)
		return;
	w->next = NULL;
	for (size_t i = 0; i < w->next_count; i++)
		retire(w, w->next_heard[i]);
	free(w->next_heard);
	w->next_heard = NULL;
	w->next_count = 0;
	upstreams_forget(w->upstreams);
}

/* ---- draining ---- */

static void on_queries_over(void *arg)
{
	struct worker *w = arg;
	size_t count = w->heard_count;

	w->ending += count + 1;
	w->last = true;
	w->heard_count = 0;
	for (size_t i = 0; i < count; i++)
		w->heard[i]->ops->close(w->heard[i], said_goodbye, w);
	upstreams_stop(w->upstreams, said_goodbye, w);
}

void worker_drain(void *arg)
{
	struct worker *w = arg;

	if (w->draining)
		return;
	w->draining = true;
	worker_forget(w);
	for (size_t i = 0; i < w->heard_count; i++)
		w->heard[i]->ops->stop(w->heard[i]);
	query_env_drain(&w->env, on_queries_over, w);
}
