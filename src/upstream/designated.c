/* designated: servers that are given as the resolver which designates them, `ddr://ADDRESS` (RFC
 * 9462, the client's side).
 *
 * The resolver is asked in clear, over UDP or, where that is truncated, TCP, whom it designates,
 * and for the addresses of those of whom it gives none. Nothing of that need be believed: who is
 * found there is asked nothing before a certificate has proved that it speaks for the resolver's
 * address (§4.2), which is the one in server_conf. Nothing of what clients ask is in those
 * questions, and they are all that the resolver is asked.
 *
 * The resolver is a server of its own (struct server), which is in no generation: it lives and ends
 * with the server that it is asked for, and complains to nobody but us. A time of asking begins
 * with the designation; then, of all endpoints without addresses, both families at once. When all
 * are answered, or some are and the others are slow, the server gets what there is; what comes
 * later is added. After four seconds it is over. What was found last stays in use until there is
 * something newer. When it is begun again is said by again.h.
 */
#include "dns/text.h"
#include "upstream/again.h"
#include "upstream/chain.h"
#include "upstream/designation.h"
#include "upstream/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 4000
/* With some addresses, the others are waited for so long. */
#define OTHERS_MS 50
/* The server is wanted for so long after the last lookup. */
#define WANTED_MS 60000

enum { V6, V4, FAMILIES };

/* A question to the resolver. */
struct inquiry {
	struct exchange exchange;
	struct designated *of;
	struct question question;
	uint8_t name[NAME_MAX_WIRE];
	struct chain found; /* of addresses: what it said */
};

/* Who is where, of those in use. */
struct place {
	struct addr addr;
	char name[DESIGNATION_NAME];
};

struct places {
	struct place all[ADDRS_MAX]; /* the best first */
	size_t count;
	uint32_t ttl_s;
};

struct designated {
	struct server *server; /* for which this is */
	struct server *resolver;
	struct server_conf conf; /* of the resolver */
	struct again again;
	struct timer timer; /* what comes next, or the end of the TTL */
	/* This time: */
	bool running, heard, told, changed;
	uint16_t rcode; /* of the designation, if it was heard */
	uint64_t over_at_ms, enough_at_ms; /* enough: 0: nothing has come */
	struct inquiry who, where[DESIGNATION_MAX][FAMILIES];
	struct designation designation;

	struct places now; /* of the latest good one */
	char aim[DESIGNATION_NAME]; /* the server name of the latest connection */
};

static struct loop *loop_of(const struct designated *d)
{
	return d->server->all->loop;
}

static uint64_t now_ms(const struct designated *d)
{
	return loop_now(loop_of(d));
}

static bool is_wanted(const struct designated *d)
{
	const struct server *s = d->server;

	return s->current && s->wanted_ms && now_ms(d) - s->wanted_ms <= WANTED_MS;
}

/* ---- what is found ---- */

static bool has(const struct places *p, const struct addr *a)
{
	for (size_t i = 0; i < p->count; i++)
		if (addr_equal(&p->all[i].addr, a))
			return true;
	return false;
}

static void add(struct places *p, const struct designee *e, const struct addr *addrs, size_t count)
{
	for (size_t i = 0; i < count && i < DESIGNATION_ADDRS && p->count < ADDRS_MAX; i++) {
		struct place *to = &p->all[p->count];

		to->addr = addrs[i];
		addr_set_port(&to->addr, e->port);
		memcpy(to->name, e->name, sizeof to->name);
		p->count += !has(p, &to->addr);
	}
}

static void shorten(struct places *p, const struct chain *c)
{
	if (c->count && c->ttl_s < p->ttl_s)
		p->ttl_s = c->ttl_s;
}

/* Where everybody is, as far as it is known by now. */
static void find(const struct designated *d, struct places *p)
{
	p->count = 0;
	p->ttl_s = d->designation.ttl_s;
	for (size_t i = 0; i < d->designation.count; i++) {
		const struct designee *e = &d->designation.endpoints[i];
		const struct chain *v6 = &d->where[i][V6].found, *v4 = &d->where[i][V4].found;
		struct addr addrs[ADDRS_MAX];

		add(p, e, e->hints, e->hint_count);
		add(p, e, addrs, chain_interleave(v6, v4, addrs));
		shorten(p, v6);
		shorten(p, v4);
	}
}

static bool is_same(const struct places *a, const struct places *b)
{
	size_t same = 0;

	for (size_t i = 0; i < a->count; i++)
		same += has(b, &a->all[i].addr);
	return same == a->count && a->count == b->count;
}

/* Their order may be another one, and so may their names. */
static void tell_found(struct designated *d, const struct places *found)
{
	struct addr addrs[ADDRS_MAX];

	d->told = true;
	d->changed |= !is_same(found, &d->now);
	d->now = *found;
	again_found(&d->again, now_ms(d), found->ttl_s);
	for (size_t i = 0; i < found->count; i++)
		addrs[i] = found->all[i].addr;
	server_named(d->server, addrs, found->count);
}

