/* server: how a server stands, and what follows from that.
 *
 *	UNTRIED   nothing is known                           -> a reply: GOOD
 *	GOOD      it answered last                           -> late, or a failure: DOUBTFUL
 *	DOUBTFUL  it is late or wrong, or failed once        -> a reply: GOOD; a failure: DOWN
 *	DOWN      two or more connections came to nothing    -> a reply: GOOD
 *
 * A reply of a server that was late or wrong three times in a row makes it DOUBTFUL instead of
 *GOOD, until one comes that is neither.
 *
 * A failure is a connection that could not be made, or that died without having answered. The
 * first costs nothing: a fresh connection often does better. A name that cannot be resolved counts
 * as two, since every server that could know it has been asked. A server that is DOWN is asked no
 * client's question while there is another one; instead it is asked one of our own (`. NS`, which
 * tells nobody anything), first after a tenth of a second, then less and less often, as long as
 * anybody wants its group. Where there is no other one, questions wait for a server
 * that refuses or resets connections, for a second: it may just be started anew. Evidence that is a
 *minute old counts no more: it is UNTRIED again, so that after a long time without queries, the
 *first one does not fail for what once was.
 */
#include "upstream/server.h"

#include "base/bug.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_FIRST_MS 100
/* A server that is back is found within ten seconds. */
#define BACKOFF_MOST_MS 8000
/* A server that is down is dialled at most this often, however many want it. */
#define DIAL_PAUSE_MS 1000
/* One that has not been down for longer may just be started anew: it is worth waiting for. */
#define STUMBLE_MS 1000
/* Evidence counts, and probes go on after the last query, so long. */
#define MEMORY_MS 60000
/* So many replies in a row that are wrong or late make it a second choice. */
#define AMISS_MOST 3
/* A server that chokes on EDNS is asked with it again after this. */
#define NO_EDNS_MS (15 * 60 * 1000)
/* Gaps between exchanges longer than this are pauses, not traffic. */
#define GAP_MOST_MS 60000

static uint64_t now_ms(const struct server *s)
{
	return loop_now(s->all->loop);
}

/* ---- how it stands ---- */

static void stand(struct server *s, enum standing standing)
{
	if (s->known.standing == standing)
		return;
	s->known.standing = standing;
	s->known.standing_ms = now_ms(s);
}

static bool is_forgotten(const struct server *s)
{
	return now_ms(s) - s->evidence_ms > MEMORY_MS;
}

enum standing server_standing(const struct server *s)
{
	if (now_ms(s) < s->loops_until_ms)
		return DOWN;
	return is_forgotten(s) && s->known.standing > GOOD ? UNTRIED : s->known.standing;
}

struct candidate server_as_candidate(const struct server *s)
{
	return (struct candidate){ .standing = server_standing(s),
		.cost_us = s->known.rtt.smoothed_us + 2 * s->known.rtt.variation_us,
		.weight = s->conf->weight,
		.number = s->number };
}

/* 100 ms, doubled for each failure. */
static unsigned doubled_ms(const struct server *s, unsigned most)
{
	unsigned doublings = s->failures < 2 ? 0 : s->failures < 10 ? s->failures - 2 : 8;
	unsigned ms = (unsigned)BACKOFF_FIRST_MS << doublings;

	return ms < most ? ms : most;
}

static unsigned dial_pause_ms(const struct server *s)
{
	return doubled_ms(s, DIAL_PAUSE_MS);
}

/* What a server does that is being started anew. */
static bool is_of_a_restart(const struct fault *f)
{
	return strcmp(f->cause, "refused") == 0 || strcmp(f->cause, "reset") == 0 ||
		strcmp(f->cause, "closed") == 0;
}

bool server_stumbles(const struct server *s)
{
	return !s->all->stopping && server_standing(s) == DOWN &&
		now_ms(s) - s->known.standing_ms < STUMBLE_MS &&
		is_of_a_restart(&s->known.last_fault);
}

/* How long until its addresses may be looked for. */
static uint64_t seek_pause_ms(const struct server *s)
{
	return s->designated ? designated_pause_ms(s->designated) : names_pause_ms(s);
}

