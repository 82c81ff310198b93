/* passage: which of our servers a client's own TLS goes on to.
 *
 * It is chosen as for a question, but nothing is known of the questions: where each server is to
 * have its share of the domains, it gets its share of the connections.
 */
#include "upstream/pick.h"
#include "upstream/server.h"

#include <errno.h>
#include <strings.h>

/* Addresses of one server that are tried, so that other servers are, too. */
#define ADDRS_TRIED 2

/* Servers that are fit, each once. */
struct fit {
	struct server *servers[GROUP_MAX];
	size_t count;
};

static bool is_same_name(const char *own, const char *name)
{
	return own && strcasecmp(own, name) == 0;
}

static bool has(const struct fit *fit, const struct server *s)
{
	for (size_t i = 0; i < fit->count; i++)
		if (fit->servers[i] == s)
			return true;
	return false;
}

/* Those of the group that speak TLS; with a name, those that are known by it. */
static void add_group(struct fit *fit, const struct group *g, const char *name)
{
	for (size_t i = 0; i < g->conf->count && fit->count < GROUP_MAX; i++) {
		struct server *s = g->servers[i];
		bool is_meant = !*name || is_same_name(s->conf->auth_name, name) ||
			is_same_name(s->conf->host, name);

		if (s->conf->scheme == SCHEME_TLS && is_meant && !has(fit, s))
			fit->servers[fit->count++] = s;
	}
}

/* Those of GROUP_BOOTSTRAP are there to tell us addresses: no client is sent to them. */
static void find_fit(struct fit *fit, const struct generation *now, const char *name)
{
	for (size_t i = 0; *name && i < now->loan.conf->group_count; i++)
		if (i != GROUP_BOOTSTRAP)
			add_group(fit, &now->groups[i], name);
	if (!fit->count)
		add_group(fit, &now->groups[GROUP_DEFAULT], "");
}

/* Somebody wants the server. True: its addresses are being looked up, and there is none yet. */
static bool want(struct server *s)
{
	s->wanted_ms = loop_now(s->all->loop);
	server_look_after(s);
	if (!s->addr_count)
		return server_seek(s);
	server_refresh(s);
	return false;
}

/* The first address is the one that it is connected at, or would be dialled at. */
static void add_addresses(struct passages *p, struct server *s)
{
	size_t first = s->lanes[LANE_MAIN].address;

	for (size_t i = 0; i < s->addr_count && i < ADDRS_TRIED && p->count < PASSAGES_MAX; i++)
		p->all[p->count++] = (struct passage){ s, s->addrs[(first + i) % s->addr_count] };
}

static void put_in_order(struct passages *p, const struct fit *fit)
{
	struct candidate c[GROUP_MAX];
	uint64_t any_domain = rand_u16(p->group->of->all->rand);
	int place;

	for (size_t i = 0; i < fit->count; i++)
		c[i] = server_as_candidate(fit->servers[i]);
	while ((place = pick_next(p->group->conf->policy, any_domain, c, fit->count, 1)) >= 0) {
		add_addresses(p, fit->servers[place]);
		c[place].sends = 1;
	}
}

int passages_find(struct upstreams *u, const char *name, struct passages *p)
{
	struct fit fit = { .count = 0 };
	bool is_pending = false;

	p->count = 0;
	p->group = &u->now->groups[GROUP_DEFAULT];
	find_fit(&fit, u->now, name);
	for (size_t i = 0; i < fit.count; i++)
		is_pending |= want(fit.servers[i]);
	put_in_order(p, &fit);
	if (!p->count)
		return is_pending ? -EAGAIN : -EHOSTUNREACH;
	group_hold(p->group);
	return 0;
}

void passages_clear(struct passages *p)
{
	if (p->count)
		group_let_go(p->group);
	p->count = 0;
}

const char *passage_text(const struct passages *p, size_t i)
{
	return p->all[i].server->conf->text;
}

struct stream *passage_open(const struct passages *p, size_t i, struct stream_conf *conf)
{
	const struct server *s = p->all[i].server;
	const struct upstream_conf *all = s->all->conf;
	bool is_last = i + 1 == p->count;

	conf->open_ms =
		is_last || all->attempt_ms > all->connect_ms ? all->connect_ms : all->attempt_ms;
	conf->source = &s->conf->source;
	conf->interface = s->conf->interface;
	return stream_connect(s->all->loop, &p->all[i].to, NULL, NULL, conf);
}

/* Many clients may meet the same failure at once: that a server is down is said once. */
void passage_failed(const struct passages *p, size_t i, const struct fault *f)
{
	struct server *s = p->all[i].server;

	if (server_standing(s) == DOWN)
		server_complain(s, &p->all[i].to, f);
	else
		server_failed(s, &p->all[i].to, f);
}