const char *designated_name(const struct designated *d, const struct addr *addr)
{
	for (size_t i = 0; i < d->now.count; i++)
		if (addr_equal(&d->now.all[i].addr, addr))
			return d->now.all[i].name;
	return "";
}

void designated_aim(struct designated *d, const struct addr *to, struct tls_identity *identity)
{
	const char *name = designated_name(d, to);

	if (strcmp(name, d->aim) != 0) {
		tls_identity_clear(identity);
		snprintf(d->aim, sizeof d->aim, "%s", name);
	}
	identity->sni = *d->aim ? d->aim : NULL;
}

/* ---- what is wrong ---- */

static void set_fault(const struct designated *d, struct fault *f)
{
	static const char hint[] = "check the resolver's address and this host's network, or name "
				   "its encrypted server: tls://ADDRESS#NAME";
	const struct fault *cause = &d->resolver->known.last_fault;
	char where[ADDR_TEXT], rcode[TEXT_MAX];

	addr_print(&d->conf.addr, where);
	if (!d->heard)
		fault_set(f, PHASE_RESOLVE, "no-answer", hint,
			"%s does not tell whom it designates%s%.120s", where,
			cause->phase == PHASE_NONE ? "" : ": ",
			cause->phase == PHASE_NONE ? "" : cause->reason);
	else if (d->rcode != RCODE_NOERROR && d->rcode != RCODE_NXDOMAIN)
		fault_set(f, PHASE_RESOLVE, "no-designation", hint,
			"asked whom it designates, %s answers %s", where,
			text_rcode(d->rcode, rcode));
	else if (!d->designation.count)
		designation_fault(&d->designation, where, f);
	else
		fault_set(f, PHASE_RESOLVE, "no-address", hint,
			"%s designates %.120s and does not tell its address", where,
			d->designation.endpoints[0].name);
}

/* It may have been begun again before this returns. */
static void tell_failed(struct designated *d)
{
	struct fault f;

	d->server->all->metrics->names_failed++;
	set_fault(d, &f);
	again_wait(&d->again, now_ms(d), false);
	server_unnamed(d->server, &f);
}

/* ---- how far it is ---- */

static bool is_waiting(const struct designated *d)
{
	bool waiting = d->who.exchange.lane != NULL;

	for (size_t i = 0; i < d->designation.count; i++)
		waiting |= d->where[i][V6].exchange.lane || d->where[i][V4].exchange.lane;
	return waiting;
}

static void cancel_all(struct designated *d)
{
	exchange_cancel(&d->who.exchange);
	for (size_t i = 0; i < DESIGNATION_MAX; i++)
		for (int k = 0; k < FAMILIES; k++)
			exchange_cancel(&d->where[i][k].exchange);
	d->running = false;
}

static void finish(struct designated *d)
{
	cancel_all(d);
	if (d->told)
		again_wait(&d->again, now_ms(d), d->changed);
	else
		tell_failed(d);
	if (d->server->all->stopping || d->running)
		return;
	/* Without addresses, the server is down and looked after, which asks again. */
	if (d->told || d->now.count)
		timer_start(loop_of(d), &d->timer,
			(d->told ? d->again.expires_ms : d->again.not_before_ms) - now_ms(d));
}

/* Something has come, or some time is over. */
static void proceed(struct designated *d)
{
	bool over = !is_waiting(d) || now_ms(d) >= d->over_at_ms;
	struct places found;

	find(d, &found);
	if (found.count && !d->enough_at_ms)
		d->enough_at_ms = now_ms(d) + OTHERS_MS;
	if (found.count && (over || (!d->told && now_ms(d) >= d->enough_at_ms)))
		tell_found(d, &found);
	if (over) {
		finish(d);
		return;
	}
	uint64_t at = d->enough_at_ms && !d->told ? d->enough_at_ms : d->over_at_ms;

	timer_start(loop_of(d), &d->timer, at - now_ms(d));
}

/* ---- asking ---- */

/* What cannot be asked now is not known this time. */
static void start(struct inquiry *i)
{
	const struct ask ask = { .question = &i->question, .flags = DNS_RD };

	exchange_start(i->of->resolver, &i->exchange, &ask);
}

static void ask(struct inquiry *i)
{
	i->exchange.sent_before = 0;
	start(i);
}

/* Its connection died, which may be no fault of the resolver's. */
static void ask_again(struct inquiry *i)
{
	i->exchange.sent_before = (uint8_t)(i->exchange.sent_before + i->exchange.sent);
	if (i->exchange.sent_before < SENDS_PER_SERVER)
		start(i);
}

