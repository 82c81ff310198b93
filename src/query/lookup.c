/* lookup: see lookup.h.
 *
 * - ASKING: its round asks servers; queries join
 * - FOLLOWING: another worker asks; queries join
 * - LATE: a query's whole time was over before a reply came. Nobody joins: who comes asks anew, as
 *   the question or its answer may be lost. But a reply that comes is kept, and told to those who
 *   still wait; without them, no more servers are asked
 * - TELLING: it is over, and those who wait are told, some in each millisecond, so that nobody can
 *   collect a thousand answers to have them sent at once
 * - LEAVING: it has followed for long enough, but what it is told is on its way already
 *
 * It asks for as long as a query would, or those who joined it wait. Each waiter has its own
 * deadline; a waiter that is told of a failure leaves the others waiting.
 */
#include "query/lookup.h"

#include "cache/cache.h"
#include "query/flights.h"
#include "query/round.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Queries that are told in one millisecond. */
#define TOLD_AT_ONCE 256
#define BUCKETS      4096
/* How long a reply is still of use when everybody has been told that there is none. */
#define LATE_MS 2000

enum lookup_phase { ASKING, FOLLOWING, LATE, TELLING, LEAVING };

struct lookup {
	struct query_env *env;
	struct list node; /* in env->all_lookups */
	struct lookup *next; /* of those with the same bucket */
	enum lookup_phase phase;
	struct waiters waiters;
	struct timer timer;
	uint64_t until_ms; /* it asks, or listens, no longer */
	uint64_t late_ms; /* ASKING: then it is LATE, whoever waits */
	struct question question;
	struct result told; /* TELLING: this, in memory of ours */
	void *told_memory;
	struct flight flight;
	struct round round;
	struct key key;
	uint8_t name[NAME_MAX_WIRE];
};

static uint64_t now_ms(const struct lookup *l)
{
	return loop_now(l->env->loop);
}

/* ---- the same question ---- */

static struct lookup **place_of(struct query_env *env, const struct key *key)
{
	return &env->by_question[key->hash % BUCKETS];
}

static struct lookup *find(struct query_env *env, const struct key *key)
{
	struct lookup *l = *place_of(env, key);

	while (l && !key_equals(&l->key, key))
		l = l->next;
	return l;
}

static void put_in(struct lookup *l)
{
	struct lookup **at = place_of(l->env, &l->key);

	l->next = *at;
	*at = l;
}

static void take_out(struct lookup *l)
{
	struct lookup **at = place_of(l->env, &l->key);

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
}

/* ---- the end ---- */

/* Nobody joins it any more, here or in another worker. r: what those are told who follow it; NULL:
 * nothing came of it. */
static void retire(struct lookup *l, const struct result *r)
{
	struct flights *flights = l->env->shared->flights;

	take_out(l);
	if (l->phase == ASKING && flights)
		flights_land(flights, &l->flight, r);
}

static void lookup_free(struct lookup *l)
{
	struct query_env *env = l->env;

	timer_stop(env->loop, &l->timer);
	list_remove(&l->node);
	group_let_go(l->round.group);
	free(l->told_memory);
	pool_put(&env->lookups, l);
	query_env_rest(env);
}

static void tell_some(struct lookup *l)
{
	if (waiters_wake(&l->waiters, TOLD_AT_ONCE, &l->told))
		lookup_free(l);
	else
		timer_start(l->env->loop, &l->timer, 1);
}

/* Tells the waiters. Nothing else of the lookup goes on. */
static void tell(struct lookup *l, const struct result *r)
{
	struct packed *packed;

	l->phase = TELLING;
	l->told = *r;
	if (l->waiters.count > TOLD_AT_ONCE) {
		packed = l->told_memory = malloc(sizeof *packed + packed_size(r->packed));
		if (packed) {
			*packed = *r->packed;
			packed_move(packed, packed + 1);
			l->told.packed = packed;
			tell_some(l);
			return;
		}
	}
	waiters_wake(&l->waiters, SIZE_MAX, r);
	lookup_free(l);
}

static void finish(struct lookup *l, const struct result *r)
{
	if (l->phase != LATE)
		retire(l, r);
	tell(l, r);
}

/* ---- what it comes to ---- */

static void pack_outcome(
	const struct lookup *l, const struct outcome_of_round *o, struct packed *packed)
{
	const struct failure f = { RCODE_SERVFAIL, o->ede, o->why };
	const struct failure broken = { RCODE_SERVFAIL, EDE_INVALID_DATA, NULL };
	struct reply reply;

	if (!o->reply) {
		pack_failure(packed, l->env->packing, &l->question, &f);
		return;
	}
	reply = *o->reply;
	if (!o->trusted)
		reply.flags &= (uint16_t)~DNS_AD; /* RFC 4035 §4.9.3 */
	if (!pack_reply(packed, l->env->packing, &reply, &l->env->conf->limits))
		pack_failure(packed, l->env->packing, &l->question, &broken);
}

