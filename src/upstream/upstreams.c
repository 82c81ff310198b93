#include "upstream/upstream.h"

#include "base/bug.h"
#include "dns/name.h"
#include "upstream/domain.h"
#include "upstream/pick.h"
#include "upstream/server.h"

#include <stdlib.h>
#include <string.h>

/* A hedge costs so many credits; a lookup earns one. So many are saved up. */
#define HEDGE_COST  20
#define HEDGE_SAVED (10 * HEDGE_COST)
/* Of so many lookups, one asks a second server to measure it. */
#define LOOKUPS_PER_EXPLORE 100
/* With every server known to be down, it takes a reconnect that is just under way to answer; where
 * one may just have stumbled, the next one or two. */
#define DOWN_WAIT_MS    40
#define STUMBLE_WAIT_MS 1000
/* A measurement this old is worth another one. */
#define MEASURE_AGAIN_MS 30000

/* ---- which group ---- */

struct group *upstreams_group(struct upstreams *u, const struct question *q)
{
	size_t best_len = 0, group = GROUP_DEFAULT;

	for (size_t i = 0; i < u->conf->zone_count; i++) {
		const struct zone_conf *z = &u->conf->zones[i];

		if (z->name_len > best_len &&
			name_is_below(q->name, q->name_len, z->name, z->name_len)) {
			best_len = z->name_len;
			group = z->group;
		}
	}
	return &u->now->groups[group];
}

struct group *upstreams_group_at(struct upstreams *u, size_t index)
{
	return &u->now->groups[index];
}

struct group *upstreams_group_now(struct upstreams *u, struct group *g)
{
	size_t index = (size_t)(g - g->of->groups);

	if (g->of == u->now)
		return g;
	if (index < GROUPS_FIXED)
		return &u->now->groups[index];
	for (size_t i = GROUPS_FIXED; i < u->conf->group_count; i++)
		if (strcmp(u->conf->groups[i].name, g->conf->name) == 0)
			return &u->now->groups[i];
	return NULL;
}

bool group_is_inside(const struct group *g)
{
	return g->inside;
}

struct server *group_server(struct group *g, int place)
{
	return g->servers[place];
}

uint16_t group_number(const struct group *g)
{
	return (uint16_t)g->conf->number;
}

bool group_has_other(const struct group *g)
{
	return g->conf->count > 1;
}

/* ---- which server ---- */

static void describe(const struct group *g, const struct attempts *a, struct candidate *c)
{
	for (size_t i = 0; i < g->conf->count; i++) {
		c[i] = server_as_candidate(g->servers[i]);
		c[i].sends = a->sends[i];
		c[i].waiting = a->waiting[i] || (a->only_up && c[i].standing == DOWN);
	}
}

int group_pick(struct group *g, const struct attempts *a, const struct question *q)
{
	struct candidate c[GROUP_MAX];
	uint64_t domain = 0;

	describe(g, a, c);
	if (g->conf->policy == POLICY_SPREAD)
		domain = domain_number(q->name);
	return pick_next(g->conf->policy, domain, c, g->conf->count, SENDS_PER_SERVER);
}

bool group_races(const struct group *g)
{
	if (g->conf->policy != POLICY_FASTEST)
		return g->conf->policy == POLICY_RACE;
	for (size_t i = 0; i < g->conf->count; i++)
		if (server_standing(g->servers[i]) == GOOD)
			return false;
	return g->conf->count > 1;
}

int group_explore(struct group *g, int beside)
{
	struct upstreams *u = g->of->all;
	uint64_t now = loop_now(u->loop), oldest = UINT64_MAX;
	int found = -1;

	if (g->conf->policy != POLICY_FASTEST || g->conf->count < 2 ||
		u->lookups - u->explored_at < LOOKUPS_PER_EXPLORE)
		return -1;
	for (size_t i = 0; i < g->conf->count; i++) {
		const struct server *s = g->servers[i];
		uint64_t measured = s->known.rtt.measured_ms;

		if ((int)i == beside || server_standing(s) > GOOD || measured >= oldest ||
			(measured && now - measured < MEASURE_AGAIN_MS))
			continue;
		oldest = measured;
		found = (int)i;
	}
	if (found >= 0)
		u->explored_at = u->lookups;
	return found;
}

static bool is_down(const struct group *g)
{
	for (size_t i = 0; i < g->conf->count; i++)
		if (server_standing(g->servers[i]) != DOWN)
			return false;
	return true;
}

unsigned group_down_ms(struct group *g)
{
	if (!is_down(g))
		return 0;
	for (size_t i = 0; i < g->conf->count; i++)
		if (server_stumbles(g->servers[i]))
			return STUMBLE_WAIT_MS;
	return DOWN_WAIT_MS;
}

void group_wanted(struct group *g)
{
	uint64_t now = loop_now(g->of->all->loop);

	for (size_t i = 0; i < g->conf->count; i++)
		g->servers[i]->wanted_ms = now;
	if (!is_down(g))
		return;
	for (size_t i = 0; i < g->conf->count; i++)
		server_look_after(g->servers[i]);
}

const struct fault *group_fault(const struct group *g)
{
	const struct server *latest = NULL;

	for (size_t i = 0; i < g->conf->count; i++) {
		const struct server *s = g->servers[i];

		if (s->known.last_fault.phase != PHASE_NONE &&
			(!latest || s->known.last_fault_ms > latest->known.last_fault_ms))
			latest = s;
	}
	return latest ? &latest->known.last_fault : NULL;
}

