/* names: the addresses of servers that are given by host name.
 *
 * Nothing is resolved through ourselves. A name is asked of the servers of the group
 * GROUP_BOOTSTRAP, which are given by address; one of a single label, of the system's resolver, in
 * another thread. Servers of one host share one answer. It is asked for again when its TTL is over,
 * as long as anybody wants a server of the host; until there is a newer one, the last good one
 * stays in use. What an earlier run has saved, or else the configuration gives, is used until it is
 * known better.
 *
 * A host is resolved by two inquiries, one for each family of addresses. An inquiry asks one
 * bootstrap server, and the next one when it fails or is later than usual. When both are over, or
 * one has found addresses and the other is slow, the servers of the host get what there is; what
 * comes later is added. After four seconds it is over.
 *
 * When it is begun again is said by again.h; but it is every second where nothing is known and no
 * bootstrap server could be reached, since that costs no more than looking after those servers.
 */
#include "dns/name.h"
#include "net/system_names.h"
#include "upstream/again.h"
#include "upstream/chain.h"
#include "upstream/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 4000
/* With addresses of one family, those of the other are waited for so long (RFC 8305 §3). */
#define OTHER_FAMILY_MS 50
/* The system's resolver tells none. */
#define TTL_SYSTEM_S 60

/* A host is wanted for so long after the last lookup. */
#define WANTED_MS 60000

/* Exchanges of one inquiry at the same time. */
#define TRIES_MAX 3

enum { V6, V4, FAMILIES };

/* An exchange that knows its inquiry. */
struct
try {
	struct exchange exchange;
	struct inquiry *inquiry;
	int place; /* of the server in the group */
};

enum stage { IDLE, ASKING, ANSWERED, FAILED };

struct inquiry {
	struct host *host;
	struct question question;
	struct ask ask;
	enum stage stage;
	uint8_t sends[GROUP_MAX];
	unsigned running; /* tries */
	uint64_t late_at_ms; /* the server asked last is late then; 0: there is no other */
	struct try tries[TRIES_MAX];
	bool was_heard; /* a bootstrap server has said something */
	struct chain found;
	bool no_such_name;
};

struct host {
	struct list node; /* in all->hosts */
	struct upstreams *all;
	unsigned servers; /* that have it; 0: it goes, at the latest when nothing works for it */
	struct generation *asked; /* whose bootstrap servers are asked this time; or NULL */
	uint8_t wire[NAME_MAX_WIRE];
	struct inquiry inquiries[FAMILIES];
	bool running;
	bool told, changed; /* addresses came this time; and are others */
	uint64_t over_at_ms, enough_at_ms; /* of this time; enough: 0: nothing has come */
	struct again again; /* known: addrs come from a resolver */
	struct timer timer; /* what comes next, or the end of the TTL */
	struct addr addrs[ADDRS_MAX]; /* the latest good ones; the port is 0 */
	size_t count;
	/* The system's resolver, for a name of one label. */
	struct work work;
	bool working;
	struct system_names system;
	char name[];
};

static uint64_t now_ms(const struct host *h)
{
	return loop_now(h->all->loop);
}

static bool is_of_system(const struct host *h)
{
	return system_names_know(h->name);
}

static struct group *bootstrap_of(const struct host *h)
{
	return &h->asked->groups[GROUP_BOOTSTRAP];
}

/* Calls the function for each server of the host. */
static void each_server(struct host *h,
	void (*tell)(struct host *, struct server *, const struct fault *), const struct fault *f)
{
	list_each_safe (node, &h->all->servers) {
		struct server *s = container_of(node, struct server, node);

		if (s->host == h)
			tell(h, s, f);
	}
}

static bool is_wanted(const struct host *h)
{
	const struct list *all = &h->all->servers;

	for (const struct list *node = all->next; node != all; node = node->next) {
		const struct server *s = container_of(node, struct server, node);

		if (s->host == h && s->current && s->wanted_ms &&
			now_ms(h) - s->wanted_ms <= WANTED_MS)
			return true;
	}
	return false;
}

/* ---- what is found ---- */

