/* lookup: see lookup.h.
 *
 * One timer drives it: a server that has not replied when it fires is later than it usually is; it
 * is not given up, but the next one is asked as well, and the first good reply wins. That may
 * happen to a twentieth of all lookups; beyond it, being late is the load, and asking more would
 * add to it. But no server is waited for alone for longer than upstream_conf.attempt_ms. An
 * exchange that is lost, or waits on a suspect connection, is replaced at once. SERVFAIL, REFUSED
 * and the like lose to a better reply of another server; the first of them is kept for the case
 * that there is none. Each waiter has its own deadline; the lookup ends with the last one, with a
 * reply, or when nobody is asked and nobody can be.
 */
#include "query/lookup.h"

#include "upstream/echo.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Exchanges of one lookup at the same time; with all in use, it waits for them. */
#define TRIES_MAX 4
/* Queries that wait for one lookup; more are told that there is no place. */
#define WAITERS_MAX 4096
#define BUCKETS     4096

struct lookup;

/* An exchange that knows its lookup. */
struct
try {
	struct exchange exchange;
	struct lookup *lookup;
	int place; /* of the server in the group */
	enum reason reason;
};

struct lookup {
	struct query_env *env;
	struct lookup *next; /* of those with the same bucket */
	uint64_t hash;
	struct list waiters; /* by deadline */
	size_t waiter_count;
	struct group *group;
	struct question question;
	struct ask ask;
	struct timer timer;
	uint64_t late_at_ms; /* the server asked last is late then */
	uint64_t alone_until_ms; /* it is not waited for alone any longer; 0: others are asked */
	bool joined; /* by a query that may be our own, come back */
	unsigned running; /* tries */
	uint8_t *worse; /* a reply that is better than none; owned */
	size_t worse_len;
	uint8_t sends[GROUP_MAX];
	bool wrong[GROUP_MAX]; /* replied with an error */
	struct try tries[TRIES_MAX];
	uint8_t name[NAME_MAX_WIRE];
};

static uint64_t now_ms(const struct lookup *l)
{
	return loop_now(l->env->loop);
}

/* ---- the same question ---- */

/* Everything that can change the answer. */
static uint64_t hash_of(const struct query_env *env, const struct ask *ask)
{
	const struct question *q = ask->question;
	uint8_t key[NAME_MAX_WIRE + 7];
	size_t len = q->name_len;

	for (size_t i = 0; i < len; i++)
		key[i] = (uint8_t)tolower(q->name[i]);
	put_u16(key + len, q->type);
	put_u16(key + len + 2, q->class);
	put_u16(key + len + 4, ask->flags);
	key[len + 6] = ask->dnssec_ok;
	return siphash(&env->key, key, len + 7);
}

static bool asks_the_same(const struct ask *a, const struct ask *b)
{
	return a->flags == b->flags && a->dnssec_ok == b->dnssec_ok &&
		question_equals(a->question, b->question);
}

static struct lookup **place_of(struct query_env *env, uint64_t hash)
{
	return &env->by_question[hash % BUCKETS];
}

static struct lookup *find(struct query_env *env, uint64_t hash, const struct ask *ask)
{
	struct lookup *l = *place_of(env, hash);

	while (l && (l->hash != hash || !asks_the_same(&l->ask, ask)))
		l = l->next;
	return l;
}

static void take_out(struct lookup *l)
{
	struct lookup **at = place_of(l->env, l->hash);

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
}

/* ---- ending ---- */

static void wake(struct waiter *w, const struct result *r)
{
	list_remove(&w->node);
	w->wake(w, r);
}

/* Wakes the waiters last, when nothing of the lookup is left but what they are told. */
static void finish(struct lookup *l, const struct result *r)
{
	struct list waiters, *node;
	uint8_t *worse = l->worse;

	timer_stop(l->env->loop, &l->timer);
	for (int i = 0; i < TRIES_MAX; i++)
		exchange_cancel(&l->tries[i].exchange);
	take_out(l);
	list_take(&l->waiters, &waiters);
	pool_put(&l->env->lookups, l);
	while ((node = list_first(&waiters)))
		wake(container_of(node, struct waiter, node), r);
	free(worse);
}

/* There is no good reply: the kept one, or the reason. */
static struct result failure(const struct lookup *l, enum ede ede, struct reply *worse)
{
	const struct fault *f = group_fault(l->group);
	struct result r = { .ede = ede, .why = f ? f->reason : "no upstream answered in time" };

	if (l->worse && reply_parse((struct span){ l->worse, l->worse_len }, worse))
		r.reply = worse;
	return r;
}

static void give_up(struct lookup *l, enum ede ede)
{
	struct reply worse;
	struct result r = failure(l, ede, &worse);

	finish(l, &r);
}

