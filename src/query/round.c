/* round: see round.h.
 *
 * One timer drives it: a server that has not replied when it fires is later than it usually is; it
 * is not given up, but the next one is asked as well, and the first good reply wins. That may
 * happen to a twentieth of all lookups; beyond it, being late is the load, and asking more would
 * add to it. But no server is waited for alone for longer than upstream_conf.attempt_ms. An
 * exchange that is lost, or waits on a suspect connection, is replaced at once. SERVFAIL, REFUSED
 * and the like lose to a better reply of another server; the first of them is kept for the case
 * that there is none.
 */
#include "query/round.h"

#include "upstream/echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_ms(const struct round *r)
{
	return loop_now(r->loop);
}

static void start_timer(struct round *r)
{
	uint64_t now = now_ms(r), at = r->alone_until_ms;

	if (r->late_at_ms > now && (!at || r->late_at_ms < at))
		at = r->late_at_ms;
	if (at)
		timer_start(r->loop, &r->timer, at > now ? at - now : 0);
}

/* ---- asking ---- */

static struct try *free_try(struct round *r)
{
	for (int i = 0; i < TRIES_MAX; i++)
		if (!r->tries[i].exchange.lane)
			return &r->tries[i];
	return NULL;
}

/* How often that server was asked, also by exchanges that wait and have sent again by themselves.
 */
static uint8_t sends_to(const struct round *r, int place)
{
	unsigned sends = r->sends[place];

	for (int i = 0; i < TRIES_MAX; i++) {
		const struct exchange *e = &r->tries[i].exchange;

		if (e->lane && r->tries[i].place == place && e->sent > 1)
			sends += e->sent - 1u;
	}
	return (uint8_t)sends;
}

static int ask_server(struct round *r, int place, enum reason reason)
{
	struct server *s = group_server(r->group, place);
	struct try *t = free_try(r);
	uint8_t sends = sends_to(r, place);

	if (!t || sends >= SENDS_PER_SERVER)
		return -EAGAIN;
	t->place = place;
	t->reason = reason;
	t->exchange.sent_before = sends;
	int err = exchange_start(s, &t->exchange, &r->ask);

	if (err)
		return err;
	server_asked(s, reason);
	r->sends[place]++;
	r->running++;
	r->late_at_ms = now_ms(r) + server_hedge_ms(s);
	if (reason != HEDGE)
		r->alone_until_ms = now_ms(r) + upstreams_attempt_ms(r->upstreams);
	start_timer(r);
	return 0;
}

static struct attempts attempts_of(const struct round *r, enum reason reason)
{
	struct attempts a = { .only_up = reason == HEDGE };

	memcpy(a.sends, r->sends, sizeof a.sends);
	for (int i = 0; i < TRIES_MAX; i++) {
		const struct exchange *e = &r->tries[i].exchange;

		if (e->lane && !exchange_is_stuck(e))
			a.waiting[r->tries[i].place] = true;
	}
	return a;
}

/* Asks the next server that can be asked. Its place, or -1. */
static int ask_next(struct round *r, enum reason reason)
{
	struct attempts a = attempts_of(r, reason);
	int place;

	while (!r->settled && (place = group_pick(r->group, &a, r->question)) >= 0) {
		if (ask_server(r, place, reason) == 0)
			return place;
		a.sends[place] = SENDS_PER_SERVER; /* not this one, not now */
	}
	return -1;
}

/* One server; two where they race, and where nobody is known to be good; or where it is time to see
 * how fast another one is. */
static bool ask_first(struct round *r)
{
	bool races = group_races(r->group);
	int first = ask_next(r, FIRST), other;

	if (first < 0)
		return false;
	if (races)
		ask_next(r, RACE);
	else if ((other = group_explore(r->group, first)) >= 0)
		ask_server(r, other, EXPLORE);
	return true;
}

/* ---- time ---- */

static void on_late(struct round *r)
{
	for (int i = 0; i < TRIES_MAX && r->joined; i++)
		if (r->tries[i].exchange.lane)
			echo_suspect(r->tries[i].exchange.server, r->question);
	if (group_has_other(r->group) && upstreams_may_hedge(r->upstreams))
		ask_next(r, HEDGE);
}

/* However many have been: once, the next server is asked as well. */
static void on_alone(struct round *r)
{
	r->alone_until_ms = 0;
	for (int i = 0; i < TRIES_MAX; i++)
		if (r->tries[i].exchange.lane)
			server_was_amiss(r->tries[i].exchange.server);
	if (r->running == 1 && group_has_other(r->group))
		ask_next(r, HEDGE);
}

static void on_timer(struct timer *t)
{
	struct round *r = container_of(t, struct round, timer);

	if (r->alone_until_ms && now_ms(r) >= r->alone_until_ms)
		on_alone(r);
	else if (now_ms(r) >= r->late_at_ms)
		on_late(r);
	start_timer(r);
}

