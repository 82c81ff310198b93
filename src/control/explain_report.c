#include "control/explain_report.h"

#include "base/lack.h"
#include "control/explain_words.h"
#include "dns/text.h"
#include "query/explain.h"
#include "rules/special.h"
#include "upstream/status.h"

#include <stdlib.h>
#include <string.h>

/* Entries told of one question; those that decide are told in any case. */
#define ENTRIES_MOST 100

struct explained_query {
	struct recorder recorder;
	struct explained of;
	uint8_t name[NAME_MAX_WIRE];
	char identity[WORDS_LINE];
	const struct upstream_conf *upstream;
	bool over; /* the first worker was visited */
	bool failed; /* out of memory */
	bool believed; /* for whom it asks */
	const char *stage; /* the latest that was entered */
	const char *view; /* of rules; NULL: that of everybody */
	const char *outcome;
	json_t *steps, *answer;
	json_t *step; /* the latest of the steps, ... */
	json_t *entries; /* ... and where entries that are looked at are told in it */
	size_t left_out;
};

static struct explained_query *of(struct recorder *r)
{
	return container_of(r, struct explained_query, recorder);
}

/* NULL of a text that is no UTF-8, in which peers have a say. */
static json_t *text_or_null(const char *text, size_t len)
{
	json_t *string = text ? json_stringn(text, len) : NULL;

	return string ? string : json_null();
}

static json_t *ede_of(enum ede ede)
{
	return ede == EDE_NONE ? json_null() : json_integer(ede);
}

/* ---- steps ---- */

static void begin_step(struct explained_query *e, const struct question *asked)
{
	char name[NAME_TEXT], type[TEXT_MAX];

	e->step = json_pack("{s:s, s:s, s:[], s:i, s:n, s:n, s:[], s:n, s:n}", "name",
		name_to_text(asked->name, name), "type", text_type(asked->type, type), "rules",
		"rules_left_out", 0, "decision", "cache", "judged", "objection", "upstream");
	e->entries = json_object_get(e->step, "rules");
	json_array_append_new(e->steps, e->step);
	e->left_out = 0;
}

static void on_entered(struct recorder *r, const struct query *q, const char *stage)
{
	struct explained_query *e = of(r);

	/* The first stage of every question, the client's or another one that it leads to. */
	if (strcmp(stage, "local") == 0)
		begin_step(e, q->asked);
	e->believed |= q->behind != NULL;
	e->stage = stage;
}

/* ---- rules ---- */

static const char *tier_name(enum tier tier)
{
	static const char *const names[] = { [TIER_VIEW] = "view",
		[TIER_RULE] = "rules",
		[TIER_LOCAL] = "local",
		[TIER_ROUTED] = "zones",
		[TIER_ALLOW] = "allow",
		[TIER_BLOCK] = "block",
		[TIER_SPECIAL] = "special" };

	return names[tier];
}

/* As the configuration spells them, where it does. */
static const char *act_name(enum act act)
{
	static const char *const names[] = { [ACT_PASS] = "pass",
		[ACT_ANSWER] = "answer",
		[ACT_NODATA] = "nodata",
		[ACT_NXDOMAIN] = "nxdomain",
		[ACT_REFUSE] = "refuse",
		[ACT_SERVFAIL] = "servfail",
		[ACT_DROP] = "drop",
		[ACT_TRUNCATE] = "truncate",
		[ACT_CNAME] = "cname",
		[ACT_REWRITE] = "rewrite",
		[ACT_ROUTE] = "route" };

	return names[act];
}

static json_t *line_of(const struct rules_place *place)
{
	return place->file && place->line ? json_integer(place->line) : json_null();
}

static void on_tried(struct trace *t, enum tier tier, const struct rules_place *place,
	const char *pattern, const char *why_not)
{
	struct explained_query *e = of(container_of(t, struct recorder, trace));

	if (why_not && json_array_size(e->entries) >= ENTRIES_MOST) {
		json_object_set_new(
			e->step, "rules_left_out", json_integer((json_int_t)++e->left_out));
		return;
	}
	json_array_append_new(e->entries,
		json_pack("{s:s, s:o, s:s?, s:o, s:s?}", "tier", tier_name(tier), "pattern",
			text_or_null(pattern, strlen(pattern)), "file", place->file, "line",
			line_of(place), "why_not", why_not));
}