/* How long until it may be dialled. */
static uint64_t pause_ms(const struct server *s)
{
	uint64_t since = now_ms(s) - s->dialled_ms, pause = 0;

	if (server_standing(s) == DOWN && since < dial_pause_ms(s))
		pause = dial_pause_ms(s) - since;
	if (!s->addr_count && seek_pause_ms(s) > pause)
		pause = seek_pause_ms(s);
	return pause;
}

bool server_may_dial(const struct server *s)
{
	return !s->all->stopping && now_ms(s) >= s->loops_until_ms && !pause_ms(s);
}

/* Up to 8 s, and spread so that servers and workers do not come back in step. */
static unsigned back_off_ms(struct server *s)
{
	unsigned ms = doubled_ms(s, BACKOFF_MOST_MS);

	return ms / 2 + rand_below(s->all->rand, ms / 2 + 1);
}

/* Its failures are forgotten. */
static void forgive(struct server *s)
{
	s->failures = 0;
	timer_stop(s->all->loop, &s->probe_timer);
	if (s->known.standing > GOOD)
		stand(s, UNTRIED);
}

void server_changed(struct server *s, enum change what)
{
	if (s->designated)
		designated_changed(s->designated, what);
	forgive(s);
	for (int i = 0; i < LANES && what != CHANGE_CLOCK; i++)
		lane_rebind(&s->lanes[i], what == CHANGE_SLEPT);
}

void server_is_late(struct server *s)
{
	s->evidence_ms = now_ms(s);
	if (s->known.standing < DOUBTFUL)
		stand(s, DOUBTFUL);
}

/* A name that does not exist goes on not existing. */
static bool is_news(const struct server *s, const struct fault *f)
{
	const struct fault *last = &s->known.last_fault;

	return f->phase != PHASE_RESOLVE || last->phase != PHASE_RESOLVE ||
		strcmp(f->reason, last->reason) != 0;
}

static struct fault closed(void)
{
	struct fault f;

	fault_set(&f, PHASE_READ, "closed",
		"the server may be overloaded, or may not be a DNS server",
		"the server closed the connection without an answer");
	return f;
}

void server_complain(struct server *s, const struct addr *addr, const struct fault *fault)
{
	const struct fault said = fault->phase == PHASE_NONE ? closed() : *fault, *f = &said;
	enum log_level level = is_news(s, f) ? LOG_WARN : LOG_DEBUG;
	struct log_line l;
	char text[ADDR_TEXT];

	s->known.last_fault = *f;
	s->known.last_fault_ms = now_ms(s);
	s->known.errors[f->phase]++;
	if (s->asked_for)
		return; /* what that comes to is told of the other */
	log_begin(&l, level, "upstream failed");
	log_str(&l, "upstream", s->conf->text);
	if (addr)
		log_str(&l, "addr", addr_print(addr, text));
	log_str(&l, "phase", phase_name(f->phase));
	log_str(&l, "cause", f->cause);
	log_str(&l, "reason", f->reason);
	log_str(&l, "hint", f->hint);
	log_end(&l);
}

void server_loops(struct server *s, unsigned ms)
{
	struct fault f;

	fault_set(&f, PHASE_READ, "loop", "let one of the two ask somebody else",
		"the server sends our queries back to us: a loop");
	s->loops_until_ms = now_ms(s) + ms;
	server_complain(s, &s->known.addr, &f);
	for (int i = 0; i < LANES; i++)
		lane_end(&s->lanes[i], &f);
}

/* ---- probes ---- */

static const uint8_t root[] = { 0 };
static const struct question root_servers = { root, sizeof root, TYPE_NS, CLASS_IN };
/* Without RD: it is answered, or refused, by the server alone. */
const struct ask server_easy_question = { .question = &root_servers };

void server_look_after(struct server *s)
{
	bool can_ask = lane_is_open(&s->lanes[LANE_MAIN]) || server_may_dial(s);

	if (s->probe.lane || server_standing(s) != DOWN || !can_ask)
		return;
	if (exchange_start(s, &s->probe, &server_easy_question) == 0)
		s->known.probes++;
}