/* ---- asking ---- */

static struct try *free_try(struct lookup *l)
{
	for (int i = 0; i < TRIES_MAX; i++)
		if (!l->tries[i].exchange.lane)
			return &l->tries[i];
	return NULL;
}

static int ask_server(struct lookup *l, int place, enum reason reason)
{
	struct server *s = group_server(l->group, place);
	struct try *t = free_try(l);

	if (!t)
		return -EAGAIN;
	t->place = place;
	t->reason = reason;
	int err = exchange_start(s, &t->exchange, &l->ask);

	if (err)
		return err;
	server_asked(s, reason);
	l->sends[place]++;
	l->running++;
	l->late_at_ms = now_ms(l) + server_hedge_ms(s);
	if (reason != HEDGE)
		l->alone_until_ms = now_ms(l) + upstreams_attempt_ms(l->env->upstreams);
	return 0;
}

static struct attempts attempts_of(const struct lookup *l, enum reason reason)
{
	struct attempts a = { .only_up = reason == HEDGE };

	memcpy(a.sends, l->sends, sizeof a.sends);
	for (int i = 0; i < TRIES_MAX; i++) {
		const struct exchange *e = &l->tries[i].exchange;

		if (e->lane && !exchange_is_stuck(e))
			a.waiting[l->tries[i].place] = true;
	}
	return a;
}

/* Asks the next server that can be asked. Its place, or -1. */
static int ask_next(struct lookup *l, enum reason reason)
{
	struct attempts a = attempts_of(l, reason);
	int place;

	while ((place = group_pick(l->group, &a, &l->question)) >= 0) {
		if (ask_server(l, place, reason) == 0)
			return place;
		a.sends[place] = SENDS_PER_SERVER; /* not this one, not now */
	}
	return -1;
}

/* One server; two where they race, and where nobody is known to be good; or where it is time to see
 * how fast another one is. */
static bool ask_first(struct lookup *l)
{
	bool races = group_races(l->group);
	int first = ask_next(l, FIRST), other;

	if (first < 0)
		return false;
	if (races)
		ask_next(l, RACE);
	else if ((other = group_explore(l->group, first)) >= 0)
		ask_server(l, other, EXPLORE);
	return true;
}

/* ---- time ---- */

static const struct waiter *first_waiter(const struct lookup *l)
{
	return container_of(list_first(&l->waiters), struct waiter, node);
}

static void start_timer(struct lookup *l)
{
	uint64_t now = now_ms(l), at = first_waiter(l)->deadline_ms;

	if (l->late_at_ms > now && l->late_at_ms < at)
		at = l->late_at_ms;
	if (l->alone_until_ms && l->alone_until_ms < at)
		at = l->alone_until_ms;
	timer_start(l->env->loop, &l->timer, at > now ? at - now : 0);
}

/* Those whose time is over. False: that were all, and the lookup is gone. */
static bool dismiss_late(struct lookup *l)
{
	struct reply worse;
	struct result r = failure(l, EDE_NO_REACHABLE_AUTHORITY, &worse);
	struct list *node = list_first(&l->waiters), *last = l->waiters.prev;

	if (container_of(last, struct waiter, node)->deadline_ms <= now_ms(l)) {
		finish(l, &r);
		return false;
	}
	while (container_of(node, struct waiter, node)->deadline_ms <= now_ms(l)) {
		wake(container_of(node, struct waiter, node), &r);
		l->waiter_count--;
		node = list_first(&l->waiters);
	}
	return true;
}

static void on_late(struct lookup *l)
{
	for (int i = 0; i < TRIES_MAX && l->joined; i++)
		if (l->tries[i].exchange.lane)
			echo_suspect(l->tries[i].exchange.server, &l->question);
	if (group_has_other(l->group) && upstreams_may_hedge(l->env->upstreams))
		ask_next(l, HEDGE);
}

/* However many have been: once, the next server is asked as well. */
static void on_alone(struct lookup *l)
{
	l->alone_until_ms = 0;
	for (int i = 0; i < TRIES_MAX; i++)
		if (l->tries[i].exchange.lane)
			server_was_amiss(l->tries[i].exchange.server);
	if (l->running == 1 && group_has_other(l->group))
		ask_next(l, HEDGE);
}

