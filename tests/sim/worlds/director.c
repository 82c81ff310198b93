/* A world from its beginning to its end. */
#include "drama.h"

#include "../log.h"
#include "base/bug.h"
#include "faults.h"
#include "oracle.h"
#include "upstream/server.h"

#include <stdlib.h>

/* When all faults are over, so long until the daemon is asked again, and told to end. */
#define CALM_MS   30000
#define PROBED_MS 10000
/* After this, a daemon that was told to end does not. */
#define DRAIN_MS 60000
/* How often the host is looked after, compared with how often somebody asks. */
#define ASKS_PER_FAULT 2

bool strikes(struct drama *d, enum fault_kind kind)
{
	bool now = chance_of(&d->chance, d->rate[kind]) && !d->peace;

	d->tally.faults[kind] += now;
	return now;
}

/* ---- as it goes ---- */

static void drain(struct drama *d)
{
	if (strikes(d, FAULT_reload))
		plan_reload(d, 1, false);
	happened(&d->chronicle, "sotto is told to end");
	d->drained_ms = drama_now(d);
	daemon_drain(&d->daemon);
	if (strikes(d, FAULT_reload))
		plan_reload(d, 1, false);
	event_post(d->daemon.loop, &d->too_late, drama_now(d) + DRAIN_MS);
}

static void on_too_late(struct event *e)
{
	struct drama *d = container_of(e, struct drama, too_late);

	if (!loop_world(d->daemon.loop)->stops)
		broken(&d->chronicle, "it ends when it is told to: it goes on for more than %d s",
			DRAIN_MS / 1000);
}

static void make_peace(struct drama *d)
{
	happened(&d->chronicle, "all faults are over");
	d->peace = true;
	d->no_files_ms = 0;
	faults_arm(0, 0);
	if (d->rate[FAULT_reload])
		plan_reload(d, 1, false);
	for (unsigned i = 0; i < d->server_count; i++)
		d->servers[i].outage_ms = d->servers[i].burst_ms = 0;
}

/* The end: in the middle of everything, or when the daemon has shown that it has got over it. */
static void on_check(struct event *e)
{
	struct drama *d = container_of(e, struct drama, check);

	if (d->ends_in_chaos || d->probed == 2 * d->zone_count) {
		if (!d->ends_in_chaos)
			oracle_calm(d);
		d->tally.drains += d->ends_in_chaos;
		d->tally.recoveries += d->probes > 0;
		drain(d);
	} else if (!d->peace) {
		make_peace(d);
		event_post(d->daemon.loop, e, drama_now(d) + CALM_MS);
	} else {
		/* Servers are looked after when somebody wants them: the second time counts. */
		client_probes(&d->clients[d->client_count - 1], d->probed % d->zone_count,
			d->probed >= d->zone_count);
		d->probed++;
		event_post(d->daemon.loop, e, drama_now(d) + PROBED_MS);
	}
}

static void on_act(struct event *e)
{
	struct drama *d = container_of(e, struct drama, act);
	bool at_once = chance_of(&d->chance, 300);

	client_acts(&d->clients[chance_below(&d->chance, d->client_count - 1)]);
	if (chance_of(&d->chance, 1000 / ASKS_PER_FAULT))
		machine_acts(d);
	if (--d->asks)
		event_post(d->daemon.loop, e,
			drama_now(d) + (at_once ? 0 : chance_below(&d->chance, 2 * d->gap_ms + 1)));
	else
		event_post(d->daemon.loop, &d->check,
			drama_now(d) + chance_below(&d->chance, d->ends_in_chaos ? 300 : 5000));
}

static void on_moment_over(void *arg, uint64_t next_ms)
{
	struct drama *d = arg;

	(void)next_ms;
	if (loop_world(d->daemon.loop)->stops)
		return;
	oracle_moment(d);
	if (loop_world(d->daemon.loop)->dispatched >= d->stop_at)
		broken(&d->chronicle, "nothing is wrong so far (--until)");
}

static void on_log_line(void *arg, struct span line)
{
	struct drama *d = arg;

	happened(&d->chronicle, "log: %.*s", (int)line.len, (const char *)line.at);
}

/* ---- from the seed to the end ---- */

static void begin(struct drama *d)
{
	static const struct peers peers = { .datagram = client_heard_datagram,
		.dialled = server_dialled,
		.moment_over = on_moment_over,
		.asked = server_asked_datagram,
		.denied = machine_denied };
	struct loop *loop = d->daemon.loop;

	loop_world(loop)->peers = &peers;
	loop_world(loop)->arg = d;
	loop_world(loop)->segment =
		chance_of(&d->chance, 200) ? chance_between(&d->chance, 1, 100) : 0;
	d->chronicle.loop = loop;
	d->chronicle.zero_ms = loop_now(loop);
	log_tap(loop, on_log_line, d);
	d->act.happen = on_act;
	d->check.happen = on_check;
	d->too_late.happen = on_too_late;
	event_post(loop, &d->act, loop_now(loop));
}

static void sum_up(struct drama *d)
{
	const struct upstreams *u = worker_upstreams(d->daemon.worker);
	struct server_status status;

	d->tally.worlds = 1;
	d->tally.events = loop_world(d->daemon.loop)->dispatched;
	d->tally.virtual_ms = chronicle_now(&d->chronicle);
	d->tally.metrics = *worker_metrics(d->daemon.worker);
	for (size_t i = 0; i < u->conf->count; i++) {
		upstreams_status(u, i, &status);
		tally_add_server(&d->tally, &status);
	}
	/* Armed is not struck. */
	d->tally.faults[FAULT_memory] = faults_struck();
}

void drama_run(struct drama *d)
{
	size_t live = faults_live();

	d->chance.state = d->seed * 0x9e3779b97f4a7c15;
	d->drained_ms = NEVER;
	chronicle_open(&d->chronicle);
	draw(d);
	for (size_t i = 0; i < d->setting_count; i++)
		happened(&d->chronicle, "set %s=%s", d->settings[i].key, d->values[i]);
	if (!draw_start(d))
		broken(&d->chronicle, "the world itself is wrong: sotto does not start");
	versions_begin(d);
	begin(d);
	loop_run(d->daemon.loop); /* until the daemon has ended */
	faults_arm(0, 0);
	event_cancel(&d->too_late);
	loop_run(d->daemon.loop); /* what is still on its way */
	oracle_end(d);
	sum_up(d);

	d->chronicle.loop = NULL;
	log_tap(NULL, NULL, NULL);
	daemon_free(&d->daemon);
	if (faults_live() != live)
		broken(&d->chronicle, "nothing is alive at the end: %zu allocations are left",
			faults_live() - live);
}

static void free_lines(struct list *lines)
{
	struct list *node;

	while ((node = list_first(lines)))
		line_free(container_of(node, struct line, node));
}

void drama_clear(struct drama *d)
{
	for (unsigned i = 0; i < d->server_count; i++)
		free_lines(&d->servers[i].lines);
	for (unsigned i = 0; i < d->client_count; i++) {
		struct client_peer *c = &d->clients[i];

		free_lines(&c->lines);
		for (size_t n = 0; n < c->count; n++)
			free(c->asked[n]);
		free(c->asked);
	}
	free(d->said);
}