/* Whatever became of it has been noted where it happened. */
static void on_probed(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	(void)e;
	(void)outcome;
	(void)r;
}

static void on_probe_timer(struct timer *t)
{
	struct server *s = container_of(t, struct server, probe_timer);

	if (!s->wanted_ms || now_ms(s) - s->wanted_ms > MEMORY_MS || server_standing(s) != DOWN)
		return;
	if (pause_ms(s))
		timer_start(s->all->loop, t, pause_ms(s));
	else
		server_look_after(s);
}

/* ---- what happens to it ---- */

static void log_tls(struct log_line *l, const struct server_conf *conf, const struct tls_facts *f)
{
	log_str(l, "tls", f->version);
	log_str(l, "cipher", f->cipher);
	log_str(l, "group", f->group ? f->group : "none");
	if (!f->verified)
		log_fmt(l, "verified", "no: %s", f->doubt->reason);
	else if (conf->auth_name)
		log_fmt(l, "verified", conf->pin_count ? "name %s and pin" : "name %s",
			conf->auth_name);
	else if (conf->designated)
		log_str(l, "verified", conf->pin_count ? "address and pin" : "address");
	else
		log_str(l, "verified", conf->pin_count ? "pin" : "address");
	log_str(l, "resumed", f->resumed ? "yes" : "no");
}

static void log_connected(
	const struct server *s, const struct conn *c, const struct tls_facts *facts)
{
	enum log_level news = facts && !facts->verified ? LOG_WARN : LOG_INFO;
	char addr[ADDR_TEXT];
	struct log_line l;

	if (s->asked_for)
		return; /* no query goes there */
	log_begin(&l, s->known.standing == GOOD ? LOG_DEBUG : news, "upstream connected");
	log_str(&l, "upstream", s->conf->text);
	if (s->conf->host || s->conf->designated)
		log_str(&l, "addr", addr_print(&c->to, addr));
	if (s->conf->designated)
		log_str(&l, "designated", s->known.designated);
	if (facts)
		log_tls(&l, s->conf, facts);
	else
		log_str(&l, "tls", "none: in clear");
	log_end(&l);
}

void server_connected(struct server *s, const struct conn *c, const struct tls_facts *facts)
{
	s->known.opened++;
	s->all->metrics->connections++;
	s->known.facts = facts ? *facts : (struct tls_facts){ 0 };
	s->known.facts.doubt = NULL; /* it lives as long as the session */
	s->known.resumed += s->known.facts.resumed;
	s->all->metrics->connections_resumed += s->known.facts.resumed;
	s->known.addr = c->to;
	if (s->designated)
		snprintf(s->known.designated, sizeof s->known.designated, "%s",
			designated_name(s->designated, &c->to));
	s->known.connected_once = true;
	s->known.connected_ms = now_ms(s);
	log_connected(s, c, facts);
	if (list_empty(&c->lane->queue))
		server_look_after(s); /* a connection is no answer yet */
}

static void measure(struct server *s, const struct exchange *e)
{
	uint64_t us = loop_now_us(s->all->loop) - e->sent_us;

	if (e->sent > 1)
		return; /* who knows to which of them it is the reply (RFC 6298 §3) */
	rtt_measure(&s->known.rtt, us > UINT32_MAX ? UINT32_MAX : (uint32_t)us, now_ms(s));
}

static bool is_in_time(const struct server *s, const struct exchange *e)
{
	uint64_t took_ms = (loop_now_us(s->all->loop) - e->sent_us) / 1000;

	return took_ms < s->all->conf->attempt_ms;
}

void server_answered(struct server *s, const struct exchange *e, const struct reply *r)
{
	measure(s, e);
	s->known.responses++;
	s->known.servfails += r->rcode == RCODE_SERVFAIL;
	s->known.refusals += r->rcode == RCODE_REFUSED;
	s->evidence_ms = s->answered_ms = now_ms(s);
	s->failures = 0;
	if (is_in_time(s, e) && (r->rcode == RCODE_NOERROR || r->rcode == RCODE_NXDOMAIN))
		s->amiss = 0;
	if (s->known.standing == GOOD)
		return;
	timer_stop(s->all->loop, &s->probe_timer);
	stand(s, s->amiss >= AMISS_MOST ? DOUBTFUL : GOOD); /* who replies is not down */
}