static void ask_for_addresses(struct designated *d)
{
	for (size_t i = 0; i < d->designation.count; i++) {
		const struct designee *e = &d->designation.endpoints[i];

		for (int k = 0; k < FAMILIES && !e->hint_count; k++) {
			struct inquiry *inquiry = &d->where[i][k];

			inquiry->question.name_len = name_from_text(e->name, inquiry->name);
			ask(inquiry);
		}
	}
}

static void on_who(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	struct inquiry *i = container_of(e, struct inquiry, exchange);
	struct designated *d = i->of;

	if (outcome == LOST)
		ask_again(i);
	if (outcome == REPLIED) {
		d->heard = true;
		d->rcode = r->rcode;
	}
	if (outcome == REPLIED && r->rcode == RCODE_NOERROR) {
		designation_read(r, d->server->all->rand, &d->designation);
		ask_for_addresses(d);
	}
	proceed(d);
}

static void on_where(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	struct inquiry *i = container_of(e, struct inquiry, exchange);

	if (outcome == LOST)
		ask_again(i);
	if (outcome == REPLIED)
		chain_read(r, i->question.type, &i->found);
	proceed(i->of);
}

/* ---- when ---- */

static bool may_begin(const struct designated *d)
{
	return !d->server->all->stopping && !again_pause_ms(&d->again, now_ms(d));
}

/* Whatever comes of it comes later, from the loop. */
static void begin(struct designated *d)
{
	d->running = true;
	d->heard = d->told = d->changed = false;
	d->enough_at_ms = 0;
	d->over_at_ms = now_ms(d) + DEADLINE_MS;
	d->designation = (struct designation){ .count = 0 };
	for (size_t i = 0; i < DESIGNATION_MAX; i++)
		d->where[i][V6].found.count = d->where[i][V4].found.count = 0;
	d->server->all->metrics->names_asked++;
	ask(&d->who);
	timer_start(loop_of(d), &d->timer, d->who.exchange.lane ? DEADLINE_MS : 0);
}

static void on_timer(struct timer *t)
{
	struct designated *d = container_of(t, struct designated, timer);

	if (d->running)
		proceed(d);
	else if (is_wanted(d) && may_begin(d))
		begin(d);
}

bool designated_ask(struct designated *d)
{
	if (!d->running && !may_begin(d))
		return false;
	if (!d->running)
		begin(d);
	return true;
}

void designated_refresh(struct designated *d)
{
	if (again_is_due(&d->again, now_ms(d)))
		designated_ask(d);
}

uint64_t designated_pause_ms(const struct designated *d)
{
	return d->running ? 0 : again_pause_ms(&d->again, now_ms(d));
}

/* On another network, the same address may be another resolver (RFC 9462 §4.1). */
void designated_changed(struct designated *d, enum change what)
{
	if (what != CHANGE_CLOCK)
		again_forgive(&d->again);
	server_changed(d->resolver, what);
	if (what != CHANGE_CLOCK && !d->running && d->again.is_known)
		timer_start(loop_of(d), &d->timer, 0);
}

/* ---- life ---- */

static void inquiry_init(struct designated *d, struct inquiry *i, uint16_t type,
	void (*done)(struct exchange *, enum outcome, const struct reply *))
{
	i->of = d;
	i->question = (struct question){ .name = i->name, .type = type, .class = CLASS_IN };
	i->exchange.done = done;
}

/* How the resolver is asked, from the configuration of the server. */
static void set_conf(struct designated *d)
{
	const struct server_conf *conf = d->server->conf;

	d->conf = (struct server_conf){ .text = conf->text,
		.scheme = SCHEME_UDP,
		.addr = conf->addr,
		.source = conf->source,
		.interface = conf->interface,
		.weight = conf->weight };
}

struct designated *designated_new(struct server *s)
{
	struct designated *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->server = s;
	set_conf(d);
	d->resolver = server_new(s->all, &d->conf);
	if (!d->resolver) {
		free(d);
		return NULL;
	}
	d->resolver->asked_for = s;
	d->resolver->current = true;
	again_init(&d->again);
	d->timer.fire = on_timer;
	inquiry_init(d, &d->who, TYPE_SVCB, on_who);
	d->who.question.name_len = name_from_text("_dns.resolver.arpa", d->who.name);
	for (size_t i = 0; i < DESIGNATION_MAX; i++) {
		inquiry_init(d, &d->where[i][V6], TYPE_AAAA, on_where);
		inquiry_init(d, &d->where[i][V4], TYPE_A, on_where);
	}
	return d;
}

void designated_renew(struct designated *d, const struct upstream_conf *before)
{
	set_conf(d);
	server_renew(d->resolver, &d->conf, before);
}

void designated_stop(struct designated *d)
{
	timer_stop(loop_of(d), &d->timer);
	cancel_all(d);
	server_stop(d->resolver);
}

bool designated_is_over(const struct designated *d)
{
	return server_is_over(d->resolver);
}

void designated_free(struct designated *d)
{
	if (!d)
		return;
	server_free(d->resolver);
	free(d);
}
