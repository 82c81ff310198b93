#include "query/chase.h"

#include <string.h>

static const char leads_on[] = "aliases or rewrites lead on and on",
		  too_long[] = "aliases and what is behind them are more than a message holds";

/* NULL: there is none, which q->answer says. */
static struct chase *step(struct query *q)
{
	struct query_env *env = q->env;
	struct chase *c = q->chase;

	if (!c) {
		c = pool_get(&env->chases);
		if (!c) {
			query_refuse_overload(q, "too many queries are waiting");
			return NULL;
		}
		c->alias_count = c->steps = 0;
		c->authoritative = c->is_dns64 = false;
		q->chase = c;
	}
	if (c->steps++ == CHASE_STEPS) {
		query_refuse(q, RCODE_SERVFAIL, EDE_OTHER, leads_on);
		return NULL;
	}
	return c;
}

static enum verdict ask(struct query *q, struct span name, uint16_t type)
{
	struct chase *c = q->chase;

	memmove(c->name, name.at, name.len);
	c->question = (struct question){ c->name, name.len, type, CLASS_IN };
	q->asked = &c->question;
	query_begin_again(q);
	return NEXT;
}

enum verdict chase_alias(struct query *q, const struct alias *alias, bool authoritative)
{
	struct chase *c = step(q);

	if (!c)
		return ANSWER;
	if (c->alias_count == 0)
		c->authoritative = authoritative;
	c->aliases[c->alias_count++] = *alias;
	return ask(q, (struct span){ alias->target, alias->target_len }, q->asked->type);
}

enum verdict chase_rewrite(struct query *q, struct span target)
{
	return step(q) ? ask(q, target, q->asked->type) : ANSWER;
}

enum verdict chase_dns64(struct query *q, const struct dns64_prefix *prefix, uint32_t ttl_s)
{
	const struct span name = { q->asked->name, q->asked->name_len };
	struct chase *c = step(q);

	if (!c)
		return ANSWER;
	c->is_dns64 = true;
	c->prefix = *prefix;
	c->dns64_ttl_s = ttl_s;
	return ask(q, name, TYPE_A);
}

/* ---- the answer ---- */

/* What fails is told without aliases, as of the name that was asked for. */
static struct splice form_of(const struct query *q)
{
	const struct answer *a = &q->answer;
	const struct chase *c = q->chase;
	bool failed = a->packed && a->packed->worth == WORTH_FAILURE;

	return (struct splice){ .question = &q->request.question,
		.aliases = c->aliases,
		.alias_count = failed ? 0 : c->alias_count,
		.answer = a->packed,
		.asked = { q->asked->name, q->asked->name_len },
		.age_s = a->age_s,
		.ttl_s = a->ttl_s,
		.dns64 = c->is_dns64 ? &c->prefix : NULL,
		.dns64_ttl_s = c->dns64_ttl_s };
}

void chase_tell(struct query *q)
{
	struct query_env *env = q->env;
	struct answer *a = &q->answer;
	struct splice s = form_of(q);

	if (a->truncate || (!a->packed && a->rcode != RCODE_NOERROR))
		return; /* it says all that there is to say */
	if (splice(&env->spliced, env->splicing, env->answer, &s)) {
		a->packed = &env->spliced;
		a->age_s = a->ttl_s = 0;
		if (s.alias_count)
			a->authoritative = q->chase->authoritative;
		return;
	}
	query_refuse(q, q->client->stream ? RCODE_SERVFAIL : RCODE_NOERROR, EDE_OTHER, too_long);
	a->truncate = !q->client->stream;
}

void chase_end(struct query *q)
{
	if (q->chase)
		pool_put(&q->env->chases, q->chase);
	q->chase = NULL;
}
