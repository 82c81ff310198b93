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
#include <stdlib.h>
#include <string.h>

/* What an idle timeout is told in, and the longest that can be told (RFC 7828 §3.1). */
#define KEEPALIVE_UNIT_MS 100
#define KEEPALIVE_MAX     UINT16_MAX

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
};

const char worker_more_files[] =
	"raise the limit (`ulimit -n`, LimitNOFILE=), or set fewer workers";

/* ---- life ---- */

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
	w->listening.more_connections = "raise limits.connections";
}

static void say_cannot_start(void)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "cannot start: out of memory or of file descriptors");
	log_str(&l, "hint", worker_more_files);
	log_end(&l);
}

struct worker *worker_new(const struct config *conf, const struct query_shared *shared)
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
		.shared = shared,
		.pipeline = default_pipeline };
	w->listening.env = &w->env;
	hosts_init(&w->listening.hosts, &w->rand);
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
	lookups_clear(&w->env);
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

const struct upstreams *worker_upstreams(const struct worker *w)
{
	return w->upstreams;
}

void worker_changed(struct worker *w, enum change change)
{
	upstreams_changed(w->upstreams, change);
}

void worker_limit_files(struct worker *w, size_t clients, size_t askers)
{
	if (w->listening.conf.connections > clients) {
		w->listening.conf.connections = clients;
		w->listening.more_connections = worker_more_files;
	}
	upstreams_limit_askers(w->upstreams, askers);
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

void worker_say_listening(const struct worker *w)
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