/* What rules of test benches add. */
static json_t *lab_of(const struct lab_conf *lab)
{
	if (!lab->delay_ms && !lab->jitter_ms && !lab->first && !lab->chance)
		return json_null();
	return json_pack("{s:f, s:f, s:i, s:f}", "delay_seconds", lab->delay_ms / 1e3,
		"jitter_seconds", lab->jitter_ms / 1e3, "first", (int)lab->first, "chance",
		lab->chance / 1e6);
}

/* Where it leads, as text; NULL: it leads nowhere. */
static const char *target_of(const struct decision *d, char text[NAME_TEXT])
{
	bool leads = (d->act == ACT_CNAME || d->act == ACT_REWRITE) && d->target_name.len;

	return leads ? name_to_text(d->target_name.at, text) : NULL;
}

static json_t *decision_of(const struct decision *d)
{
	const struct lab_conf none = { 0 };
	bool routes = d->act == ACT_ROUTE;
	char target[NAME_TEXT];

	if (!d->decided)
		return json_null();
	return json_pack("{s:s, s:s, s:s?, s:o, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o}", "tier",
		tier_name(d->tier), "action", act_name(d->act), "file", d->place.file, "line",
		line_of(&d->place), "list", d->list ? d->list->name : NULL, "special",
		d->special ? d->special->name : NULL, "target", target_of(d, target), "group",
		routes && d->rule ? d->rule->group_name : NULL, "extended_error", ede_of(d->ede),
		"extended_error_text",
		text_or_null(d->ede_text, d->ede_text ? strlen(d->ede_text) : 0), "lab",
		lab_of(d->rule ? &d->lab : &none));
}

static void on_decided(struct recorder *r, const struct query *q, const struct decision *d)
{
	struct explained_query *e = of(r);
	const struct query_env *env = q->env;

	if (env->view)
		e->view = ruleset_view_conf(env->set, env->view)->name;
	json_object_set_new(e->step, "decision", decision_of(d));
}

static void on_objected(struct recorder *r, const struct query *q, const struct decision *d)
{
	(void)q;
	json_object_set_new(of(r)->step, "objection", decision_of(d));
}

/* ---- the cache ---- */

static const char *worth_name(enum worth worth)
{
	return worth == WORTH_POSITIVE    ? "positive"
		: worth == WORTH_NODATA   ? "nodata"
		: worth == WORTH_NXDOMAIN ? "nxdomain"
					  : "failure";
}

/* By index in the configuration. */
static size_t index_of(const struct explained_query *e, const struct query *q)
{
	for (size_t i = 0; i < e->upstream->group_count; i++)
		if (upstreams_group_at(q->env->upstreams, i) == q->env->group)
			return i;
	return GROUP_DEFAULT;
}

/* From here on, entries are looked at for the sake of what was found. */
static void on_found(struct recorder *r, const struct query *q)
{
	static const char *const names[] = { [CACHE_FRESH] = "fresh",
		[CACHE_STALE] = "stale",
		[CACHE_FAILURE] = "failure",
		[CACHE_MISS] = "miss" };
	struct explained_query *e = of(r);
	const struct found *f = &q->env->found;
	const char *group = e->upstream->groups[index_of(e, q)].name;
	bool off = !q->env->shared->cache, there = f->freshness != CACHE_MISS;
	bool lives = there && f->freshness != CACHE_FAILURE;

	json_object_set_new(e->step, "cache",
		json_pack("{s:s, s:s, s:s?, s:o, s:o}", "state", off ? "off" : names[f->freshness],
			"group", group, "kind", there ? worth_name(f->packed.worth) : NULL,
			"age_seconds", there ? json_integer(f->age_s) : json_null(), "ttl_seconds",
			lives ? json_integer((json_int_t)f->packed.lifetime_s - f->age_s)
			      : json_null()));
	e->entries = json_object_get(e->step, "judged");
}

