/* lookup: see lookup.h.
 *
 * One timer drives it: a server that has not replied when it fires is not given up, but the next
 * one is asked as well, and the first good reply wins. An exchange that is lost is replaced at
 * once. SERVFAIL, REFUSED and the like lose to a better reply of another server; the first of them
 * is kept for the case that there is none. The lookup fails when its deadline comes, or when nobody
 * is asked and nobody can be.
 */
#include "query/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Exchanges of one lookup at the same time; with all in use, it waits for them. */
#define TRIES_MAX 4

struct lookup;

/* An exchange that knows its lookup. */
struct
try {
	struct exchange exchange;
	struct lookup *lookup;
};

struct lookup {
	struct query_env *env;
	struct waiter *waiter;
	struct question question;
	struct ask ask;
	struct timer timer;
	uint64_t deadline_ms;
	unsigned running; /* tries */
	uint8_t *worse; /* a reply that is better than none; owned */
	size_t worse_len;
	uint8_t sends[GROUP_MAX];
	struct try tries[TRIES_MAX];
};

/* ---- ending ---- */

/* Wakes the waiter last, when nothing of the lookup is left but what it is told. */
static void finish(struct lookup *l, const struct result *r)
{
	struct waiter *w = l->waiter;
	uint8_t *worse = l->worse;

	timer_stop(l->env->loop, &l->timer);
	for (int i = 0; i < TRIES_MAX; i++)
		exchange_cancel(&l->tries[i].exchange);
	pool_put(&l->env->lookups, l);
	w->wake(w, r);
	free(worse);
}

/* There will be no good reply: the kept one, or the reason. */
static void give_up(struct lookup *l, enum ede ede, const char *why)
{
	struct reply worse;
	struct result r = { .reply = NULL, .ede = ede, .why = why };

	if (l->worse && reply_parse((struct span){ l->worse, l->worse_len }, &worse))
		r.reply = &worse;
	finish(l, &r);
}

/* ---- asking ---- */

static struct try *free_try(struct lookup *l)
{
	for (int i = 0; i < TRIES_MAX; i++)
		if (!l->tries[i].exchange.conn)
			return &l->tries[i];
	return NULL;
}

static int ask_server(struct lookup *l, struct server *s)
{
	struct try *t = free_try(l);

	if (!t)
		return -EAGAIN;
	int err = exchange_start(s, &t->exchange, &l->ask);

	if (err)
		return err;
	if (l->sends[server_index(s)]++ || l->running)
		l->env->metrics->exchanges_retried++;
	l->running++;
	return 0;
}

/* A stream does not lose messages: sending again on the one that is waited on is of no use. */
static bool is_waited_for(const struct lookup *l, const struct server *s)
{
	for (int i = 0; i < TRIES_MAX; i++)
		if (l->tries[i].exchange.conn && l->tries[i].exchange.server == s)
			return true;
	return false;
}

/* Asks the next server that can be asked. */
static int ask_next(struct lookup *l)
{
	uint8_t sends[GROUP_MAX];
	int err = -EAGAIN;

	memcpy(sends, l->sends, sizeof sends);
	for (size_t i = 0; i < GROUP_MAX && err; i++) {
		struct server *s = upstreams_pick(l->env->upstreams, sends);

		if (!s)
			return -EAGAIN;
		if (!is_waited_for(l, s))
			err = ask_server(l, s);
		if (err)
			sends[server_index(s)] = SENDS_PER_SERVER; /* not this one, not now */
	}
	return err;
}

static void start_timer(struct lookup *l)
{
	uint64_t now = loop_now(l->env->loop), left = l->deadline_ms - now;
	unsigned attempt = upstreams_attempt_ms(l->env->upstreams);

	timer_start(l->env->loop, &l->timer, left < attempt ? left : attempt);
}

static void on_timer(struct timer *t)
{
	struct lookup *l = container_of(t, struct lookup, timer);

	if (loop_now(l->env->loop) >= l->deadline_ms) {
		give_up(l, EDE_NO_REACHABLE_AUTHORITY, "no upstream answered in time");
		return;
	}
	ask_next(l);
	start_timer(l);
}

/* ---- replies ---- */

static bool is_good(const struct reply *r)
{
	return r->rcode != RCODE_SERVFAIL && r->rcode != RCODE_REFUSED &&
		r->rcode != RCODE_NOTIMP && r->rcode != RCODE_FORMERR && r->rcode != RCODE_BADVERS;
}

static void keep(struct lookup *l, const struct reply *r)
{
	if (l->worse)
		return;
	l->worse = malloc(r->message.len);
	if (!l->worse)
		return;
	memcpy(l->worse, r->message.at, r->message.len);
	l->worse_len = r->message.len;
}

static bool chokes_on_edns(const struct exchange *e, const struct reply *r)
{
	return e->edns && !r->has_opt && (r->rcode == RCODE_FORMERR || r->rcode == RCODE_NOTIMP);
}

/* SERVFAIL and the like: another server may do better, the same one will not. */
static void on_bad_reply(
	struct lookup *l, struct server *s, bool edns_is_the_cause, const struct reply *r)
{
	if (edns_is_the_cause) {
		server_shuns_edns(s);
		if (ask_server(l, s) == 0)
			return;
	}
	keep(l, r);
	l->sends[server_index(s)] = SENDS_PER_SERVER;
	if (ask_next(l) != 0 && !l->running)
		give_up(l, EDE_OTHER, NULL);
}

static void on_done(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	struct lookup *l = container_of(e, struct try, exchange)->lookup;

	l->running--;
	if (outcome == REPLIED && is_good(r)) {
		finish(l, &(struct result){ .reply = r });
	} else if (outcome == REPLIED) {
		on_bad_reply(l, e->server, chokes_on_edns(e, r), r);
	} else if (ask_next(l) != 0 && !l->running) {
		give_up(l, EDE_NETWORK_ERROR, "no upstream could be reached");
	}
}

/* ---- life ---- */

int lookup_ask(struct query_env *env, const struct ask *ask, struct waiter *w)
{
	struct lookup *l = pool_get(&env->lookups);

	if (!l)
		return -ENOMEM;
	memset(l, 0, sizeof *l);
	l->env = env;
	l->waiter = w;
	l->question = *ask->question;
	l->ask = *ask;
	l->ask.question = &l->question;
	l->deadline_ms = loop_now(env->loop) + env->conf->deadline_ms;
	l->timer.fire = on_timer;
	for (int i = 0; i < TRIES_MAX; i++) {
		l->tries[i].lookup = l;
		l->tries[i].exchange.done = on_done;
	}
	int err = ask_next(l);

	if (err) {
		pool_put(&env->lookups, l);
		return err;
	}
	start_timer(l);
	return 0;
}

void lookups_init(struct query_env *env)
{
	pool_init(&env->lookups, sizeof(struct lookup), env->conf->queries_max);
}
