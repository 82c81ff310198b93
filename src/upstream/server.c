#include "upstream/server.h"

#include "base/bug.h"
#include "base/log.h"
#include "upstream/pick.h"

#include <errno.h>
#include <stdlib.h>

#define BACKOFF_FIRST_MS 250
#define BACKOFF_MOST_MS  30000
/* A server that chokes on EDNS is asked with it again after this. */
#define NO_EDNS_MS (15 * 60 * 1000)

/* ---- servers ---- */

static bool server_init(struct server *s, struct upstreams *all, const struct server_conf *conf)
{
	s->all = all;
	s->conf = conf;
	s->transport = &over_tls;
	list_init(&s->conns);
	s->identity.name = conf->auth_name;
	if (!conf->auth_name && !conf->pin_count)
		s->identity.ip = &conf->addr;
	s->identity.pin_count = conf->pin_count;
	for (unsigned i = 0; i < conf->pin_count; i++)
		for (unsigned k = 0; k < TLS_PIN_LEN; k++)
			s->identity.pins[i][k] = conf->pins[i][k];
	s->tls = tls_client_new(conf->trust);
	return s->tls != NULL;
}

static void server_clear(struct server *s)
{
	MUST(list_empty(&s->conns));
	tls_identity_clear(&s->identity);
	tls_client_free(s->tls);
}

size_t server_index(const struct server *s)
{
	return (size_t)(s - s->all->servers);
}

void server_shuns_edns(struct server *s)
{
	s->no_edns_until_ms = loop_now(s->all->loop) + NO_EDNS_MS;
}

static void verified_by(struct log_line *l, const struct server_conf *c)
{
	if (c->auth_name)
		log_fmt(l, "verified", c->pin_count ? "name %s and pin" : "name %s", c->auth_name);
	else
		log_str(l, "verified", c->pin_count ? "pin" : "address");
}

void server_connected(struct server *s, const struct tls_facts *facts)
{
	struct log_line l;

	s->all->metrics->connections++;
	s->all->metrics->connections_resumed += facts->resumed;
	log_begin(&l, s->up ? LOG_DEBUG : LOG_INFO, "upstream connected");
	log_str(&l, "upstream", s->conf->text);
	log_str(&l, "tls", facts->version);
	log_str(&l, "cipher", facts->cipher);
	log_str(&l, "group", facts->group ? facts->group : "none");
	verified_by(&l, s->conf);
	log_str(&l, "resumed", facts->resumed ? "yes" : "no");
	log_end(&l);
}

void server_answered(struct server *s)
{
	s->failures = 0;
	s->retry_at_ms = 0;
	s->up = true;
}

void server_complain(const struct server *s, const struct fault *f)
{
	struct log_line l;
	char addr[ADDR_TEXT];

	log_begin(&l, LOG_WARN, "upstream failed");
	log_str(&l, "upstream", s->conf->text);
	log_str(&l, "addr", addr_print(&s->conf->addr, addr));
	log_str(&l, "phase", phase_name(f->phase));
	log_str(&l, "cause", f->cause);
	log_str(&l, "reason", f->reason);
	log_str(&l, "hint", f->hint);
	log_end(&l);
}

/* The first failure costs nothing: a fresh connection often does better. From the second in a row
 * on it is 250 ms, doubled for each up to 30 s, and spread so that servers and workers do not come
 * back in step. */
static void back_off(struct server *s)
{
	if (!s->failures++)
		return;
	unsigned doublings = s->failures < 9 ? s->failures - 2 : 7;
	uint64_t ms = (uint64_t)BACKOFF_FIRST_MS << doublings;

	if (ms > BACKOFF_MOST_MS)
		ms = BACKOFF_MOST_MS;
	s->retry_at_ms = loop_now(s->all->loop) + ms / 2 + rand_below(s->all->rand, (uint32_t)ms);
}

void server_lost(struct server *s, const struct fault *f, bool useless)
{
	struct fault silent_end;

	if (!useless)
		return;
	if (f->phase == PHASE_NONE) {
		fault_set(&silent_end, PHASE_READ, "closed",
			"the server may be overloaded, or may not be a DNS server",
			"the server closed the connection without an answer");
		f = &silent_end;
	}
	s->all->metrics->connections_failed++;
	s->up = false;
	back_off(s);
	server_complain(s, f);
}

/* ---- choosing ---- */

struct server *upstreams_pick(struct upstreams *u, const uint8_t sends[GROUP_MAX])
{
	struct candidate c[GROUP_MAX];

	for (size_t i = 0; i < u->count; i++) {
		const struct server *s = &u->servers[i];

		c[i] = (struct candidate){ s->conn != NULL, s->retry_at_ms, s->dialled_ms,
			sends[i] };
	}
	int next = pick_next(c, u->count, SENDS_PER_SERVER, loop_now(u->loop));

	return next < 0 ? NULL : &u->servers[next];
}

unsigned upstreams_attempt_ms(const struct upstreams *u)
{
	return u->conf->attempt_ms;
}

/* ---- exchanges ---- */

int exchange_start(struct server *s, struct exchange *e, const struct ask *ask)
{
	struct upstreams *u = s->all;

	if (!s->conn) {
		if (u->stopping)
			return -EAGAIN;
		s->dialled_ms = loop_now(u->loop);
		if (!s->transport->open(s))
			return -ENOMEM;
	}
	e->server = s;
	e->question = ask->question;
	e->edns = loop_now(u->loop) >= s->no_edns_until_ms;
	e->sent_ms = loop_now(u->loop);
	int err = s->transport->send(s->conn, e, ask);

	if (err)
		return err;
	e->conn = s->conn;
	u->metrics->exchanges++;
	return 0;
}

void exchange_cancel(struct exchange *e)
{
	if (!e->conn)
		return;
	e->server->transport->forget(e->conn, e);
	e->conn = NULL;
}

void exchange_end(struct exchange *e, enum outcome outcome, const struct reply *reply)
{
	e->conn = NULL;
	e->done(e, outcome, reply);
}

/* ---- life ---- */

static void tell_idle(struct task *t)
{
	struct upstreams *u = container_of(t, struct upstreams, gone);

	u->idle(u->idle_arg);
}

static bool any_conn(const struct upstreams *u)
{
	for (size_t i = 0; i < u->count; i++)
		if (!list_empty(&u->servers[i].conns))
			return true;
	return false;
}

void server_conn_freed(struct server *s)
{
	if (s->all->stopping && !any_conn(s->all))
		loop_later(s->all->loop, &s->all->gone);
}

struct upstreams *upstreams_new(struct loop *loop, const struct upstream_conf *conf,
	struct rand *rand, struct metrics *metrics)
{
	struct upstreams *u = calloc(1, sizeof *u + conf->count * sizeof *u->servers);

	if (!u)
		return NULL;
	u->loop = loop;
	u->conf = conf;
	u->rand = rand;
	u->metrics = metrics;
	u->gone.run = tell_idle;
	for (; u->count < conf->count; u->count++)
		if (!server_init(&u->servers[u->count], u, &conf->servers[u->count])) {
			upstreams_free(u);
			return NULL;
		}
	return u;
}

void upstreams_stop(struct upstreams *u, void (*idle)(void *arg), void *arg)
{
	u->stopping = true;
	u->idle = idle;
	u->idle_arg = arg;
	for (size_t i = 0; i < u->count; i++)
		if (u->servers[i].conn)
			u->servers[i].transport->finish(u->servers[i].conn);
	if (!any_conn(u))
		loop_later(u->loop, &u->gone);
}

void upstreams_free(struct upstreams *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->count; i++)
		server_clear(&u->servers[i]);
	free(u);
}