/* ---- servers ---- */

static json_t *seconds_or_null(uint32_t us)
{
	return us ? json_real((double)us / 1e6) : json_null();
}

static json_t *server_of(const struct server_status *s)
{
	const char *reason = s->last_fault.phase == PHASE_NONE ? NULL : s->last_fault.reason;

	return json_pack("{s:s, s:s, s:f, s:o, s:o}", "upstream", s->conf->text, "state",
		standing_name(s->standing), "upstream_state_seconds", (double)s->standing_ms / 1000,
		"upstream_request_duration_seconds",
		seconds_or_null(rtt_percentile_us(&s->rtt, 50)), "last_error",
		text_or_null(reason, reason ? strlen(reason) : 0));
}

/* Those of the group, in the order in which one is asked after the other. */
static json_t *servers_of(const struct query *q, const struct group_conf *conf)
{
	struct query_env *env = q->env;
	struct attempts tried = { 0 };
	struct server_status status;
	json_t *list = json_array();
	int place;

	while ((place = group_pick(env->group, &tried, q->asked)) >= 0) {
		tried.sends[place] = SENDS_PER_SERVER;
		upstreams_status(env->upstreams, conf->servers[place], &status);
		json_array_append_new(list, server_of(&status));
	}
	return list;
}

/* What in their answers is looked at before it is told. */
static json_t *looked_at(const struct query_env *env)
{
	unsigned holds = env->set ? ruleset_objects_to(env->set, env->view) : 0;
	json_t *list = json_array();

	if (holds & HOLDS_ALIAS)
		json_array_append_new(list, json_string("aliases"));
	if (holds & HOLDS_ADDRESS)
		json_array_append_new(list, json_string("addresses"));
	return list;
}

static void on_asks(struct recorder *r, struct query *q)
{
	struct explained_query *e = of(r);
	const struct query_env *env = q->env;
	const struct group_conf *conf = &e->upstream->groups[index_of(e, q)];

	json_object_set_new(e->step, "upstream",
		json_pack("{s:s, s:s, s:i, s:b, s:b, s:o, s:o}", "group", conf->name, "policy",
			policy_name(conf->policy), "at_once", group_races(env->group) ? 2 : 1,
			"all_down", group_down_ms(env->group) > 0, "dns64",
			explain_makes_addresses(q), "looked_at", looked_at(env), "servers",
			servers_of(q, conf)));
	e->outcome = "asked";
}

/* ---- the answer ---- */

static json_t *errors_of(const struct edns *edns)
{
	json_t *list = json_array();
	struct edns_error error;

	for (unsigned n = 0; edns_error_at(edns, n, &error); n++)
		json_array_append_new(list,
			json_pack("{s:i, s:o}", "code", (int)error.code, "text",
				text_or_null((const char *)error.text.at, error.text.len)));
	return list;
}

static json_t *hex_of(struct span m)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * m.len);
	json_t *string;

	for (size_t i = 0; text && i < m.len; i++) {
		text[2 * i] = digits[m.at[i] >> 4];
		text[2 * i + 1] = digits[m.at[i] & 15];
	}
	string = text ? json_stringn(text, 2 * m.len) : NULL;
	free(text);
	return string;
}

static void on_answered(struct recorder *r, struct span message)
{
	struct explained_query *e = of(r);
	char rcode[TEXT_MAX];
	struct reply reply;

	e->outcome = "answered";
	if (!reply_parse(message, &reply))
		return;
	e->answer = json_pack("{s:s, s:b, s:b, s:o, s:o}", "rcode", text_rcode(reply.rcode, rcode),
		"truncated", reply.flags & DNS_TC, "authoritative", reply.flags & DNS_AA,
		"extended_errors", errors_of(&reply.edns), "message", hex_of(message));
}

/* ---- the command ---- */

