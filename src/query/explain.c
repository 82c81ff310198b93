#include "query/explain.h"

#include "dns/build.h"
#include "query/ruling.h"
#include "query/stages.h"

#include <errno.h>
#include <stdlib.h>

/* A client whose only query is this one. */
struct asking {
	struct client client;
	const struct explained *of;
	struct recorder *recorder;
};

/* The worker's core, but for what a query changes. */
struct dry {
	struct query_env env;
	struct query_conf conf;
	struct metrics metrics;
};

/* ---- the client ---- */

static void on_reply(struct client *c, struct span message)
{
	struct asking *a = container_of(c, struct asking, client);

	a->recorder->answered(a->recorder, message);
}

static void on_done(struct client *c)
{
	(void)c;
}

/* What certificates are shown there is the listener's to know. */
static void discover(const struct client *c, struct discovery *d)
{
	(void)c;
	*d = (struct discovery){ 0 };
}

static void facts(const struct client *c, struct client_facts *f)
{
	*f = container_of(c, const struct asking, client)->of->facts;
}

static const struct client_ops ops = { on_reply, on_done, discover, facts };

/* ---- the stages ---- */

static enum verdict go_through(struct query *q)
{
	const struct stage *stage = &default_pipeline[q->at - 1 - q->env->pipeline];
	struct recorder *r = q->env->recorder;

	r->entered(r, q, stage->name);
	return stage->run(q);
}

/* Instead of the lookup. What servers would say nobody knows. */
static enum verdict would_ask(struct query *q)
{
	struct recorder *r = q->env->recorder;

	r->entered(r, q, "lookup");
	r->asks(r, q);
	return DROP;
}

/* In the places of default_pipeline. */
static const struct stage pipeline[] = {
	{ "admit", go_through },
	{ "local", go_through },
	{ "rules", go_through },
	{ "cache", go_through },
	{ "lookup", would_ask },
};

bool explain_makes_addresses(const struct query *q)
{
	return q->env->set && ruling_makes_addresses(q);
}

/* ---- the core ---- */

/* What a client asks too often is not asked here, and nobody else is told. */
static int dry_init(struct dry *d, const struct query_env *of, struct recorder *r)
{
	d->conf = *of->conf;
	d->conf.queries_per_second = d->conf.dump = 0;
	d->conf.events.socket = NULL;
	d->metrics = (struct metrics){ 0 };
	d->env = (struct query_env){ .loop = of->loop,
		.rand = of->rand,
		.metrics = &d->metrics,
		.upstreams = of->upstreams,
		.conf = &d->conf,
		.ruled = of->ruled,
		.shared = of->shared,
		.pipeline = pipeline,
		.recorder = r };
	return query_env_init(&d->env);
}

/* With OPT, so that extended errors are told. It is the end of the message, and empty but for what
 * the client says. */
static size_t build(uint8_t out[BUILD_QUERY_MAX + BEHIND_OPTIONS], const struct explained *e)
{
	const struct query_form form = { .flags = DNS_RD, .question = e->question, .edns = true };
	const size_t len = build_query(out, &form), more = behind_write(out + len, &e->behind);

	put_u16(out + len - 2, (uint16_t)more);
	return len + more;
}

int explain(const struct query_env *of, const struct explained *e, struct recorder *r)
{
	struct asking a = {
		.client = { &ops, &e->client, e->stream, e->encrypted }, .of = e, .recorder = r
	};
	uint8_t message[BUILD_QUERY_MAX + BEHIND_OPTIONS];
	struct dry *d = calloc(1, sizeof *d);
	int err = d ? dry_init(d, of, r) : -ENOMEM;

	if (!err)
		query_begin(&d->env, &a.client, (struct span){ message, build(message, e) });
	if (d)
		query_env_clear(&d->env);
	free(d);
	return err;
}