void server_failed(struct server *s, const struct addr *addr, const struct fault *f)
{
	s->all->metrics->connections_failed += addr != NULL;
	if (is_forgotten(s))
		s->failures = 0;
	s->evidence_ms = now_ms(s);
	s->failures += addr ? 1 : 2;
	stand(s, s->failures > 1 ? DOWN : DOUBTFUL);
	if (s->known.standing == DOWN && !s->all->stopping)
		timer_start(s->all->loop, &s->probe_timer, back_off_ms(s));
	server_complain(s, addr, f);
}

/* ---- its addresses ---- */

bool server_seek(struct server *s)
{
	return s->designated ? designated_ask(s->designated) : names_ask(s);
}

void server_refresh(struct server *s)
{
	if (s->designated)
		designated_refresh(s->designated);
	else
		names_refresh(s);
}

void server_aim(struct server *s, const struct addr *to)
{
	if (s->designated)
		designated_aim(s->designated, to, &s->identity);
}

void server_take_addresses(struct server *s, const struct addr *addrs, size_t count)
{
	const struct upstream_conf *conf = s->all->conf;

	s->addr_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct addr a = addrs[i];

		if (!s->designated)
			addr_set_port(&a, addr_port(&s->conf->addr));
		if (!addr_is_heard(&a, conf->own, conf->own_count))
			s->addrs[s->addr_count++] = a;
	}
}

static bool has_addresses(const struct server *s, const struct addr *addrs, size_t count)
{
	size_t same = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < s->addr_count; k++)
			same += addr_equal(&addrs[i], &s->addrs[k]);
	return same == count && count == s->addr_count;
}

void server_named(struct server *s, const struct addr *addrs, size_t count)
{
	struct addr before[ADDRS_MAX];
	size_t before_count = s->addr_count;
	struct fault f;

	memcpy(before, s->addrs, sizeof before);
	server_take_addresses(s, addrs, count);
	if (!s->addr_count) {
		fault_set(&f, PHASE_RESOLVE, "loop",
			"sotto would ask itself: check the upstream's name, and `listen`",
			"all addresses of %s are where sotto itself listens",
			s->conf->host ? s->conf->host : s->conf->text);
		server_unnamed(s, &f);
		return;
	}
	s->awaits_names = false;
	bool same = has_addresses(s, before, before_count);

	if (!same)
		forgive(s);
	for (int i = 0; i < LANES; i++) {
		if (!same)
			s->lanes[i].address = 0;
		lane_readdress(&s->lanes[i]);
	}
}

void server_unnamed(struct server *s, const struct fault *f)
{
	s->awaits_names = false;
	if (s->addr_count)
		server_complain(s, NULL, f);
	else
		server_failed(s, NULL, f);
	for (int i = 0; i < LANES; i++) {
		if (s->addr_count)
			lane_pump(&s->lanes[i]);
		else
			lane_give_up(&s->lanes[i]);
	}
}

void server_shuns_edns(struct server *s)
{
	s->no_edns_until_ms = now_ms(s) + NO_EDNS_MS;
}

/* ---- exchanges ---- */

/* How far apart exchanges usually are: a connection for the next one may be worth keeping. */
static void note_gap(struct server *s)
{
	uint64_t gap = now_ms(s) - s->asked_ms;

	if (s->asked_ms) {
		if (gap > GAP_MOST_MS)
			gap = GAP_MOST_MS;
		s->gap_ms = s->gap_ms ? (unsigned)((3ull * s->gap_ms + gap) / 4) : (unsigned)gap;
	}
	s->asked_ms = now_ms(s);
}

int exchange_start(struct server *s, struct exchange *e, const struct ask *ask)
{
	if (s->all->stopping || !s->current)
		return -EAGAIN;
	e->server = s;
	e->ask = *ask;
	e->sent = 0;
	return lane_send(&s->lanes[LANE_MAIN], e);
}

bool server_is_trusted(const struct server *s)
{
	return s->conf->scheme == SCHEME_TLS && !s->conf->opportunistic;
}

