#include "daemon.h"

#include "upstream/addresses.h"
#include "world.h"

#include <string.h>

#define LISTEN    "10.0.0.53:53"
#define NO_FILE   "/dev/null"
#define OVERRIDES 32
/* Of these, how many are of the simulation: nothing of the real world may change a play. */
#define OWN 3

static void tell_change(void *arg, enum change change)
{
	struct daemon *d = arg;

	worker_changed(d->worker, change);
}

bool daemon_start(struct daemon *d, const char *const *upstreams,
	const struct config_override *overrides, size_t override_count)
{
	static const char *const listen[] = { LISTEN, NULL };
	struct config_override all[OVERRIDES] = { { "workers", "1", NULL },
		{ "state", "none", NULL }, { "cache.size", "0", NULL } };

	memset(d, 0, sizeof *d);
	if (override_count + OWN > OVERRIDES)
		return false;
	memcpy(all + OWN, overrides, override_count * sizeof *overrides);
	struct config_sources sources = { .file = NO_FILE,
		.listen = listen,
		.upstreams = upstreams,
		.overrides = all,
		.override_count = override_count + OWN };

	if (!config_load(&d->conf, &sources, stderr))
		return false;
	log_set_level(d->conf.log_level);
	addresses_load(&d->conf.upstream);
	if (!shared_init(&d->shared, &d->conf.cache, 1))
		return false;
	d->worker = worker_new(&d->conf, &d->shared);
	d->loop = worker_loop(d->worker);
	changes_watch(&d->changes, d->loop, tell_change, d);
	return worker_listen(d->worker, BIND_ALONE) == 0;
}

void daemon_drain(struct daemon *d)
{
	if (d->draining)
		return;
	d->draining = true;
	changes_unwatch(&d->changes);
	loop_post(d->loop, &d->drain, worker_drain, d->worker);
}

const char *daemon_remains(struct daemon *d)
{
	const struct metrics *m = worker_metrics(d->worker);
	const struct world *w = loop_world(d->loop);

	if (!d->draining || !w->stops)
		return "the daemon never ends: it waits for something that will not come";
	if (w->socket || w->acceptor)
		return "the daemon has ended, and still listens";
	if (!list_empty(&w->askings))
		return "the daemon has ended, and a socket that asks is left";
	if (w->streams)
		return "the daemon has ended, and a stream is left";
	if (loop_timers(d->loop))
		return "the daemon has ended, and a timer runs";
	if (loop_tasks(d->loop))
		return "the daemon has ended, and a task waits";
	if (m->queries_udp + m->queries_tcp != m->answers + m->errors + m->dropped)
		return "messages received are not answers + errors + dropped";
	return NULL;
}

void daemon_free(struct daemon *d)
{
	if (!d->worker)
		return;
	changes_unwatch(&d->changes);
	worker_free(d->worker);
	shared_clear(&d->shared);
	config_clear(&d->conf);
}
