#include "query/query.h"

#include "base/bug.h"
#include "base/log.h"
#include "report/chef.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- one worker's core ---- */

/* No query waits any more. What is asked for the cache alone need not be waited for. */
static void on_rest(struct task *t)
{
	struct query_env *env = container_of(t, struct query_env, rest);
	void (*idle)(void *) = env->idle;

	if (!idle || env->queries.live)
		return;
	env->end_lookups(env);
	if (env->lookups.live)
		return;
	env->idle = NULL;
	idle(env->idle_arg);
}

int query_env_init(struct query_env *env)
{
	env->answer = malloc(REPLY_MAX);
	env->packing = malloc(PACKED_MAX);
	env->chase_room =
		(struct chase_room){ .memory = malloc(PACKED_MAX), .scratch = env->answer };
	env->found.memory = malloc(PACKED_MAX);
	env->places = calloc(1, sizeof *env->places);
	if (!env->answer || !env->packing || !env->chase_room.memory || !env->found.memory ||
		!env->places)
		return -ENOMEM;
	env->places->key = &env->shared->key;
	env->places->most_of_host = env->conf->queries_per_client;
	env->idle = NULL;
	env->rest = (struct task){ .run = on_rest };
	pool_init(&env->queries, sizeof(struct query), env->conf->queries_max);
	pool_init(&env->chases, sizeof(struct chase), env->conf->queries_max);
	pool_init(&env->behinds, sizeof(struct behind), env->conf->queries_max);
	return 0;
}

void query_env_renew(struct query_env *env)
{
	env->queries.most = env->lookups.most = env->chases.most = env->behinds.most =
		env->conf->queries_max;
	env->places->most_of_host = env->conf->queries_per_client;
}

void query_env_clear(struct query_env *env)
{
	ruled_here_clear(&env->rules);
	pool_clear(&env->queries);
	pool_clear(&env->chases);
	pool_clear(&env->behinds);
	free(env->answer);
	free(env->packing);
	free(env->chase_room.memory);
	free(env->found.memory);
	free(env->places);
}

void query_env_rest(struct query_env *env)
{
	if (env->idle && !env->queries.live)
		loop_later(env->loop, &env->rest);
}

void query_env_drain(struct query_env *env, void (*idle)(void *arg), void *arg)
{
	env->idle = idle;
	env->idle_arg = arg;
	query_env_rest(env);
}

/* ---- who asks too much ---- */

/* Of the state, not of the client, so that many say it no more often than one; and seldom, since
 * even what is not written costs more than what is refused. */
static void say_too_often(unsigned too_many, unsigned most)
{
	struct log_line l;

	if (too_many % 1024 != 1)
		return;
	log_begin(&l, LOG_WARN,
		"a client asks more than it may: what is above waits, or is not answered");
	log_count(&l, "limit", most);
	log_str(&l, "hint", "raise limits.queries-per-second");
	log_end(&l);
}

unsigned query_pace(struct query_env *env, const struct addr *peer, bool stream)
{
	unsigned most = env->conf->queries_per_second;
	struct pace_asks asks = { peer, stream, loop_now(env->loop) };
	unsigned too_many = most ? pace_take(env->shared->pace, &asks, most) : 0;

	if (too_many)
		say_too_often(too_many, most);
	return too_many;
}

bool query_may_come(struct query_env *env, const struct addr *peer)
{
	if (!query_pace(env, peer, true))
		return true;
	env->metrics->pace_held++;
	return false;
}

/* ---- for the stages ---- */

enum verdict query_refuse(struct query *q, enum rcode rcode, enum ede ede, const char *why)
{
	q->answer = (struct answer){ .rcode = rcode, .ede = ede, .ede_text = why };
	return ANSWER;
}

enum verdict query_refuse_overload(struct query *q, const char *why)
{
	q->env->metrics->overload++;
	return query_refuse(q, RCODE_SERVFAIL, EDE_OTHER, why);
}

/* The message goes when query_begin() returns; the question must stay. */
static void keep_question(struct query *q)
{
	struct question *question = &q->request.question;

	memcpy(q->name, question->name, question->name_len);
	question->name = q->name;
	q->request.edns.options = q->message = (struct span){ 0 };
}

/* What env->behind says is of another query soon. */
static bool keep_behind(struct query *q)
{
	if (!q->behind)
		return true;
	struct behind *kept = pool_get(&q->env->behinds);

	if (kept)
		q->behind = memcpy(kept, q->behind, sizeof *kept);
	return kept;
}

/* Only who must wait takes a place, so that an answer from the cache costs nothing of it. */
static bool take_place(struct query *q)
{
	const struct query_env *env = q->env;
	size_t left = env->conf->queries_max - (env->queries.live - 1); /* but for this one */

	q->has_place = places_take(env->places, q->client->peer, left, &q->place);
	env->metrics->overload_clients += !q->has_place;
	return q->has_place;
}

const char *query_take_place(struct query *q)
{
	if (q->has_place)
		return NULL;
	if (q->cannot_wait)
		return "too many queries are waiting";
	if (!take_place(q))
		return "too many queries of this client are waiting";
	keep_question(q);
	return keep_behind(q) ? NULL : "out of memory";
}

/* ---- rules ---- */

static void take_who(const struct query *q, struct who *who)
{
	const struct behind *b = q->behind;

	*who = (struct who){ .client = prefix_of_host(q->client->peer) };
	if (!b)
		return;
	if (b->address_len)
		MUST(prefix_from_octets(&who->client, b->address, b->address_len, b->bits));
	who->mac = *b->mac ? b->mac : NULL;
	who->cpe_id = *b->cpe_id ? b->cpe_id : NULL;
}

