#include "query/query.h"

#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- one worker's core ---- */

static void tell_idle(struct task *t)
{
	struct query_env *env = container_of(t, struct query_env, drained);

	env->idle(env->idle_arg);
}

int query_env_init(struct query_env *env)
{
	env->answer = malloc(REPLY_MAX);
	if (!env->answer)
		return -ENOMEM;
	env->idle = NULL;
	env->drained = (struct task){ .run = tell_idle };
	pool_init(&env->queries, sizeof(struct query), env->conf->queries_max);
	return 0;
}

void query_env_clear(struct query_env *env)
{
	pool_clear(&env->queries);
	free(env->answer);
}

static void tell_if_drained(struct query_env *env)
{
	if (env->idle && !env->queries.live)
		loop_later(env->loop, &env->drained);
}

void query_env_drain(struct query_env *env, void (*idle)(void *arg), void *arg)
{
	env->idle = idle;
	env->idle_arg = arg;
	tell_if_drained(env);
}

/* ---- one query ---- */

static void count(struct query *q, const struct shape *shape)
{
	struct metrics *m = q->env->metrics;

	if (q->answer.reply)
		m->answers++;
	else
		m->errors++;
	m->servfails += !q->answer.reply && q->answer.rcode == RCODE_SERVFAIL;
	m->truncated += shape->truncated;
}

static void answer(struct query *q)
{
	struct query_env *env = q->env;
	struct manners manners = { .stream = q->client->stream,
		.udp_size = env->conf->udp_size,
		.keepalive = env->conf->keepalive };
	struct shape shape = reply_shape(&q->request, &q->answer, &manners, env->answer);

	count(q, &shape);
	q->client->ops->reply(q->client, shape.message);
}

static void query_free(struct query *q)
{
	struct query_env *env = q->env;
	struct client *client = q->client;

	pool_put(&env->queries, q);
	client->ops->done(client);
	tell_if_drained(env);
}

static void query_go(struct query *q, enum verdict v)
{
	while (v == NEXT)
		v = (q->at++)->run(q); /* the last stage never says NEXT */
	if (v == WAIT)
		return;
	if (v == ANSWER)
		answer(q);
	else
		q->env->metrics->dropped++;
	query_free(q);
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
	q->answer = (struct answer){ .rcode = RCODE_NOERROR, .ede = EDE_NONE };
}

/* Every place is taken: the first stage, which admits, is all that a query can still run through.
 * Who would have to wait is told that there is no place. */
static void overload(struct query_env *env, struct client *client, struct span message)
{
	struct query q;

	query_init(&q, env, client, message);
	enum verdict v = q.at->run(&q);

	if (v == NEXT) {
		env->metrics->overload++;
		q.answer = (struct answer){ .rcode = RCODE_SERVFAIL,
			.ede = EDE_OTHER,
			.ede_text = "too many queries are waiting" };
	}
	if (v == DROP)
		env->metrics->dropped++;
	else
		answer(&q);
	client->ops->done(client);
}

void query_begin(struct query_env *env, struct client *client, struct span message)
{
	struct query *q = pool_get(&env->queries);

	if (!q) {
		overload(env, client, message);
		return;
	}
	query_init(q, env, client, message);
	query_go(q, NEXT);
}