/* ---- the end ---- */

void round_end(struct round *r)
{
	timer_stop(r->loop, &r->timer);
	for (int i = 0; i < TRIES_MAX; i++)
		exchange_cancel(&r->tries[i].exchange);
	free(r->worse);
	r->worse = NULL;
}

struct outcome_of_round round_failure(const struct round *r, enum ede ede, struct reply *worse)
{
	const struct fault *f = group_fault(r->group);
	struct outcome_of_round o = { .ede = ede,
		.why = f ? f->reason : "no upstream answered in time" };

	if (r->worse && reply_parse((struct span){ r->worse, r->worse_len }, worse)) {
		o.reply = worse;
		o.trusted = r->worse_trusted;
	}
	return o;
}

/* There is no good reply, and there will be none. */
static void give_up(struct round *r, enum ede ede)
{
	struct reply worse;
	struct outcome_of_round o = round_failure(r, ede, &worse);
	uint8_t *message = r->worse;

	r->worse = NULL; /* stays for as long as the owner reads it */
	round_end(r);
	r->over(r, &o);
	free(message);
}

/* ---- replies ---- */

static bool is_good(const struct reply *reply)
{
	switch (reply->rcode) {
	case RCODE_SERVFAIL:
	case RCODE_REFUSED:
	case RCODE_NOTIMP:
	case RCODE_FORMERR:
	case RCODE_BADVERS:
		return false;
	default:
		return true;
	}
}

static void keep(struct round *r, const struct try *t, const struct reply *reply)
{
	if (r->worse)
		return;
	r->worse = malloc(reply->message.len);
	if (!r->worse)
		return;
	memcpy(r->worse, reply->message.at, reply->message.len);
	r->worse_len = reply->message.len;
	r->worse_trusted = server_is_trusted(t->exchange.server);
}

static bool chokes_on_edns(const struct exchange *e, const struct reply *reply)
{
	return e->edns && !reply->has_opt &&
		(reply->rcode == RCODE_FORMERR || reply->rcode == RCODE_NOTIMP);
}

/* SERVFAIL and the like: another server may do better, the same one will not. */
static void on_bad_reply(struct round *r, struct try *t, const struct reply *reply)
{
	if (chokes_on_edns(&t->exchange, reply) && !r->settled) {
		server_shuns_edns(t->exchange.server);
		if (ask_server(r, t->place, RETRY) == 0)
			return;
	}
	keep(r, t, reply);
	r->wrong[t->place] = true;
	r->sends[t->place] = SENDS_PER_SERVER;
	if (ask_next(r, RETRY) < 0 && !r->running)
		give_up(r, EDE_OTHER);
}

static void on_good_reply(struct round *r, const struct try *t, const struct reply *reply)
{
	const struct outcome_of_round o = {
		.reply = reply, .good = true, .trusted = server_is_trusted(t->exchange.server)
	};

	if (t->reason == HEDGE)
		server_won_hedge(t->exchange.server);
	for (int i = 0; i < GROUP_MAX; i++)
		if (r->wrong[i])
			server_was_amiss(group_server(r->group, i));
	round_end(r);
	r->over(r, &o);
}

static void on_done(struct exchange *e, enum outcome outcome, const struct reply *reply)
{
	struct try *t = container_of(e, struct try, exchange);
	struct round *r = t->round;

	r->running--;
	if (outcome == UNSENT)
		r->sends[t->place]--;
	else if (e->sent > 1) /* over UDP, it is sent again by itself */
		r->sends[t->place] = (uint8_t)(r->sends[t->place] + e->sent - 1);
	if (outcome == REPLIED) {
		if (is_good(reply))
			on_good_reply(r, t, reply);
		else
			on_bad_reply(r, t, reply);
		return;
	}
	if (ask_next(r, RETRY) < 0 && !r->running)
		give_up(r, EDE_NETWORK_ERROR);
}

static void on_stalled(struct exchange *e)
{
	ask_next(container_of(e, struct try, exchange)->round, RETRY);
}

/* ---- the beginning ---- */

bool round_begin(struct round *r, uint16_t flags, bool dnssec_ok)
{
	/* AD asks for AD (RFC 6840 §5.7); who gets it is up to each answer. */
	r->ask = (struct ask){ r->question, DNS_RD | DNS_AD | flags, dnssec_ok };
	r->timer.fire = on_timer;
	for (int i = 0; i < TRIES_MAX; i++) {
		r->tries[i].round = r;
		r->tries[i].exchange.done = on_done;
		r->tries[i].exchange.on_stalled = on_stalled;
	}
	upstreams_count_lookup(r->upstreams);
	group_wanted(r->group);
	return ask_first(r);
}

void round_settle(struct round *r)
{
	r->settled = true;
	timer_stop(r->loop, &r->timer);
}