static void tell_named(struct host *h, struct server *s, const struct fault *f)
{
	(void)f;
	server_named(s, h->addrs, h->count);
}

static void tell_unnamed(struct host *h, struct server *s, const struct fault *f)
{
	(void)h;
	server_unnamed(s, f);
}

static bool is_found(const struct host *h)
{
	return h->inquiries[V6].found.count || h->inquiries[V4].found.count;
}

/* Of that family: what was found, or, where nobody has answered, what was known before. */
static struct chain latest(const struct host *h, int family)
{
	struct chain old = { 0 };

	if (h->inquiries[family].stage == ANSWERED)
		return h->inquiries[family].found;
	for (size_t i = 0; i < h->count; i++)
		if ((h->addrs[i].any.sa_family == AF_INET6) == (family == V6))
			old.addrs[old.count++] = h->addrs[i];
	return old;
}

static uint32_t ttl_s(const struct host *h)
{
	uint32_t ttl = UINT32_MAX;

	for (int i = 0; i < FAMILIES; i++) {
		const struct chain *found = &h->inquiries[i].found;

		if (found->count && found->ttl_s < ttl)
			ttl = found->ttl_s;
	}
	return ttl;
}

/* The servers get what was found. Where that is nothing new, they keep the order of what they have,
 * which knows what worked. */
static void tell_found(struct host *h)
{
	const struct chain v6 = latest(h, V6), v4 = latest(h, V4);
	struct addr addrs[ADDRS_MAX];
	size_t count = chain_interleave(&v6, &v4, addrs);

	h->told = true;
	again_found(&h->again, now_ms(h), ttl_s(h));
	if (!addresses_same(addrs, count, h->addrs, h->count)) {
		h->changed = true;
		memcpy(h->addrs, addrs, count * sizeof *addrs);
		h->count = count;
	}
	addresses_keep(&h->all->addresses, h->name, h->addrs, h->count);
	each_server(h, tell_named, NULL);
}

/* ---- what is wrong ---- */

static void system_fault(const struct host *h, struct fault *f)
{
	const struct upstream_conf *conf = h->all->conf;

	for (size_t i = 0; !h->working && i < h->system.server_count; i++) {
		if (!addr_is_heard(&h->system.servers[i], conf->own, conf->own_count))
			continue;
		fault_set(f, PHASE_RESOLVE, "loop",
			"give the upstream by address, or add the host to /etc/hosts",
			"the system's resolver, which would know the address of %s, is sotto itself",
			h->name);
		return;
	}
	fault_set(f, PHASE_RESOLVE, h->working ? "timeout" : "not-found",
		"check `getent hosts`, /etc/hosts and /etc/resolv.conf",
		"the system's resolver finds no address of %s: %s", h->name,
		h->working ? "it does not answer" : h->system.reason);
}

static void bootstrap_fault(const struct host *h, struct fault *f)
{
	const struct inquiry *v6 = &h->inquiries[V6], *v4 = &h->inquiries[V4];
	const struct fault *cause = group_fault(bootstrap_of(h));

	if (v6->stage == ANSWERED && v4->stage == ANSWERED)
		fault_set(f, PHASE_RESOLVE, v4->no_such_name ? "no-such-name" : "no-address",
			"check how the upstream's name is spelled",
			v4->no_such_name ? "there is no host %s" : "the host %s has no address",
			h->name);
	else
		fault_set(f, PHASE_RESOLVE, "no-bootstrap",
			"check `bootstrap` and this host's network",
			"no bootstrap server tells the address of %s%s%.150s", h->name,
			cause ? ": " : "", cause ? cause->reason : "");
}

/* Nothing was found; what is known is still of use. */
static void tell_failed(struct host *h)
{
	bool was_reached = h->inquiries[V6].was_heard || h->inquiries[V4].was_heard;
	struct fault f;

	h->all->metrics->names_failed++;
	if (is_of_system(h))
		system_fault(h, &f);
	else
		bootstrap_fault(h, &f);
	again_wait(&h->again, now_ms(h), !h->count && !is_of_system(h) && !was_reached);
	each_server(h, tell_unnamed, &f);
}

/* ---- how far it is ---- */