void query_take_rules(struct query *q)
{
	struct query_env *env = q->env;

	env->set = env->ruled ? ruled_get(env->ruled, &env->rules) : NULL;
	if (env->set && ruleset_is_empty(env->set))
		env->set = NULL;
	if (!env->set)
		return;
	env->view = 0;
	if (!ruleset_wants_who(env->set))
		return;
	take_who(q, &env->who);
	env->view = ruleset_view(env->set, &env->who);
}

/* ---- the dump ---- */

static void dump(const struct query *q, struct span message, bool answer)
{
	struct metrics *m = q->env->metrics;
	struct client_facts client;

	q->client->ops->facts(q->client, &client);
	const struct packet packet = { .client = q->client->peer,
		.server = &client.asked_at,
		.answer = answer,
		.message = message };

	if (dump_put(q->env->shared->dump, &packet))
		m->dumped++;
	else
		m->dump_lost++;
}

void query_dump(struct query *q)
{
	if (!q->is_dumped && q->message.at)
		dump(q, q->message, false);
	q->is_dumped = true;
}

/* ---- one query ---- */

static void count(const struct query *q, const struct shape *shape)
{
	struct metrics *m = q->env->metrics;
	const struct packed *p = q->answer.packed;
	bool good = p && p->worth != WORTH_FAILURE;

	if (good)
		m->answers++;
	else
		m->errors++;
	m->servfails += !good && (p ? p->rcode : q->answer.rcode) == RCODE_SERVFAIL;
	m->truncated += shape->truncated;
}

/* Neither the cache nor a server has said it. */
static bool is_ours(const struct query *q)
{
	const char *stage = q->at[-1].name;

	return strcmp(stage, "rules") == 0 || strcmp(stage, "local") == 0;
}

static void answer(struct query *q)
{
	struct query_env *env = q->env;
	struct manners manners = { .stream = q->client->stream,
		.encrypted = q->client->encrypted,
		.udp_size = env->conf->udp_size,
		.keepalive = env->conf->keepalive };
	struct shape shape = reply_shape(&q->request, &q->answer, &manners, env->answer);

	count(q, &shape);
	if (chef_is_open())
		chef_report(q->client->peer, shape.message, is_ours(q));
	if (q->is_dumped)
		dump(q, shape.message, true);
	q->client->ops->reply(q->client, shape.message);
}

static void tell_chased(struct query *q)
{
	bool stream = q->client->stream;

	if (chase_tell(q->chase, &q->request.question, &q->answer, &q->env->chase_room))
		return;
	query_refuse(q, stream ? RCODE_SERVFAIL : RCODE_NOERROR, EDE_OTHER,
		"aliases and what is behind them are more than a message holds");
	q->answer.truncate = !stream;
}

static void let_group_go(struct query *q)
{
	if (q->group)
		group_let_go(q->group);
	q->group = NULL;
}

/* Gives back what it has, but for its own place. */
static void query_end(struct query *q)
{
	if (q->has_place)
		places_give_back(q->env->places, &q->place);
	let_group_go(q);
	if (q->chase)
		pool_put(&q->env->chases, q->chase);
	if (q->behind && q->behind != &q->env->behind)
		pool_put(&q->env->behinds, q->behind);
}

static void query_free(struct query *q)
{
	struct query_env *env = q->env;
	struct client *client = q->client;

	query_end(q);
	pool_put(&env->queries, q);
	client->ops->done(client);
	query_env_rest(env);
}

/* Goes through the stages. True: the query is over. */
static bool run(struct query *q, enum verdict v)
{
	while (v == NEXT)
		v = (q->at++)->run(q); /* the last stage never says NEXT */
	if (v == WAIT)
		return false;
	if (v == ANSWER && q->chase)
		tell_chased(q);
	if (v == ANSWER)
		answer(q);
	else
		q->env->metrics->dropped++;
	return true;
}

static void query_go(struct query *q, enum verdict v)
{
	if (run(q, v))
		query_free(q);
}

void query_begin_again(struct query *q)
{
	q->at = q->env->pipeline + 1;
	q->stale = false;
	let_group_go(q);
}

void query_resume(struct query *q, enum verdict v)
{
	query_go(q, v);
}

static void query_init(
	struct query *q, struct query_env *env, struct client *client, struct span message)
{
	q->env = env;
	q->client = client;
	q->at = env->pipeline;
	q->message = message;
	q->asked = &q->request.question;
	q->chase = NULL;
	q->behind = NULL;
	q->group = NULL;
	q->deadline_ms = 0;
	q->stale = q->cannot_wait = q->has_place = q->is_dumped = false;
	q->answer = (struct answer){ .rcode = RCODE_NOERROR, .ede = EDE_NONE };
}

/* Every place is taken: nothing of the query outlives this call. */
static void begin_without_place(struct query_env *env, struct client *client, struct span message)
{
	struct query q;

	query_init(&q, env, client, message);
	q.cannot_wait = true;
	run(&q, NEXT);
	query_end(&q);
	client->ops->done(client);
}

void query_begin(struct query_env *env, struct client *client, struct span message)
{
	struct query *q = pool_get(&env->queries);

	if (!q) {
		begin_without_place(env, client, message);
		return;
	}
	query_init(q, env, client, message);
	query_go(q, NEXT);
}
