#include "daemon.h"

#include "upstream/server.h"
#include "world.h"

#include <string.h>

#define LISTEN  "10.0.0.53:53"
#define NO_FILE "/dev/null"

static void tell_change(void *arg, enum change change)
{
	struct daemon *d = arg;

	worker_changed(d->worker, change);
}

/* The set that the configuration of a real one is loaded with. */
static bool load_rules(struct config *c)
{
	struct ruleset_fault fault;
	struct ruleset *set = ruleset_new(&c->rules, &fault);

	ruleset_free(ruled_replace(&c->ruled, set));
	return set;
}

static const char *admit(void *arg, struct config *next, struct worker_files *files)
{
	(void)arg;
	*files = (struct worker_files){ SIZE_MAX, ASKERS_MAX };
	return load_rules(next) ? NULL : "its rules cannot be loaded";
}

static const char *hint(void *arg, const char *fault)
{
	(void)arg, (void)fault;
	return NULL;
}

static void begun(void *arg)
{
	const struct daemon *d = arg;

	if (d->reload_begun)
		d->reload_begun(d->told);
}

static void over(void *arg, const struct reload_result *result, const struct config *now)
{
	const struct daemon *d = arg;

	(void)now;
	if (d->reload_over)
		d->reload_over(d->told, result);
}

static void set_sources(struct daemon *d, const char *const *upstreams)
{
	static const char *const listen[] = { LISTEN, NULL };
	size_t count = 0;

	for (; upstreams[count] && count < DAEMON_UPSTREAMS; count++)
		d->upstreams[count] = upstreams[count];
	d->sources = (struct config_sources){ .file = NO_FILE,
		.listen = listen,
		.upstreams = d->upstreams,
		.overrides = d->overrides };
}

/* What is set again is no longer what it was. */
static bool add_override(struct daemon *d, const struct config_override *o)
{
	size_t i = 0;

	while (i < d->sources.override_count && strcmp(d->overrides[i].key, o->key) != 0)
		i++;
	if (i == DAEMON_OVERRIDES)
		return false;
	d->overrides[i] = *o;
	if (i == d->sources.override_count)
		d->sources.override_count++;
	return true;
}

static bool add_overrides(struct daemon *d, const struct config_override *overrides, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!add_override(d, &overrides[i]))
			return false;
	return true;
}

bool daemon_start(struct daemon *d, const char *const *upstreams,
	const struct config_override *overrides, size_t override_count)
{
	/* Nothing of the real world may change a play. */
	static const struct config_override own[] = { { "workers", "1", NULL },
		{ "state", "none", NULL }, { "cache.size", "0", NULL } };

	memset(d, 0, sizeof *d);
	set_sources(d, upstreams);
	if (!add_overrides(d, own, sizeof own / sizeof *own) ||
		!add_overrides(d, overrides, override_count))
		return false;
	struct config *conf = config_new(&d->sources, stderr);

	if (!conf || !load_rules(conf))
		return false;
	log_set_level(conf->log_level);
	addresses_load(&conf->upstream);
	if (!shared_init(&d->shared.query, &conf->cache, 1))
		return false;
	shown_init(&d->shared.shown);
	d->worker = worker_new(conf, &d->shared);
	d->loop = worker_loop(d->worker);
	d->owner = (struct reload_owner){ admit, hint, NULL, begun, over, d };
	d->reload = (struct reload){ .sources = &d->sources,
		.owner = &d->owner,
		.workers = &d->worker,
		.worker_count = 1,
		.cache = d->shared.query.cache,
		.now = conf };
	reload_init(&d->reload);
	changes_watch(&d->changes, d->loop, tell_change, d);
	return worker_listen(d->worker, BIND_ALONE) == 0;
}

bool daemon_reload(struct daemon *d, const struct config_override *overrides, size_t count)
{
	if (!add_overrides(d, overrides, count))
		return false;
	reload_ask(&d->reload);
	return true;
}

static void on_no_reload(void *arg)
{
	struct daemon *d = arg;

	loop_post(d->loop, &d->drain, worker_drain, d->worker);
}

void daemon_drain(struct daemon *d)
{
	if (d->draining)
		return;
	d->draining = true;
	changes_unwatch(&d->changes);
	reload_stop(&d->reload, on_no_reload, d);
}

/* Of those that are in no configuration any more. */
static bool is_server_left(const struct daemon *d)
{
	const struct upstreams *u = worker_upstreams(d->worker);
	size_t count = 0;

	for (const struct list *node = u->servers.next; node != &u->servers; node = node->next)
		count++;
	return count != u->conf->count;
}

const char *daemon_remains(struct daemon *d)
{
	const struct metrics *m = worker_metrics(d->worker);
	const struct world *w = loop_world(d->loop);

	if (!d->draining || !w->stops)
		return "the daemon never ends: it waits for something that will not come";
	if (!list_empty(&w->sockets) || !list_empty(&w->acceptors))
		return "the daemon has ended, and still listens";
	if (!list_empty(&w->askings))
		return "the daemon has ended, and a socket that asks is left";
	if (w->streams)
		return "the daemon has ended, and a stream is left";
	if (loop_timers(d->loop))
		return "the daemon has ended, and a timer runs";
	if (is_server_left(d))
		return "the daemon has ended, and a server is left that is in no configuration";
	if (loop_tasks(d->loop))
		return "the daemon has ended, and a task waits";
	if (m->queries_udp + m->queries_tcp + m->queries_tls != m->answers + m->errors + m->dropped)
		return "messages received are not answers + errors + dropped";
	return NULL;
}

void daemon_free(struct daemon *d)
{
	if (!d->worker)
		return;
	changes_unwatch(&d->changes);
	worker_free(d->worker);
	reload_clear(&d->reload);
	shared_clear(&d->shared.query);
	shown_clear(&d->shared.shown);
}