unsigned server_hedge_ms(const struct server *s)
{
	unsigned ms = rtt_hedge_ms(&s->known.rtt), most = s->all->conf->attempt_ms;

	return ms < most ? ms : most;
}

void server_asked(struct server *s, enum reason reason)
{
	if (reason == FIRST)
		note_gap(s);
	s->known.hedges += reason == HEDGE;
	s->known.retries += reason == RETRY;
	s->all->metrics->exchanges_retried += reason != FIRST;
}

void server_was_amiss(struct server *s)
{
	if (++s->amiss >= AMISS_MOST)
		server_is_late(s);
}

void server_won_hedge(struct server *s)
{
	s->known.hedges_won++;
}

/* ---- life ---- */

/* Tickets stay: they are of the same server. */
static void set_identity(struct server *s)
{
	const struct server_conf *conf = s->conf;

	s->identity.name = conf->auth_name;
	s->identity.ip =
		conf->designated || (!conf->auth_name && !conf->pin_count) ? &conf->addr : NULL;
	s->identity.pin_count = conf->pin_count;
	memcpy(s->identity.pins, conf->pins, sizeof s->identity.pins);
	s->identity.opportunistic = conf->opportunistic;
}

static const struct transport *const transports[] = {
	[SCHEME_TLS] = &over_tls, [SCHEME_TCP] = &over_tcp, [SCHEME_UDP] = &over_udp
};

static void server_init(struct server *s, struct upstreams *all, const struct server_conf *conf)
{
	s->all = all;
	s->conf = s->known.conf = conf;
	s->known.standing_ms = loop_now(all->loop);
	s->probe_timer.fire = on_probe_timer;
	s->probe.done = on_probed;
	lane_init(&s->lanes[LANE_MAIN], s, transports[conf->scheme]);
	lane_init(&s->lanes[LANE_TCP], s, &over_tcp);
	if (conf->host || conf->designated)
		return;
	s->addrs[0] = conf->addr;
	s->addr_count = 1;
}

struct server *server_new(struct upstreams *all, const struct server_conf *conf)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	server_init(s, all, conf);
	if (conf->host) {
		s->host = names_host(all, conf);
		if (!s->host)
			goto fail;
	}
	if (conf->designated) {
		s->designated = designated_new(s);
		if (!s->designated)
			goto fail;
	}
	if (conf->scheme != SCHEME_TLS)
		return s;
	set_identity(s);
	s->tls = tls_client_new(conf->trust,
		&(struct tls_client_conf){
			.credentials = conf->credentials, .tls13 = conf->tls13 });
	if (s->tls)
		return s;

fail:
	server_free(s);
	return NULL;
}

void server_join(struct server *s)
{
	s->number = s->all->server_count++;
	list_push(&s->all->servers, &s->node);
	if (s->host)
		names_give(s->host, s);
}

void server_renew(
	struct server *s, const struct server_conf *conf, const struct upstream_conf *before)
{
	s->conf = s->known.conf = conf;
	if (conf->scheme == SCHEME_TLS)
		set_identity(s);
	if (s->designated)
		designated_renew(s->designated, before);
	for (int i = 0; i < LANES; i++)
		lane_renew(&s->lanes[i], before);
}

void server_retire(struct server *s)
{
	timer_stop(s->all->loop, &s->probe_timer);
	for (int i = 0; i < LANES; i++)
		lane_retire(&s->lanes[i]);
}

void server_stop(struct server *s)
{
	timer_stop(s->all->loop, &s->probe_timer);
	exchange_cancel(&s->probe);
	exchange_cancel(&s->echo);
	if (s->designated)
		designated_stop(s->designated);
	for (int i = 0; i < LANES; i++)
		lane_finish(&s->lanes[i]);
}

bool server_is_over(const struct server *s)
{
	for (int i = 0; i < LANES; i++)
		if (!list_empty(&s->lanes[i].conns))
			return false;
	return !s->designated || designated_is_over(s->designated);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	MUST(server_is_over(s));
	names_let_go(s->host);
	designated_free(s->designated);
	tls_identity_clear(&s->identity);
	tls_client_free(s->tls);
	free(s);
}
