#include "query/stages.h"

#include "query/lookup.h"
#include "query/recorder.h"
#include "query/ruling.h"
#include "query/tell.h"
#include "upstream/echo.h"

#include <errno.h>
#include <string.h>

/* What the TTLs of a stale answer are (RFC 8767 §4). */
#define STALE_TTL_S 30

/* What we asked a server has come back: the answer tells us so. It is shaped before we return. */
static enum verdict answer_echo(struct query *q)
{
	static const struct pack_limits none = { 0 };
	struct query_env *env = q->env;
	uint8_t message[ECHO_REPLY_MAX];
	struct reply reply = echo_reply(env->upstreams, &q->request.question, message);

	pack_reply(&env->found.packed, env->found.memory, &reply, &none);
	q->answer.packed = &env->found.packed;
	return ANSWER;
}

/* Who asks too much over datagrams, in his own name or another's, hears nothing; and every second
 * time TC, so that who is taken for him comes over a stream, where he is heard. */
static enum verdict say_too_often(struct query *q, unsigned beyond)
{
	q->env->metrics->pace_dropped += beyond % 2;
	q->env->metrics->pace_truncated += !(beyond % 2);
	if (beyond % 2)
		return DROP;
	q->answer.truncate = true;
	return ANSWER;
}

/* A forwarder that is believed may say for whom it asks. False: what it says makes no sense. */
static bool take_behind(struct query *q)
{
	const struct acl *believed = &q->env->conf->forwarders;
	const struct span options = q->request.edns.options;

	if (!believed->count || !options.len || !acl_has(believed, q->client->peer))
		return true;
	q->behind = &q->env->behind;
	return behind_read(q->behind, options);
}

/* May this client ask, and is it a question we take? One place for all transports. */
static enum verdict stage_admit(struct query *q)
{
	enum rcode rcode = RCODE_NOERROR;
	enum ede ede = EDE_NONE;
	enum admission a = query_parse(q->message, &q->request, &rcode, &ede);

	if (q->env->conf->dump & DUMP_ALL)
		query_dump(q);
	if (a == ADMIT_DROP) {
		tell_invalid(q);
		return DROP;
	}
	if (q->env->conf->queries_per_second && !q->client->stream) {
		unsigned beyond = query_pace(q->env, q->client->peer, false);

		if (beyond)
			return say_too_often(q, beyond);
	}
	if (!acl_allows(&q->env->conf->allow, q->client->peer))
		return query_refuse(
			q, RCODE_REFUSED, EDE_PROHIBITED, "this client may not ask here");
	if (a == ADMIT_REFUSE) {
		tell_invalid(q);
		return query_refuse(q, rcode, ede, NULL);
	}
	if (!take_behind(q)) {
		tell_invalid(q);
		return query_refuse(q, RCODE_FORMERR, EDE_NONE, NULL);
	}
	/* All types at once is what amplifiers ask for; a stream proves the address (RFC 8482
	 * §4.4). */
	if (q->request.question.type == TYPE_ANY && !q->client->stream) {
		q->answer.truncate = true;
		return ANSWER;
	}
	if (echo_is_ours(q->env->upstreams, &q->request.question))
		return answer_echo(q);
	return NEXT;
}

/* ---- from here ---- */

static enum verdict answer_discovery(struct query *q)
{
	struct query_env *env = q->env;
	struct discovery d;

	q->client->ops->discover(q->client, &d);
	discovery_answer(&env->found.packed, env->found.memory, q->asked, &d);
	q->answer.packed = &env->found.packed;
	q->answer.authoritative = true;
	return ANSWER;
}

/* What no server may be asked, and zones cannot send elsewhere. */
static enum verdict stage_local(struct query *q)
{
	return discovery_is_asked(q->asked) ? answer_discovery(q) : NEXT;
}

/* ---- from the cache ---- */

static bool is_fresh_only(const struct query *q)
{
	const struct query_conf *conf = q->env->conf;
	const struct question *asked = q->asked;

	for (size_t i = 0; i < conf->fresh_only_count; i++)
		if (name_is_below(asked->name, asked->name_len, conf->fresh_only[i].name,
			    conf->fresh_only[i].name_len))
			return true;
	return false;
}

