/* ruling: see ruling.h. A decision borrows from the set, which another one may replace as soon as a
 * turn is over: what must last longer is copied by who keeps it (chase.h, delay.h).
 */
#include "query/ruling.h"

#include "base/unset.h"
#include "query/delay.h"
#include "query/lab.h"
#include "query/recorder.h"
#include "query/tell.h"

#include <string.h>

/* How long an alias to an address that DNS64 made is known, and, where no SOA says it, that there
 * is no AAAA (RFC 6147 §5.1.7). */
#define DNS64_TTL_S 600

/* Who asks, in the eyes of rules. */
struct asking {
	struct asker_facts facts;
	struct query *query;
	struct client_facts client;
	struct span name; /* in lower case */
	uint8_t octets[NAME_MAX_WIRE];
};

/* ---- who asks what ---- */

static struct lab_question lab_question(
	struct query *q, const struct rule_conf *rule, struct span name)
{
	return (struct lab_question){ .of = q->env->ruled,
		.rule = rule,
		.client = q->client->peer,
		.name = name,
		.rand = q->env->rand };
}

static bool holds(const struct asker_facts *facts, const struct rule_conf *rule, struct span name)
{
	const struct asking *a = container_of(facts, const struct asking, facts);
	struct lab_question question = lab_question(a->query, rule, name);

	return lab_holds(a->query->env->shared->lab, &question);
}

/* What an answer leads to is no question, which is what such rules count. */
static bool holds_for_questions(
	const struct asker_facts *facts, const struct rule_conf *rule, struct span name)
{
	(void)facts, (void)rule, (void)name;
	return false;
}

static void take_facts(struct query *q, struct asking *a)
{
	struct query_env *env = q->env;

	a->query = q;
	memcpy(a->octets, q->asked->name, q->asked->name_len);
	name_lower(a->octets, q->asked->name_len);
	a->name = (struct span){ a->octets, q->asked->name_len };
	a->facts = (struct asker_facts){ .who = &env->who,
		.view = env->view,
		.stream = q->client->stream,
		.inside = false,
		.lab = env->recorder ? NULL : holds };
	if (!ruleset_wants_facts(env->set))
		return;
	q->client->ops->facts(q->client, &a->client);
	a->facts.identity = a->client.identity;
	a->facts.listener = a->client.listener;
}

/* ---- another question ---- */

/* NULL: there is none, which q->answer says. */
static struct chase *chase_of(struct query *q)
{
	if (q->chase)
		return q->chase;
	q->chase = pool_get(&q->env->chases);
	if (q->chase)
		chase_init(q->chase);
	else
		query_refuse_overload(q, "too many queries are waiting");
	return q->chase;
}

static enum verdict go_on(struct query *q, bool ok)
{
	if (!ok)
		return query_refuse(
			q, RCODE_SERVFAIL, EDE_OTHER, "aliases or rewrites lead on and on");
	q->asked = &q->chase->question;
	query_begin_again(q);
	return NEXT;
}

static enum verdict follow_alias(struct query *q, const struct alias *alias, bool authoritative)
{
	struct chase *c = chase_of(q);

	return c ? go_on(q, chase_alias(c, alias, q->asked->type, authoritative)) : ANSWER;
}

static enum verdict rewrite(struct query *q, struct span target)
{
	struct chase *c = chase_of(q);

	return c ? go_on(q, chase_rewrite(c, target, q->asked->type)) : ANSWER;
}

/* ---- DNS64 (RFC 6147) ---- */

static const struct dns64_conf *dns64_for(const struct query *q)
{
	const struct dns64_conf *conf = &ruleset_conf(q->env->set)->dns64;

	if (!conf->prefix.bits ||
		(conf->clients.count && !acl_has_all(&conf->clients, &q->env->who.client)))
		return NULL;
	return conf;
}

static struct dns64_prefix prefix_of(const struct dns64_conf *conf)
{
	struct dns64_prefix p = { .bits = conf->prefix.bits };

	memcpy(p.octets, &conf->prefix.base.v6.sin6_addr, sizeof p.octets);
	return p;
}

/* Who validates makes addresses for itself (RFC 6147 §5.5). Who does not want us to ask gets what
 * there is. */
static bool may_be_made(const struct query *q)
{
	uint16_t flags = q->request.flags;

	return q->asked->type == TYPE_AAAA && flags & DNS_RD &&
		!(flags & DNS_CD && q->request.edns.dnssec_ok);
}

/* Of an IPv4-mapped one, IPv6 knows no way (RFC 6147 §5.1.4). */
static bool counts(const void *of, const uint8_t *octets)
{
	const struct dns64_conf *conf = of;
	struct addr a;

	return addr_from_octets(&a, octets, 16) && !IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr) &&
		!acl_has(&conf->exclude, &a);
}

/* What AAAA there are. */
struct six {
	bool some, others; /* that count; that do not */
	uint32_t ttl_s; /* how long it is known that there is none */
};