/* Keeps what the servers said, or that they failed. */
static void remember(const struct lookup *l, const struct result *r, bool server_said)
{
	struct cache *cache = l->env->shared->cache;
	int64_t now = loop_since_boot(l->env->loop);

	if (!cache)
		return;
	if (r->good)
		cache_store(cache, &l->key, r->packed, now);
	else
		cache_store_failure(cache, &l->key, r->packed, server_said, now);
}

static void on_over(struct round *round, const struct outcome_of_round *o)
{
	struct lookup *l = container_of(round, struct lookup, round);
	struct packed packed;

	pack_outcome(l, o, &packed);
	struct result r = { &packed, o->good && packed.worth != WORTH_FAILURE };

	if (r.good || l->phase == ASKING)
		remember(l, &r, o->reply);
	finish(l, &r);
}

/* ---- time ---- */

static void start_timer(struct lookup *l)
{
	uint64_t now = now_ms(l), at = l->until_ms;

	if (l->waiters.count && waiters_deadline(&l->waiters) < at)
		at = waiters_deadline(&l->waiters);
	if (l->phase == ASKING && l->late_ms < at)
		at = l->late_ms;
	timer_start(l->env->loop, &l->timer, at > now ? at - now : 0);
}

/* What those are told whose time is over before a reply has come. */
static struct result failure_so_far(const struct lookup *l, struct packed *packed)
{
	struct reply worse;
	struct outcome_of_round o = round_failure(&l->round, EDE_NO_REACHABLE_AUTHORITY, &worse);

	pack_outcome(l, &o, packed);
	return (struct result){ packed, false };
}

/* Its time is over. */
static void be_late(struct lookup *l)
{
	struct packed packed;
	struct result r = failure_so_far(l, &packed);
	uint64_t until_ms = now_ms(l) + (l->env->shared->cache ? LATE_MS : 0);

	remember(l, &r, r.packed->rcode != RCODE_SERVFAIL);
	retire(l, NULL);
	l->phase = LATE;
	if (l->until_ms < until_ms)
		l->until_ms = until_ms;
}

static void leave(struct lookup *l)
{
	take_out(l);
	l->phase = LEAVING;
	timer_stop(l->env->loop, &l->timer);
	if (flights_leave(l->env->shared->flights, &l->flight))
		lookup_free(l);
}

/* Whatever it does, nobody needs it. */
static void end(struct lookup *l)
{
	if (l->phase == FOLLOWING) {
		leave(l);
		return;
	}
	round_end(&l->round);
	if (l->phase == ASKING)
		retire(l, NULL);
	if (l->phase != LEAVING)
		lookup_free(l);
}

static void dismiss(struct lookup *l)
{
	struct packed packed;
	struct result r = failure_so_far(l, &packed);

	waiters_dismiss(&l->waiters, now_ms(l), &r);
}

static void on_timer(struct timer *t)
{
	struct lookup *l = container_of(t, struct lookup, timer);

	if (l->phase == TELLING) {
		tell_some(l);
		return;
	}
	if (l->phase == ASKING && (l->late_ms <= now_ms(l) || l->until_ms <= now_ms(l)))
		be_late(l); /* first, so that who asks again when told does not join it */
	if (l->waiters.count && waiters_deadline(&l->waiters) <= now_ms(l))
		dismiss(l);
	if (l->phase == LATE && !l->waiters.count) {
		round_settle(&l->round);
		list_remove(&l->node);
		list_unshift(&l->env->all_lookups, &l->node);
	}
	if (l->until_ms > now_ms(l))
		start_timer(l);
	else
		end(l);
}

/* ---- the beginning ---- */

static bool is_answered(const struct lookup *l)
{
	struct cache *cache = l->env->shared->cache;

	return cache && cache_is_fresh(cache, &l->key, loop_since_boot(l->env->loop));
}

/* As of lookup_ask(). Somebody may have landed between a look into the cache and the take-off; a
 * refresh knows what is there. */
static int begin(struct lookup *l, bool refreshes)
{
	struct flights *flights = l->env->shared->flights;
	int err = 0;

	l->phase = FOLLOWING;
	if (flights && !flights_take_off(flights, &l->flight))
		return 0;
	l->phase = ASKING;
	l->late_ms = now_ms(l) + l->env->conf->deadline_ms;
	if (flights && !refreshes && is_answered(l))
		err = -EEXIST;
	else if (!round_begin(&l->round, l->key.checking_disabled ? DNS_CD : 0, l->key.dnssec_ok))
		err = -EAGAIN;
	if (err && flights)
		flights_land(flights, &l->flight, NULL);
	return err;
}