static struct group *group_of(const struct query *q)
{
	return q->group ? q->group : upstreams_group(q->env->upstreams, q->asked);
}

static void make_key(struct query *q)
{
	struct query_env *env = q->env;

	env->group = group_of(q);
	struct key_scope scope = { group_number(env->group), q->request.edns.dnssec_ok,
		q->request.flags & DNS_CD };

	key_make(&env->key, &env->shared->key, q->asked, &scope);
	env->key.fresh_only = is_fresh_only(q);
}

static void take_found(struct query *q)
{
	const struct found *f = &q->env->found;

	q->answer = (struct answer){ .packed = &f->packed, .age_s = f->age_s, .ede = EDE_NONE };
}

static enum verdict answer_found(struct query *q)
{
	take_found(q);
	return ruling_pass(q);
}

/* What has expired says so (RFC 8767 §4, RFC 8914 §4.4, §4.20). */
static enum verdict answer_stale(struct query *q)
{
	q->env->metrics->cache_stale++;
	take_found(q);
	q->answer.ttl_s = STALE_TTL_S;
	q->answer.ede =
		q->env->found.packed.rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE;
	return ruling_pass(q);
}

/* Who only wants to know asks nobody to look after servers. */
static void want(const struct query *q)
{
	if (!q->env->recorder)
		group_wanted(q->env->group);
}

static enum verdict answer_failure(struct query *q)
{
	q->env->metrics->cache_failures++;
	want(q);
	take_found(q);
	q->answer.age_s = 0;
	q->answer.ede = EDE_CACHED;
	return ruling_pass(q);
}

static struct lookup_question question_of(const struct query *q)
{
	const struct query_env *env = q->env;

	return (struct lookup_question){ q->asked, &env->key, env->group };
}

static void refresh(struct query *q)
{
	struct lookup_question l = question_of(q);

	if (!cache_claim_refresh(q->env->shared->cache, l.key))
		return;
	q->env->metrics->prefetches++;
	lookup_refresh(q->env, &l);
}

/* Whoever does not want us to ask gets what is here (RFC 8914 §4.21). */
static enum verdict answer_without_asking(struct query *q)
{
	bool has_aliases = q->chase && q->chase->alias_count;

	return has_aliases ? query_refuse(q, RCODE_NOERROR, EDE_NONE, NULL)
			   : query_refuse(q, RCODE_REFUSED, EDE_NOT_AUTHORITATIVE, NULL);
}

static void find(struct query *q)
{
	struct query_env *env = q->env;
	struct cache *cache = env->shared->cache;
	int64_t now = loop_since_boot(env->loop);

	make_key(q);
	env->found.freshness = CACHE_MISS;
	if (cache && env->recorder)
		cache_peek(cache, &env->key, now, &env->found);
	else if (cache)
		cache_find(cache, &env->key, now, &env->found);
	if (env->recorder)
		env->recorder->found(env->recorder, q);
}

/* Fresh; or what there is if there cannot be better: stale, or that asking has just failed. */
static enum verdict stage_cache(struct query *q)
{
	struct query_env *env = q->env;

	find(q);
	if (env->found.freshness == CACHE_FRESH) {
		env->metrics->cache_hits++;
		if (env->found.refresh && q->request.flags & DNS_RD)
			refresh(q);
		return answer_found(q);
	}
	if (!(q->request.flags & DNS_RD))
		return answer_without_asking(q);
	q->stale = env->found.freshness == CACHE_STALE;
	if (q->stale && (env->found.failed || group_down_ms(env->group))) {
		want(q);
		return answer_stale(q);
	}
	if (env->found.freshness == CACHE_FAILURE)
		return answer_failure(q);
	env->metrics->cache_misses += env->shared->cache != NULL;
	return NEXT;
}

/* ---- from upstream ---- */