/* ---- hedging ---- */

void upstreams_count_lookup(struct upstreams *u)
{
	u->lookups++;
	if (u->hedges_left < HEDGE_SAVED)
		u->hedges_left++;
}

unsigned upstreams_attempt_ms(const struct upstreams *u)
{
	return u->conf->attempt_ms;
}

bool upstreams_may_hedge(struct upstreams *u)
{
	if (!u->conf->hedge || u->hedges_left < HEDGE_COST)
		return false;
	u->hedges_left -= HEDGE_COST;
	return true;
}

/* ---- what the world did ---- */

void upstreams_changed(struct upstreams *u, enum change what)
{
	if (u->stopping)
		return;
	names_changed(u, what);
	list_each_safe (node, &u->servers)
		server_changed(container_of(node, struct server, node), what);
}

/* ---- status ---- */

static void count_connections(const struct lane *l, struct server_status *out)
{
	out->in_flight += l->queued;
	for (const struct list *node = l->conns.next; node != &l->conns; node = node->next) {
		const struct conn *c = container_of(node, struct conn, node);

		out->connections += l->transport->connects && !c->leaving;
		out->in_flight += c->in_flight;
	}
}

void upstreams_status(const struct upstreams *u, size_t server, struct server_status *out)
{
	const struct server *s = u->now->servers[server];
	uint64_t now = loop_now(u->loop);

	*out = s->known;
	out->standing = server_standing(s);
	out->standing_ms = now - out->standing_ms;
	out->connected_ms = now - out->connected_ms;
	out->last_fault_ms = now - out->last_fault_ms;
	for (int i = 0; i < LANES; i++)
		count_connections(&s->lanes[i], out);
}

/* ---- life ---- */

static void tell_idle(struct task *t)
{
	struct upstreams *u = container_of(t, struct upstreams, gone);

	u->idle(u->idle_arg);
}

static bool any_conn(const struct upstreams *u)
{
	for (const struct list *node = u->servers.next; node != &u->servers; node = node->next)
		if (!server_is_over(container_of(node, struct server, node)))
			return true;
	return false;
}

void upstreams_conn_gone(struct server *s)
{
	struct upstreams *u = s->all;

	generation_server_rests(s->asked_for ? s->asked_for : s);
	if (u->stopping && !any_conn(u))
		loop_later(u->loop, &u->gone);
}

/* Each server that is asked over UDP has its share. */
static void share_askers(struct upstreams *u)
{
	const struct generation *g = u->now;
	size_t count = 0, share;

	for (size_t i = 0; i < u->conf->count; i++)
		count += u->conf->servers[i].scheme == SCHEME_UDP;
	share = count && u->askers_most > count ? u->askers_most / count : 1;
	if (share > u->conf->in_flight)
		share = u->conf->in_flight;
	for (size_t i = 0; i < u->conf->count; i++)
		if (u->conf->servers[i].scheme == SCHEME_UDP)
			g->servers[i]->lanes[LANE_MAIN].window = share;
}

void upstreams_limit_askers(struct upstreams *u, size_t most)
{
	u->askers_most = most;
	share_askers(u);
}

struct upstreams *upstreams_new(
	struct loop *loop, const struct loan *loan, struct rand *rand, struct metrics *metrics)
{
	struct upstreams *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->loop = loop;
	u->conf = loan->conf;
	u->rand = rand;
	u->metrics = metrics;
	u->gone.run = tell_idle;
	u->hedges_left = HEDGE_SAVED;
	u->askers_most = ASKERS_MAX;
	list_init(&u->generations);
	list_init(&u->servers);
	list_init(&u->hosts);
	if (addresses_init(&u->addresses, loop, loan->conf->state) && upstreams_prepare(u, loan)) {
		upstreams_swap(u);
		return u;
	}
	upstreams_free(u);
	return NULL;
}

bool upstreams_prepare(struct upstreams *u, const struct loan *loan)
{
	u->next = generation_new(u, loan);
	if (!u->next)
		return false;
	if (addresses_prepare(&u->addresses, loan->conf))
		return true;
	u->next->loan.gone = NULL;
	upstreams_forget(u);
	return false;
}

void upstreams_swap(struct upstreams *u)
{
	generation_begin(u->next);
	u->next = NULL;
	addresses_swap(&u->addresses);
	share_askers(u);
	names_renew(u);
}

void upstreams_forget(struct upstreams *u)
{
	generation_forget(u->next);
	u->next = NULL;
	addresses_forget(&u->addresses);
}

void upstreams_stop(struct upstreams *u, void (*idle)(void *arg), void *arg)
{
	u->stopping = true;
	u->idle = idle;
	u->idle_arg = arg;
	names_stop(u);
	list_each_safe (node, &u->servers)
		server_stop(container_of(node, struct server, node));
	if (!any_conn(u))
		loop_later(u->loop, &u->gone);
}

void upstreams_free(struct upstreams *u)
{
	if (!u)
		return;
	u->ended = true;
	upstreams_forget(u);
	generations_free(u);
	names_clear(u);
	addresses_clear(&u->addresses);
	free(u);
}