/* The worker that asked has told what it came to, or that nothing did: then it is on us. */
static void on_landed(struct flight *f, const struct result *r)
{
	struct lookup *l = container_of(f, struct lookup, flight);
	struct packed packed;

	if (l->phase == LEAVING) {
		lookup_free(l);
		return;
	}
	if (r) {
		finish(l, r);
	} else if (begin(l, true) == 0) {
		start_timer(l);
	} else {
		struct result failure = failure_so_far(l, &packed);

		take_out(l);
		tell(l, &failure);
	}
}

/* Memory of a new one. Where all is in use, one that is late, and that nobody waits for, gives way:
 * those who flood us with names that nobody answers would hold twice what their queries hold. */
static struct lookup *get(struct query_env *env)
{
	struct lookup *l = pool_get(&env->lookups);
	struct list *first = list_first(&env->all_lookups);

	if (l || !first)
		return l;
	l = container_of(first, struct lookup, node);
	if (l->phase != LATE || l->waiters.count)
		return NULL;
	end(l);
	return pool_get(&env->lookups);
}

static struct lookup *lookup_new(struct query_env *env, const struct lookup_question *q)
{
	struct lookup *l = get(env);

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct lookup, key));
	l->env = env;
	l->key = *q->key;
	l->question = *q->question;
	memcpy(l->name, q->question->name, q->question->name_len);
	l->question.name = l->name;
	l->timer.fire = on_timer;
	waiters_init(&l->waiters);
	l->flight = (struct flight){ &l->key, env->loop, .landed = on_landed };
	l->round.loop = env->loop;
	l->round.upstreams = env->upstreams;
	l->round.group = q->group;
	group_hold(q->group);
	l->round.question = &l->question;
	l->round.over = on_over;
	list_push(&env->all_lookups, &l->node);
	return l;
}

/* How long it is asked for, if somebody wants to know within that time. */
static unsigned patience_ms(const struct query_env *env, struct group *g, unsigned within_ms)
{
	unsigned down_ms = group_down_ms(g);

	if (within_ms > env->conf->deadline_ms)
		within_ms = env->conf->deadline_ms;
	return down_ms && down_ms < within_ms ? down_ms : within_ms;
}

static void add_waiter(struct lookup *l, struct waiter *w, unsigned within_ms)
{
	w->deadline_ms = now_ms(l) + patience_ms(l->env, l->round.group, within_ms);
	if (w->deadline_ms > l->until_ms)
		l->until_ms = w->deadline_ms;
	waiters_add(&l->waiters, w);
}

static void join(struct lookup *l, struct waiter *w, unsigned within_ms)
{
	l->env->metrics->coalesced++;
	l->round.joined = true;
	add_waiter(l, w, within_ms);
	start_timer(l);
}

/* A lookup under way, which nobody waits for yet. */
static struct lookup *start(
	struct query_env *env, const struct lookup_question *q, bool refreshes, int *err)
{
	struct lookup *l = lookup_new(env, q);

	*err = l ? begin(l, refreshes) : -ENOMEM;
	if (!*err) {
		put_in(l);
		l->until_ms = now_ms(l) + patience_ms(env, q->group, UINT_MAX);
		env->metrics->coalesced += l->phase == FOLLOWING;
		return l;
	}
	if (l)
		lookup_free(l);
	return NULL;
}

int lookup_ask(struct query_env *env, const struct lookup_question *q, struct waiter *w,
	unsigned within_ms)
{
	struct lookup *l = find(env, q->key);
	int err;

	if (l) {
		join(l, w, within_ms);
		return 0;
	}
	l = start(env, q, false, &err);
	if (!l)
		return err;
	add_waiter(l, w, within_ms);
	start_timer(l);
	return 0;
}

void lookup_refresh(struct query_env *env, const struct lookup_question *q)
{
	struct lookup *l;
	int err;

	if (find(env, q->key))
		return;
	l = start(env, q, true, &err);
	if (l)
		start_timer(l);
}

const char *lookup_refusal(struct group *g)
{
	const struct fault *f = group_fault(g);

	return f ? f->reason : "no upstream can be asked now";
}

/* One that follows another worker's ends when that has landed. */
static void end_all(struct query_env *env)
{
	list_each_safe (node, &env->all_lookups)
		end(container_of(node, struct lookup, node));
}

int lookups_init(struct query_env *env)
{
	pool_init(&env->lookups, sizeof(struct lookup), env->conf->queries_max);
	list_init(&env->all_lookups);
	env->end_lookups = end_all;
	env->by_question = calloc(BUCKETS, sizeof(struct lookup *));
	return env->by_question ? 0 : -ENOMEM;
}

void lookups_clear(struct query_env *env)
{
	pool_clear(&env->lookups);
	free(env->by_question);
}