/* An answer that has expired is better than none. Who got it need not wait for the next one. */
static bool try_stale(struct query *q, const struct result *r, enum verdict *v)
{
	struct query_env *env = q->env;
	int64_t now = loop_since_boot(env->loop);

	if (!q->stale)
		return false;
	make_key(q);
	cache_find(env->shared->cache, &env->key, now, &env->found);
	if (env->found.freshness > CACHE_STALE)
		return false;
	if (env->found.freshness == CACHE_FRESH) {
		*v = answer_found(q);
		return true;
	}
	cache_store_failure(env->shared->cache, &env->key, r->packed, false, now);
	*v = answer_stale(q);
	return true;
}

/* Asks upstream, and waits for so long. */
static enum verdict ask(struct query *q, unsigned within_ms)
{
	struct query_env *env = q->env;
	struct lookup_question l = question_of(q);
	int err = lookup_ask(env, &l, &q->waiter, within_ms);

	if (err == -EEXIST) {
		const struct stage *at = q->at;
		enum verdict v = stage_cache(q);

		if (v != NEXT || q->at != at)
			return v;
	}
	if (err == -EEXIST) /* and has gone again */
		err = lookup_ask(env, &l, &q->waiter, within_ms);
	if (err == 0)
		return WAIT;
	if (q->stale)
		return answer_stale(q);
	if (err == -ENOMEM)
		return query_refuse_overload(q, "too many queries are waiting");
	return query_refuse(
		q, RCODE_SERVFAIL, EDE_NO_REACHABLE_AUTHORITY, lookup_refusal(env->group));
}

/* It was woken for the sake of what had expired, and has gone meanwhile: for how long it can wait
 * like anybody else. */
static unsigned time_left_ms(const struct query *q)
{
	uint64_t now = loop_now(q->env->loop);

	if (!q->stale || q->waiter.deadline_ms > now || q->deadline_ms <= now)
		return 0;
	return (unsigned)(q->deadline_ms - now);
}

static enum verdict answer_result(struct query *q, const struct result *r)
{
	q->answer = (struct answer){ .packed = r->packed, .ede = EDE_NONE };
	q->env->group = group_of(q);
	return ruling_pass(q);
}

static void on_wake(struct waiter *w, const struct result *r)
{
	struct query *q = container_of(w, struct query, waiter);
	enum verdict v;

	query_take_rules(q);
	if (r->good || !try_stale(q, r, &v)) {
		unsigned left_ms = r->good ? 0 : time_left_ms(q);

		q->stale = false;
		v = left_ms ? ask(q, left_ms) : answer_result(q, r);
	}
	query_resume(q, v);
}

/* From the first question that is asked for it to the answer to the last. Who may ask for A when
 * nobody answers to AAAA has half of the time for that (RFC 6147 §5.1.3). */
static unsigned within_ms(struct query *q)
{
	uint64_t now = loop_now(q->env->loop);

	if (!q->deadline_ms)
		q->deadline_ms = now + q->env->conf->deadline_ms;
	unsigned left_ms = q->deadline_ms > now ? (unsigned)(q->deadline_ms - now) : 1;
	bool half = q->env->set && ruling_makes_addresses(q);

	return half ? (left_ms + 1) / 2 : left_ms;
}

/* Where queries wait, but for those that a rule delays. */
static enum verdict stage_lookup(struct query *q)
{
	const struct query_env *env = q->env;
	const char *refusal = query_take_place(q);

	if (refusal)
		return q->stale ? answer_stale(q) : query_refuse_overload(q, refusal);
	q->waiter.wake = on_wake;
	unsigned most_ms = within_ms(q), stale_ms = env->conf->stale_after_ms;

	return ask(q, q->stale && stale_ms < most_ms ? stale_ms : most_ms);
}

const struct stage default_pipeline[] = {
	{ "admit", stage_admit }, /* may this client ask, is it a question we take? */
	{ "local", stage_local }, /* names that are answered here alone */
	{ "rules", ruling_decide }, /* what is answered here, or asked otherwise */
	{ "cache", stage_cache }, /* fresh, or stale if there cannot be better */
	{ "lookup", stage_lookup }, /* ask upstream */
};