/* False: of such an answer nothing is made. One that tells of a failure has no AAAA that count, as
 * far too many servers fail where there is none (RFC 6147 §5.1.2). */
static bool find_six(const struct query *q, const struct dns64_conf *conf, struct six *six)
{
	const struct packed *p = q->answer.packed;
	const uint16_t answers = get_u16(p->message.at + 4 + 2 * SECTION_ANSWER);
	size_t at = DNS_HEADER + name_len(p->message, DNS_HEADER) + 4;
	struct record rec;

	*six = (struct six){ .ttl_s = DNS64_TTL_S };
	if (p->rcode == RCODE_NXDOMAIN || get_u16(p->message.at + 2) & DNS_TC)
		return false;
	for (unsigned i = 0; p->rcode == RCODE_NOERROR && i < p->ttl_count; i++) {
		message_record(p->message, &at, &rec);
		if (i < answers && rec.type == TYPE_AAAA && rec.end - rec.rdata == 16)
			*(counts(conf, p->message.at + rec.rdata) ? &six->some : &six->others) =
				true;
		if (i >= answers && rec.type == TYPE_SOA)
			six->ttl_s = rec.ttl > q->answer.age_s ? rec.ttl - q->answer.age_s : 0;
	}
	return true;
}

/* An answer is told as it is, unless A can be told in its place; but for the AAAA that do not count
 * (RFC 6147 §5.1.4). */
static enum verdict make_addresses(struct query *q)
{
	const struct dns64_conf *conf = ruling_makes_addresses(q) ? dns64_for(q) : NULL;
	const struct span name = { q->asked->name, q->asked->name_len };
	struct six six;

	if (!conf || !find_six(q, conf, &six) || (six.some && !six.others))
		return ANSWER;
	struct chase *c = chase_of(q);

	if (!c)
		return ANSWER;
	if (six.some) {
		chase_choose(c, q->asked, counts, conf);
		return ANSWER;
	}
	struct dns64_prefix prefix = prefix_of(conf);

	q->answer = (struct answer){ .rcode = RCODE_NOERROR, .ede = EDE_NONE };
	return go_on(q, chase_dns64(c, name, &prefix, six.ttl_s));
}

bool ruling_makes_addresses(const struct query *q)
{
	return may_be_made(q) && dns64_for(q);
}

/* The name of an address that stands for another one is an alias of the other's (RFC 6147 §5.3.1).
 * False: it is not. */
static bool follow_reverse(struct query *q, enum verdict *v)
{
	const struct dns64_conf *conf = q->asked->type == TYPE_PTR ? dns64_for(q) : NULL;

	if (!conf)
		return false;
	struct dns64_prefix prefix = prefix_of(conf);
	struct alias alias = { .ttl_s = DNS64_TTL_S };

	alias.target_len =
		(uint8_t)dns64_reverse(&prefix, q->asked->name, q->asked->name_len, alias.target);
	if (!alias.target_len)
		return false;
	*v = follow_alias(q, &alias, false);
	return true;
}

/* ---- what is done ---- */

static void route(struct query *q, struct group *group)
{
	q->env->metrics->rules_routed++;
	group_hold(group);
	if (q->group)
		group_let_go(q->group);
	q->group = group;
}

/* As if no rule were there; but who is in a view may have servers of its own, where `zones:` says
 * nothing. */
static enum verdict pass(struct query *q)
{
	struct query_env *env = q->env;
	struct group *usual = upstreams_group_at(env->upstreams, GROUP_DEFAULT);
	size_t group = ruleset_view_conf(env->set, env->view)->group;

	if (group != GROUP_DEFAULT && upstreams_group(env->upstreams, q->asked) == usual)
		route(q, upstreams_group_at(env->upstreams, group));
	return NEXT;
}

static bool has_self(const struct rrset *sets)
{
	for (; sets; sets = sets->next)
		for (const struct rdata *r = sets->first; r; r = r->next)
			if (r->macro == MACRO_SELF)
				return true;
	return false;
}

static void count_answered(struct metrics *m, const struct decision *d)
{
	if (d->tier == TIER_BLOCK)
		m->rules_blocked++;
	else
		m->rules_answered++;
}

/* It has records of that name, though there may be none of the type asked for. Who denies them (a
 * list, or a rule that says nodata) denies what could be made of others, too. */
static bool has_records(const struct decision *d)
{
	return d->act == ACT_ANSWER || (d->tier == TIER_LOCAL && d->act == ACT_NODATA);
}

/* Addresses are made of our own answers too: who needs them for names of servers needs them for
 * these. */
static enum verdict answer_here(struct query *q, const struct decision *d)
{
	struct query_env *env = q->env;
	struct found *f = &env->found;
	struct client_facts client;
	const struct addr *self = NULL;