static void inquiry_stop(struct inquiry *i)
{
	for (int k = 0; k < TRIES_MAX; k++)
		exchange_cancel(&i->tries[k].exchange);
	i->running = 0;
	i->late_at_ms = 0;
}

static bool is_over(const struct host *h)
{
	return now_ms(h) >= h->over_at_ms ||
		(h->inquiries[V6].stage != ASKING && h->inquiries[V4].stage != ASKING);
}

static void stop(struct host *h)
{
	for (int i = 0; i < FAMILIES; i++)
		inquiry_stop(&h->inquiries[i]);
	h->running = false;
}

/* It may have been begun again before this returns. */
static void finish(struct host *h)
{
	struct generation *asked = h->asked;
	bool told = h->told;

	stop(h);
	if (told)
		again_wait(&h->again, now_ms(h), h->changed);
	else
		tell_failed(h);
	generation_let_go(asked);
	if (h->all->stopping || h->running)
		return;
	h->asked = NULL;
	/* Without addresses, servers are down and looked after, which asks again. */
	if (told || h->count)
		timer_start(h->all->loop, &h->timer,
			(told ? h->again.expires_ms : h->again.not_before_ms) - now_ms(h));
}

static uint64_t earlier(uint64_t at, uint64_t other)
{
	return other && other < at ? other : at;
}

static void start_timer(struct host *h)
{
	uint64_t at = h->over_at_ms;

	for (int i = 0; i < FAMILIES; i++)
		at = earlier(at, h->inquiries[i].late_at_ms);
	if (!h->told)
		at = earlier(at, h->enough_at_ms);
	timer_start(h->all->loop, &h->timer, at > now_ms(h) ? at - now_ms(h) : 0);
}

/* Something has come of an inquiry, or some time is over. */
static void proceed(struct host *h)
{
	bool over = is_over(h);

	if (is_found(h) && !h->enough_at_ms)
		h->enough_at_ms = now_ms(h) + OTHER_FAMILY_MS;
	if (is_found(h) && (over || (!h->told && now_ms(h) >= h->enough_at_ms)))
		tell_found(h);
	if (over)
		finish(h);
	else
		start_timer(h);
}

/* ---- asking bootstrap servers ---- */

static int ask_server(struct inquiry *i, int place)
{
	struct server *s = group_server(bootstrap_of(i->host), place);

	for (int k = 0; k < TRIES_MAX; k++) {
		struct try *t = &i->tries[k];

		if (t->exchange.lane)
			continue;
		t->place = place;
		t->exchange.sent_before = i->sends[place];
		int err = exchange_start(s, &t->exchange, &i->ask);

		if (err)
			return err;
		i->sends[place]++;
		i->running++;
		i->late_at_ms = now_ms(i->host) + server_hedge_ms(s);
		return 0;
	}
	return -EAGAIN;
}

/* Asks the next server that can be asked; false: there is none. */
static bool ask_next(struct inquiry *i)
{
	struct group *g = bootstrap_of(i->host);
	struct attempts a = { 0 };
	int place;

	memcpy(a.sends, i->sends, sizeof a.sends);
	for (int k = 0; k < TRIES_MAX; k++)
		if (i->tries[k].exchange.lane && !exchange_is_stuck(&i->tries[k].exchange))
			a.waiting[i->tries[k].place] = true;
	i->late_at_ms = 0;
	while ((place = group_pick(g, &a, &i->question)) >= 0) {
		if (ask_server(i, place) == 0)
			return true;
		a.sends[place] = SENDS_PER_SERVER; /* not this one, not now */
	}
	return false;
}

static void on_done(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	struct try *t = container_of(e, struct try, exchange);
	struct inquiry *i = t->inquiry;

	i->running--;
	if (e->sent > 1) /* over UDP, it is sent again by itself */
		i->sends[t->place] = (uint8_t)(i->sends[t->place] + e->sent - 1);
	i->was_heard |= outcome == REPLIED;
	if (outcome == REPLIED && (r->rcode == RCODE_NOERROR || r->rcode == RCODE_NXDOMAIN)) {
		chain_read(r, i->question.type, &i->found);
		i->no_such_name = r->rcode == RCODE_NXDOMAIN;
		i->stage = ANSWERED;
		inquiry_stop(i);
	} else {
		if (outcome == REPLIED) /* another server may do better, this one will not */
			i->sends[t->place] = SENDS_PER_SERVER;
		if (!ask_next(i) && !i->running)
			i->stage = FAILED;
	}
	proceed(i->host);
}

