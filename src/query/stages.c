#include "query/stages.h"

#include "query/lookup.h"
#include "upstream/echo.h"

#include <string.h>

static enum verdict refuse(struct query *q, enum rcode rcode, enum ede ede, const char *why)
{
	q->answer = (struct answer){ .rcode = rcode, .ede = ede, .ede_text = why };
	return ANSWER;
}

/* The message goes when query_begin() returns; the question must stay. */
static void keep_question(struct query *q)
{
	struct question *question = &q->request.question;

	memcpy(q->name, question->name, question->name_len);
	question->name = q->name;
	q->request.edns.options = (struct span){ 0 };
}

/* What we asked a server has come back: the answer tells us so. It is shaped before we return. */
static enum verdict answer_echo(struct query *q)
{
	q->env->echo = echo_reply(
		q->env->upstreams, &q->request.question, q->env->echo_message);
	q->answer.reply = &q->env->echo;
	return ANSWER;
}

/* May this client ask, and is it a question we take? One place for all transports. */
static enum verdict stage_admit(struct query *q)
{
	enum rcode rcode = RCODE_NOERROR;
	enum ede ede = EDE_NONE;
	enum admission a = query_parse(q->message, &q->request, &rcode, &ede);

	if (a == ADMIT_DROP)
		return DROP;
	if (!acl_allows(&q->env->conf->allow, q->client->peer))
		return refuse(q, RCODE_REFUSED, EDE_PROHIBITED, "this client may not ask here");
	if (a == ADMIT_REFUSE)
		return refuse(q, rcode, ede, NULL);
	/* All types at once is what amplifiers ask for; a stream proves the address (RFC 8482
	 * §4.4). */
	if (q->request.question.type == TYPE_ANY && !q->client->stream) {
		q->answer.truncate = true;
		return ANSWER;
	}
	if (echo_is_ours(q->env->upstreams, &q->request.question))
		return answer_echo(q);
	keep_question(q);
	return NEXT;
}

static void on_wake(struct waiter *w, const struct result *r)
{
	struct query *q = container_of(w, struct query, waiter);

	if (r->reply)
		q->answer.reply = r->reply;
	else
		refuse(q, RCODE_SERVFAIL, r->ede, r->why);
	query_resume(q, ANSWER);
}

/* Asks upstream: the only stage that waits. */
static enum verdict stage_lookup(struct query *q)
{
	const struct request *r = &q->request;
	struct ask ask = { .question = &r->question,
		.flags = r->flags & (DNS_RD | DNS_AD | DNS_CD),
		.dnssec_ok = r->edns.dnssec_ok };

	q->waiter.wake = on_wake;
	if (lookup_ask(q->env, &ask, &q->waiter) == 0)
		return WAIT;
	return refuse(q, RCODE_SERVFAIL, EDE_NO_REACHABLE_AUTHORITY, lookup_refusal(q->env, &ask));
}

const struct stage default_pipeline[] = {
	{ "admit", stage_admit }, /* may this client ask, is it a question we take? */
	{ "lookup", stage_lookup }, /* ask upstream: the only stage that waits */
};