	if (has_self(d->sets)) {
		q->client->ops->facts(q->client, &client);
		if (client.asked_at.any.sa_family != AF_UNSPEC)
			self = &client.asked_at;
	}
	ruleset_answer(env->set, d, q->asked, self, &f->packed, f->memory);
	q->answer = (struct answer){ .packed = &f->packed,
		.ede = d->ede,
		.ede_text = d->ede_text,
		.authoritative = ruleset_conf(env->set)->authoritative };
	return has_records(d) ? make_addresses(q) : ANSWER;
}

static enum verdict follow(struct query *q, const struct decision *d)
{
	const struct rrset *sets = d->tier == TIER_LOCAL ? d->local.sets : NULL;
	const struct rrset *dname = d->tier == TIER_LOCAL && d->local.kind == LOCAL_DNAME
		? rrset_find(sets, TYPE_DNAME)
		: NULL;
	const struct rrset *from = dname ? dname : rrset_find(sets, TYPE_CNAME);
	struct alias alias = { .ttl_s = from ? from->ttl_s : d->ttl_s,
		.target_len = (uint8_t)d->target_name.len };

	memcpy(alias.target, d->target_name.at, d->target_name.len);
	if (dname) {
		alias.dname_len = (uint8_t)d->local.owner.len;
		alias.dname_target_len = (uint8_t)dname->first->len;
	}
	return follow_alias(q, &alias, ruleset_conf(q->env->set)->authoritative);
}

static enum verdict say_tc(struct query *q)
{
	if (q->client->stream)
		return NEXT;
	q->answer.truncate = true;
	return ANSWER;
}

static enum verdict carry_out(struct query *q, const struct decision *d)
{
	struct metrics *m = q->env->metrics;

	switch (d->act) {
	case ACT_PASS:
		return pass(q);
	case ACT_ROUTE:
		route(q, upstreams_group_at(q->env->upstreams, d->rule->group));
		return NEXT;
	case ACT_DROP:
		m->rules_dropped++;
		return DROP;
	case ACT_TRUNCATE:
		return say_tc(q);
	default:
		break;
	}
	count_answered(m, d);
	switch (d->act) {
	case ACT_CNAME:
		return follow(q, d);
	case ACT_REWRITE:
		return rewrite(q, d->target_name);
	case ACT_REFUSE:
		return query_refuse(q, RCODE_REFUSED, d->ede, d->ede_text);
	case ACT_SERVFAIL:
		return query_refuse(q, RCODE_SERVFAIL, d->ede, d->ede_text);
	default:
		return answer_here(q, d);
	}
}

static void tell(struct query *q, const struct decision *d)
{
	if (d->decided && d->rule && (d->rule->dump || d->rule->event))
		tell_decided(q, d->rule);
}

/* ---- questions ---- */

static struct trace *trace_of(const struct query_env *env)
{
	return env->recorder ? &env->recorder->trace : NULL;
}

/* Special names give way to DNS64, whose prefix may be of a network like this one. */
static bool gives_way(const struct decision *d)
{
	return !d->decided || d->act == ACT_PASS || d->tier == TIER_SPECIAL;
}

/* A worker is a thread. */
static void count_exceeded(struct query_env *env)
{
	env->metrics->rules_exceeded = pattern_exceeded();
}

enum verdict ruling_decide(struct query *q)
{
	struct query_env *env = q->env;
	UNSET struct decision d;
	UNSET struct asking a;
	enum verdict v;

	query_take_rules(q);
	if (!env->set)
		return NEXT;
	take_facts(q, &a);
	ruleset_decide(env->set, a.name, q->asked->type, &a.facts, &d, trace_of(env));
	count_exceeded(env);
	if (env->recorder)
		env->recorder->decided(env->recorder, q, &d);
	tell(q, &d);
	if (gives_way(&d) && follow_reverse(q, &v))
		return v;
	v = carry_out(q, &d);
	if (env->recorder || !d.decided || !d.rule || !(d.lab.delay_ms || d.lab.jitter_ms))
		return v;
	struct lab_question question = lab_question(q, d.rule, a.name);

	return delay(q, v, lab_delay_ms(env->shared->lab, &question));
}

/* ---- answers of servers ---- */

/* It has records that might be objected to. */
static enum verdict judge(struct query *q)
{
	struct query_env *env = q->env;
	UNSET struct decision d;
	UNSET struct asking a;

	take_facts(q, &a);
	a.facts.inside = group_is_inside(env->group);
	a.facts.lab = holds_for_questions;
	bool told = ruleset_judge(env->set, q->answer.packed, &a.facts, &d, trace_of(env));

	count_exceeded(env);
	if (told)
		return make_addresses(q);
	if (env->recorder)
		env->recorder->objected(env->recorder, q, &d);
	tell(q, &d);
	env->metrics->rules_judged++;
	return carry_out(q, &d);
}

enum verdict ruling_judge(struct query *q)
{
	const struct query_env *env = q->env;

	if (q->answer.packed->holds & ruleset_objects_to(env->set, env->view))
		return judge(q);
	return make_addresses(q);
}