static void on_stalled(struct exchange *e)
{
	ask_next(container_of(e, struct try, exchange)->inquiry);
}

static void inquiry_begin(struct inquiry *i)
{
	memset(i->sends, 0, sizeof i->sends);
	i->found = (struct chain){ 0 };
	i->no_such_name = i->was_heard = false;
	i->stage = ask_next(i) ? ASKING : FAILED;
}

/* ---- asking the system ---- */

static void host_free(struct host *h)
{
	list_remove(&h->node);
	free(h);
}

static void on_work(struct work *w)
{
	struct host *h = container_of(w, struct host, work);

	system_names_find(&h->system, h->name);
}

static void take_system(struct host *h)
{
	for (int i = 0; i < FAMILIES; i++) {
		struct chain *found = &h->inquiries[i].found;

		*found = (struct chain){ .ttl_s = TTL_SYSTEM_S };
		h->inquiries[i].stage = ANSWERED;
		for (size_t k = 0; k < h->system.count && found->count < ADDRS_MAX; k++)
			if ((h->system.addrs[k].any.sa_family == AF_INET6) == (i == V6))
				found->addrs[found->count++] = h->system.addrs[k];
	}
}

static void set_out(struct host *h)
{
	h->running = true;
	h->asked = h->all->now;
	generation_hold(h->asked);
	h->told = h->changed = false;
	h->enough_at_ms = 0;
	h->over_at_ms = now_ms(h) + DEADLINE_MS;
}

/* It may have taken longer than anybody waits; what it found is of use all the same. */
static void on_worked(struct work *w)
{
	struct host *h = container_of(w, struct host, work);

	h->working = false;
	if (!h->servers) {
		host_free(h);
		return;
	}
	if (h->all->stopping || (!h->running && !h->system.count))
		return;
	if (!h->running)
		set_out(h);
	take_system(h);
	proceed(h);
}

static void ask_system(struct host *h)
{
	for (int i = 0; i < FAMILIES; i++) {
		h->inquiries[i].found = (struct chain){ 0 };
		h->inquiries[i].stage = ASKING;
	}
	if (!h->working)
		h->working = loop_work(h->all->loop, &h->work) == 0;
}

/* ---- when ---- */

static bool may_begin(const struct host *h)
{
	return !h->all->stopping && !again_pause_ms(&h->again, now_ms(h));
}

/* Whatever comes of it comes later, from the loop. */
static void begin(struct host *h)
{
	set_out(h);
	h->all->metrics->names_asked++;
	timer_start(h->all->loop, &h->timer, 0);
	if (is_of_system(h)) {
		ask_system(h);
		return;
	}
	group_wanted(bootstrap_of(h));
	for (int i = 0; i < FAMILIES; i++)
		inquiry_begin(&h->inquiries[i]);
}

static void on_timer(struct timer *t)
{
	struct host *h = container_of(t, struct host, timer);

	if (!h->running) {
		if (is_wanted(h) && may_begin(h))
			begin(h);
		return;
	}
	for (int i = 0; i < FAMILIES; i++) {
		struct inquiry *inquiry = &h->inquiries[i];

		if (inquiry->stage == ASKING && inquiry->late_at_ms &&
			now_ms(h) >= inquiry->late_at_ms)
			ask_next(inquiry);
	}
	proceed(h);
}

bool names_ask(struct server *s)
{
	struct host *h = s->host;

	if (!h || (!h->running && !may_begin(h)))
		return false;
	if (!h->running)
		begin(h);
	return true;
}

void names_refresh(struct server *s)
{
	const struct host *h = s->host;

	if (h && again_is_due(&h->again, now_ms(h)))
		names_ask(s);
}

uint64_t names_pause_ms(const struct server *s)
{
	const struct host *h = s->host;

	return !h || h->running || may_begin(h) ? 0 : again_pause_ms(&h->again, now_ms(h));
}