static void on_timer(struct timer *t)
{
	struct lookup *l = container_of(t, struct lookup, timer);

	if (!dismiss_late(l))
		return;
	if (l->alone_until_ms && now_ms(l) >= l->alone_until_ms)
		on_alone(l);
	else if (now_ms(l) >= l->late_at_ms)
		on_late(l);
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
static void on_bad_reply(struct lookup *l, struct try *t, const struct reply *r)
{
	if (chokes_on_edns(&t->exchange, r)) {
		server_shuns_edns(t->exchange.server);
		if (ask_server(l, t->place, RETRY) == 0)
			return;
	}
	keep(l, r);
	l->wrong[t->place] = true;
	l->sends[t->place] = SENDS_PER_SERVER;
	if (ask_next(l, RETRY) < 0 && !l->running)
		give_up(l, EDE_OTHER);
}

static void on_good_reply(struct lookup *l, const struct try *t)
{
	if (t->reason == HEDGE)
		server_won_hedge(t->exchange.server);
	for (int i = 0; i < GROUP_MAX; i++)
		if (l->wrong[i])
			server_was_amiss(group_server(l->group, i));
}

static void on_done(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	struct try *t = container_of(e, struct try, exchange);
	struct lookup *l = t->lookup;

	l->running--;
	if (outcome == REPLIED && is_good(r)) {
		on_good_reply(l, t);
		finish(l, &(struct result){ .reply = r });
		return;
	}
	if (outcome == REPLIED) {
		on_bad_reply(l, t, r);
		return;
	}
	if (outcome == UNSENT)
		l->sends[t->place]--;
	else if (e->sent > 1) /* over UDP, it is sent again by itself */
		l->sends[t->place] = (uint8_t)(l->sends[t->place] + e->sent - 1);
	if (ask_next(l, RETRY) < 0 && !l->running)
		give_up(l, EDE_NETWORK_ERROR);
}

static void on_stalled(struct exchange *e)
{
	ask_next(container_of(e, struct try, exchange)->lookup, RETRY);
}

/* ---- life ---- */

static void add_waiter(struct lookup *l, struct waiter *w)
{
	unsigned ms = l->env->conf->deadline_ms, down_ms = group_down_ms(l->group);

	if (down_ms && ms > down_ms)
		ms = down_ms;
	w->deadline_ms = now_ms(l) + ms;
	struct list *after = l->waiters.prev;

	while (after != &l->waiters &&
		container_of(after, struct waiter, node)->deadline_ms > w->deadline_ms)
		after = after->prev;
	list_push(after->next, &w->node); /* behind `after` */
	l->waiter_count++;
}

static int join(struct lookup *l, struct waiter *w)
{
	if (l->waiter_count >= WAITERS_MAX)
		return -EAGAIN;
	l->env->metrics->coalesced++;
	l->joined = true;
	add_waiter(l, w);
	start_timer(l);
	return 0;
}

static struct lookup *lookup_new(struct query_env *env, const struct ask *ask, uint64_t hash)
{
	struct lookup *l = pool_get(&env->lookups);

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct lookup, name));
	l->env = env;
	l->hash = hash;
	l->group = upstreams_group(env->upstreams, ask->question);
	l->question = *ask->question;
	memcpy(l->name, ask->question->name, ask->question->name_len);
	l->question.name = l->name;
	l->ask = *ask;
	l->ask.question = &l->question;
	l->timer.fire = on_timer;
	list_init(&l->waiters);
	for (int i = 0; i < TRIES_MAX; i++) {
		l->tries[i].lookup = l;
		l->tries[i].exchange.done = on_done;
		l->tries[i].exchange.on_stalled = on_stalled;
	}
	return l;
}

int lookup_ask(struct query_env *env, const struct ask *ask, struct waiter *w)
{
	uint64_t hash = hash_of(env, ask);
	struct lookup *l = find(env, hash, ask);

	if (l)
		return join(l, w);
	l = lookup_new(env, ask, hash);
	if (!l)
		return -ENOMEM;
	upstreams_count_lookup(env->upstreams);
	group_wanted(l->group);
	add_waiter(l, w);
	if (!ask_first(l)) {
		pool_put(&env->lookups, l);
		return -EAGAIN;
	}
	l->next = *place_of(env, hash);
	*place_of(env, hash) = l;
	start_timer(l);
	return 0;
}

const char *lookup_refusal(struct query_env *env, const struct ask *ask)
{
	const struct fault *f = group_fault(upstreams_group(env->upstreams, ask->question));

	return f ? f->reason : "no upstream can be asked now";
}

int lookups_init(struct query_env *env)
{
	pool_init(&env->lookups, sizeof(struct lookup), env->conf->queries_max);
	for (unsigned i = 0; i < 8; i++)
		env->key.k[i / 4] = env->key.k[i / 4] << 16 | rand_u16(env->rand);
	env->by_question = calloc(BUCKETS, sizeof(struct lookup *));
	return env->by_question ? 0 : -ENOMEM;
}

void lookups_clear(struct query_env *env)
{
	pool_clear(&env->lookups);
	free(env->by_question);
}
