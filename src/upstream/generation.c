/* generation: what a worker has made of one configuration: which servers there are, in which
 * groups.
 *
 * The latest one is asked. Those before it live for as long as lookups that began with them; a
 * server that is in several of them is one object, with its connections, and follows the latest.
 * A generation keeps the one that came after it, so that they end in the order they began: a
 * server of no other generation then borrows from the one that ends, which waits until it has said
 * goodbye; only then is the loan given back.
 */
#include "upstream/same.h"
#include "upstream/server.h"

#include <stdlib.h>

/* ---- the end ---- */

static void generation_free(struct generation *g)
{
	struct loan loan = g->loan;

	free(g->servers);
	free(g->groups);
	free(g);
	if (loan.gone)
		loan.gone(loan.arg);
}

static void end(struct generation *g)
{
	struct generation *after = g->after;

	list_remove(&g->node);
	generation_free(g);
	generation_let_go(after);
}

static void on_bury(struct task *t)
{
	struct server *s = container_of(t, struct server, bury);
	struct generation *last = s->last;

	server_stop(s); /* what its connections left behind as they ended */
	list_remove(&s->node);
	server_free(s);
	if (--last->ending == 0)
		end(last);
}

void generation_server_rests(struct server *s)
{
	if (s->last && server_is_over(s))
		loop_later(s->all->loop, &s->bury);
}

/* Nobody asks its servers any more, unless they are in a later one. */
static void on_over(struct task *t)
{
	struct generation *g = container_of(t, struct generation, over);

	g->ending = 1; /* this function */
	for (size_t i = 0; i < g->loan.conf->count; i++) {
		struct server *s = g->servers[i];

		if (--s->generations)
			continue;
		s->last = g;
		s->bury.run = on_bury;
		g->ending++;
		server_stop(s);
		generation_server_rests(s);
	}
	if (--g->ending == 0)
		end(g);
}

void generation_hold(struct generation *g)
{
	g->users++;
}

/* Callers up the stack may still look at it. */
void generation_let_go(struct generation *g)
{
	if (g && --g->users == 0)
		loop_later(g->all->loop, &g->over);
}

void generations_free(struct upstreams *u)
{
	list_each_safe (node, &u->servers) {
		list_remove(node);
		server_free(container_of(node, struct server, node));
	}
	list_each_safe (node, &u->generations) {
		list_remove(node);
		generation_free(container_of(node, struct generation, node));
	}
}

/* ---- the beginning ---- */

static bool has(const struct generation *g, const struct server *s)
{
	for (size_t i = 0; i < g->loan.conf->count; i++)
		if (g->servers[i] == s)
			return true;
	return false;
}

/* The server as it is already; no two of one configuration are the same one. */
static struct server *find(const struct generation *g, const struct server_conf *conf)
{
	const struct generation *now = g->all->now;

	for (size_t i = 0; now && i < now->loan.conf->count; i++) {
		struct server *s = now->servers[i];

		if (same_server(s->conf, conf) && !has(g, s))
			return s;
	}
	return NULL;
}

/* As `require:` tells who may be asked in clear. */
static bool is_inside(const struct group_conf *group, const struct upstream_conf *conf)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct server_conf *s = &conf->servers[group->servers[i]];

		if (s->scheme == SCHEME_TLS || s->host || !addr_is_inside(&s->addr))
			return false;
	}
	return true;
}

static bool fill(struct generation *g)
{
	const struct upstream_conf *conf = g->loan.conf;

	for (size_t i = 0; i < conf->count; i++) {
		g->servers[i] = find(g, &conf->servers[i]);
		if (!g->servers[i])
			g->servers[i] = server_new(g->all, &conf->servers[i]);
		if (!g->servers[i])
			return false;
	}
	for (size_t i = 0; i < conf->group_count; i++) {
		struct group *group = &g->groups[i];

		group->of = g;
		group->conf = &conf->groups[i];
		group->inside = is_inside(group->conf, conf);
		for (size_t k = 0; k < group->conf->count; k++)
			group->servers[k] = g->servers[group->conf->servers[k]];
	}
	return true;
}

struct generation *generation_new(struct upstreams *u, const struct loan *loan)
{
	struct generation *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->all = u;
	g->loan = *loan;
	g->over.run = on_over;
	g->servers = calloc(loan->conf->count, sizeof *g->servers);
	g->groups = calloc(loan->conf->group_count, sizeof *g->groups);
	if (g->servers && g->groups && fill(g))
		return g;
	g->loan.gone = NULL;
	generation_forget(g);
	return NULL;
}

void generation_forget(struct generation *g)
{
	for (size_t i = 0; g && g->servers && i < g->loan.conf->count; i++)
		if (g->servers[i] && !g->servers[i]->generations)
			server_free(g->servers[i]);
	if (g)
		generation_free(g);
}

void generation_begin(struct generation *g)
{
	struct upstreams *u = g->all;
	struct generation *before = u->now;
	const struct upstream_conf *conf = g->loan.conf;

	list_push(&u->generations, &g->node);
	g->users = 1;
	u->now = g;
	u->conf = conf;
	for (size_t i = 0; before && i < before->loan.conf->count; i++)
		before->servers[i]->current = false;
	for (size_t i = 0; i < conf->count; i++) {
		struct server *s = g->servers[i];

		s->current = true;
		if (s->generations++)
			server_renew(s, &conf->servers[i], before->loan.conf);
		else
			server_join(s);
	}
	if (!before)
		return;
	for (size_t i = 0; i < before->loan.conf->count; i++)
		if (!before->servers[i]->current)
			server_retire(before->servers[i]);
	before->after = g;
	generation_hold(g);
	generation_let_go(before);
}

/* ---- groups that somebody keeps ---- */

void group_hold(struct group *g)
{
	generation_hold(g->of);
}

void group_let_go(struct group *g)
{
	generation_let_go(g->of);
}