void names_changed(struct upstreams *u, enum change what)
{
	if (what == CHANGE_CLOCK)
		return;
	list_each_safe (node, &u->hosts) {
		struct host *h = container_of(node, struct host, node);

		if (!h->servers)
			continue;
		again_forgive(&h->again);
		if (!h->running && h->again.is_known)
			timer_start(u->loop, &h->timer, 0);
	}
}

/* ---- life ---- */

static void inquiry_init(struct inquiry *i, struct host *h, uint16_t type)
{
	i->host = h;
	i->question =
		(struct question){ h->wire, name_from_text(h->name, h->wire), type, CLASS_IN };
	i->ask = (struct ask){ .question = &i->question, .flags = DNS_RD };
	for (int k = 0; k < TRIES_MAX; k++) {
		i->tries[k].inquiry = i;
		i->tries[k].exchange.done = on_done;
		i->tries[k].exchange.on_stalled = on_stalled;
	}
}

/* What an earlier run has saved, which is what was known last, or else the configuration gives. */
static const struct addr *given(const struct server_conf *conf, size_t *count)
{
	*count = conf->saved_count ? conf->saved_count : conf->hint_count;
	return conf->saved_count ? conf->saved : conf->hints;
}

static void take(struct host *h, const struct addr *addrs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		h->addrs[i] = addrs[i];
	h->count = count;
}

static void host_init(struct host *h, struct upstreams *u, const struct server_conf *conf)
{
	const struct addr *addrs;
	size_t count;

	h->all = u;
	memcpy(h->name, conf->host, strlen(conf->host) + 1);
	again_init(&h->again);
	h->timer.fire = on_timer;
	h->work = (struct work){ on_work, on_worked };
	addrs = given(conf, &count);
	take(h, addrs, count);
	inquiry_init(&h->inquiries[V6], h, TYPE_AAAA);
	inquiry_init(&h->inquiries[V4], h, TYPE_A);
	list_push(&u->hosts, &h->node);
}

struct host *names_host(struct upstreams *u, const struct server_conf *conf)
{
	struct host *h;

	list_each_safe (node, &u->hosts) {
		h = container_of(node, struct host, node);
		if (h->servers && strcmp(h->name, conf->host) == 0) {
			h->servers++;
			return h;
		}
	}
	h = calloc(1, sizeof *h + strlen(conf->host) + 1);
	if (!h)
		return NULL;
	host_init(h, u, conf);
	h->servers = 1;
	return h;
}

void names_give(const struct host *h, struct server *s)
{
	server_take_addresses(s, h->addrs, h->count);
}

/* Its first server, which gives addresses for all of them. NULL: none is asked any more. */
static const struct server *first_of(const struct host *h)
{
	const struct upstreams *u = h->all;

	for (size_t i = 0; i < u->conf->count; i++)
		if (u->now->servers[i]->host == h)
			return u->now->servers[i];
	return NULL;
}

void names_renew(struct upstreams *u)
{
	list_each_safe (node, &u->hosts) {
		struct host *h = container_of(node, struct host, node);
		const struct server *s = first_of(h);
		size_t count = 0;
		const struct addr *addrs = s ? given(s->conf, &count) : NULL;

		if (!count || h->again.is_known || addresses_same(addrs, count, h->addrs, h->count))
			continue;
		take(h, addrs, count);
		each_server(h, tell_named, NULL);
	}
}

static void host_stop(struct host *h)
{
	timer_stop(h->all->loop, &h->timer);
	if (h->running)
		generation_let_go(h->asked);
	h->asked = NULL;
	stop(h);
}

void names_let_go(struct host *h)
{
	if (!h || --h->servers || h->all->ended)
		return;
	host_stop(h);
	if (!h->working)
		host_free(h);
}

void names_stop(struct upstreams *u)
{
	list_each_safe (node, &u->hosts)
		host_stop(container_of(node, struct host, node));
}

void names_clear(struct upstreams *u)
{
	list_each_safe (node, &u->hosts)
		host_free(container_of(node, struct host, node));
}