static const struct endpoint *find_endpoint(const struct listen_conf *l, const char *text)
{
	for (size_t i = 0; i < l->count; i++)
		if (!text || strcmp(l->endpoints[i].text, text) == 0)
			return &l->endpoints[i];
	return NULL;
}

/* The client that is meant comes there, if no address says otherwise from this host. */
static void set_client(
	struct explained *x, const struct explain_words *w, const struct endpoint *at)
{
	const struct addr *bound = &at->at.addr;

	x->facts.listener = at->text;
	x->stream = !at->datagrams;
	x->encrypted = !at->spoken.plain;
	if (bound->any.sa_family != AF_UNIX && !addr_is_any(bound))
		x->facts.asked_at = *bound;
	if (w->has_client)
		x->client = w->client;
	else if (bound->any.sa_family == AF_UNIX)
		x->client = *bound;
	else
		addr_parse(&x->client, bound->any.sa_family == AF_INET6 ? "::1" : "127.0.0.1", 0);
}

static struct recorder recorder(void)
{
	return (struct recorder){ { on_tried }, on_entered, on_decided, on_objected, on_found,
		on_asks, on_answered };
}

void *explain_report_begin(const struct view *view, const struct words *w, const char **why)
{
	struct explain_words words;
	const char *wrong = explain_words_read(&words, w);
	const struct endpoint *at = wrong ? NULL : find_endpoint(view->listen, words.listener);
	struct explained_query *e = NULL;

	if (wrong)
		*why = wrong;
	else if (!at)
		*why = "it does not listen there: --at is spelled as in `listen`";
	else
		e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->recorder = recorder();
	e->upstream = view->upstream;
	e->outcome = "dropped";
	set_client(&e->of, &words, at);
	e->of.behind = words.behind;
	memcpy(e->name, words.name, words.name_len);
	e->of.question = (struct question){ e->name, words.name_len, words.type, CLASS_IN };
	if (words.identity) {
		snprintf(e->identity, sizeof e->identity, "%s", words.identity);
		e->of.facts.identity = e->identity;
		e->of.stream = e->of.encrypted = true;
	}
	return e;
}

/* For whom it says that it asks. */
static json_t *said_by(const struct explained_query *e)
{
	const struct behind *b = &e->of.behind;
	char host[ADDR_TEXT], text[ADDR_TEXT + 4] = "";
	struct prefix subnet;

	if (!b->has_subnet && !*b->mac && !*b->cpe_id)
		return json_null();
	if (b->has_subnet && prefix_from_octets(&subnet, b->address, b->address_len, b->bits))
		snprintf(text, sizeof text, "%s/%u", addr_print_host(&subnet.base, host),
			subnet.bits);
	return json_pack("{s:s?, s:s?, s:o, s:b}", "subnet", b->has_subnet ? text : NULL, "mac",
		*b->mac ? b->mac : NULL, "cpe_id",
		text_or_null(*b->cpe_id ? b->cpe_id : NULL, strlen(b->cpe_id)), "believed",
		e->believed);
}

void explain_report_visit(void *report, const struct view_worker *w)
{
	struct explained_query *e = report;

	if (e->over)
		return;
	e->over = true;
	lack_seen(); /* before */
	e->steps = json_array();
	int err = explain(w->env, &e->of, &e->recorder);

	e->failed = lack_seen() || err < 0;
}

json_t *explain_report_answer(void *report, const struct view *view)
{
	const struct explained_query *e = report;
	const struct explained *x = &e->of;
	char name[NAME_TEXT], type[TEXT_MAX], client[ADDR_TEXT];

	(void)view;
	if (e->failed)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:s?, s:O, s:s, s:s, s:O?}", "name",
		name_to_text(e->name, name), "type", text_type(x->question.type, type), "client",
		addr_print_host(&x->client, client), "listener", x->facts.listener, "identity",
		x->facts.identity, "said", said_by(e), "view", e->view, "steps", e->steps,
		"outcome", e->outcome, "stage", e->stage, "answer", e->answer);
}

void explain_report_end(void *report)
{
	struct explained_query *e = report;

	json_decref(e->steps);
	json_decref(e->answer);
	free(e);
}
