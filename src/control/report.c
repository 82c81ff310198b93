#include "control/report.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

/* The counters of a server, as metrics are named. */
#define NAMES(X)                                                                                   \
	X(requests, "upstream_requests_total")                                                     \
	X(responses, "upstream_responses_total")                                                   \
	X(servfails, "upstream_servfails_total")                                                   \
	X(refusals, "upstream_refusals_total")                                                     \
	X(retries, "upstream_retries_total")                                                       \
	X(hedges, "upstream_hedges_total")                                                         \
	X(hedges_won, "upstream_hedges_won_total")                                                 \
	X(probes, "upstream_probes_total")                                                         \
	X(unmatched, "upstream_responses_unmatched_total")                                         \
	X(dials, "upstream_connections_dialled_total")                                             \
	X(opened, "upstream_connections_opened_total")                                             \
	X(resumed, "upstream_connections_resumed_total")                                           \
	X(closed_idle, "upstream_connections_closed_idle_total")                                   \
	X(lost, "upstream_connections_lost_total")                                                 \
	X(suspected, "upstream_connections_suspected_total")

#define ONE(name, text) +1
static_assert(0 NAMES(ONE) == 0 SERVER_COUNTERS(ONE), "every counter of a server has a name");
#undef ONE

/* ---- gathering ---- */

void *report_begin(const struct view *view, const struct words *w, const char **why)
{
	size_t count = view->upstream->count;

	if (w->count) {
		*why = "status takes no words";
		return NULL;
	}
	struct report *r = calloc(1, sizeof *r + count * sizeof *r->servers);

	if (!r)
		return NULL;
	r->now_ms = clock_system_ms();
	r->uptime_ms = clock_since_boot_ms() - view->start_ms;
	r->count = count;
	return r;
}

void report_visit(void *report, const struct view_worker *w)
{
	struct report *r = report;
	struct server_status status;

	metrics_add(&r->metrics, w->metrics);
	for (size_t i = 0; i < r->count; i++) {
		upstreams_status(w->upstreams, i, &status);
		server_status_add(&r->servers[i], &status);
	}
}

/* ---- an object ---- */

/* Takes the members of part, which may be NULL, into o. False: out of memory. */
static bool add(json_t *o, json_t *part)
{
	return json_object_update_new(o, part) == 0;
}

static json_t *whole(json_t *o, bool ok)
{
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* Peers have a say in some texts: what is no UTF-8 does not spoil the rest. */
static json_t *text_of(const char *text)
{
	json_t *string = json_string(text);
	char ascii[256];
	size_t len = 0;

	if (string)
		return string;
	for (; len < sizeof ascii && text[len]; len++)
		ascii[len] = (char)(text[len] & 0x80 ? '?' : text[len]);
	return json_stringn(ascii, len);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static double seconds(uint64_t ms)
{
	return (double)ms / 1000;
}

/* ---- an upstream ---- */

static const char *authentication(const struct server_conf *s)
{
	if (s->scheme != SCHEME_TLS)
		return "none";
	if (s->opportunistic)
		return "opportunistic";
	if (s->auth_name)
		return s->pin_count ? "name and pin" : "name";
	if (s->designated)
		return s->pin_count ? "address and pin" : "address";
	return s->pin_count ? "pin" : "address";
}

/* The groups that it is in. */
static json_t *groups_of(const struct upstream_conf *u, size_t server)
{
	json_t *list = json_array();

	for (size_t g = 0; g < u->group_count; g++)
		for (size_t i = 0; i < u->groups[g].count; i++)
			if (u->groups[g].servers[i] == server)
				json_array_append_new(list, json_string(u->groups[g].name));
	return list;
}

static json_t *state_of(const struct server_status *s)
{
	return json_pack("{s:s, s:f, s:i}", "state", standing_name(s->standing),
		"upstream_state_seconds", seconds(s->standing_ms), "upstream_up",
		s->standing != DOWN);
}

/* What is known of the latest connection; null where there was none. */
static json_t *connection_of(const struct server_status *s)
{
	const struct tls_facts *f = &s->facts;
	bool known = s->connected_once, tls = known && f->version;
	char addr[ADDR_TEXT];

	return json_pack("{s:s?, s:s?, s:b, s:s, s:s?, s:o, s:s?, s:s?, s:s?, s:o, s:o}", "address",
		s->addr.any.sa_family == AF_UNSPEC ? NULL : addr_print(&s->addr, addr),
		"designated", *s->designated ? s->designated : NULL, "encrypted",
		s->conf->scheme == SCHEME_TLS, "authentication", authentication(s->conf),
		"auth_name", s->conf->auth_name, "verified",
		known ? json_boolean(tls && f->verified) : json_null(), "tls_version",
		tls ? f->version : NULL, "tls_cipher", tls ? f->cipher : NULL, "tls_group",
		tls ? f->group : NULL, "tls_resumed", tls ? json_boolean(f->resumed) : json_null(),
		"upstream_cert_not_after_seconds",
		tls && f->not_after_s ? json_integer(f->not_after_s) : json_null());
}

static json_t *quantile(const struct rtt *r, unsigned percent)
{
	uint32_t us = rtt_percentile_us(r, percent);

	return us ? json_real((double)us / 1e6) : json_null();
}

static json_t *load_of(const struct server_status *s)
{
	return json_pack("{s:{s:o, s:o, s:o}, s:o, s:o}", "upstream_request_duration_seconds",
		"0.5", quantile(&s->rtt, 50), "0.95", quantile(&s->rtt, 95), "0.99",
		quantile(&s->rtt, 99), "upstream_inflight_queries", number(s->in_flight),
		"upstream_connections", number(s->connections));
}

static json_t *counters_of(const struct server_status *s)
{
	json_t *o = json_object();
	bool ok = true;

#define X(name, key) ok &= json_object_set_new(o, key, number(s->name)) == 0;
	NAMES(X)
#undef X
	return whole(o, ok);
}

static json_t *errors_of(const struct server_status *s)
{
	json_t *o = json_object();
	bool ok = true;

	for (enum phase p = PHASE_NONE + 1; p < PHASES; p++)
		ok &= json_object_set_new(o, phase_name(p), number(s->errors[p])) == 0;
	return json_pack("{s:o}", "upstream_errors_total", whole(o, ok));
}

static json_t *last_error_of(const struct server_status *s)
{
	const struct fault *f = &s->last_fault;

	if (f->phase == PHASE_NONE)
		return json_pack("{s:n}", "last_error");
	return json_pack("{s:{s:f, s:s, s:s, s:o, s:s}}", "last_error", "age_seconds",
		seconds(s->last_fault_ms), "phase", phase_name(f->phase), "cause", f->cause,
		"reason", text_of(f->reason), "hint", f->hint);
}

static json_t *server(const struct upstream_conf *u, size_t i, const struct server_status *s)
{
	json_t *o = json_pack("{s:s, s:o}", "upstream", s->conf->text, "groups", groups_of(u, i));

	return whole(o,
		add(o, state_of(s)) && add(o, connection_of(s)) && add(o, load_of(s)) &&
			add(o, counters_of(s)) && add(o, errors_of(s)) && add(o, last_error_of(s)));
}

static json_t *servers(const struct upstream_conf *u, const struct report *r)
{
	json_t *list = json_array();
	bool ok = true;

	for (size_t i = 0; i < r->count; i++)
		ok &= json_array_append_new(list, server(u, i, &r->servers[i])) == 0;
	return whole(list, ok);
}

/* ---- the daemon ---- */

static json_t *listen_of(const struct listen_conf *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->count; i++)
		json_array_append_new(list, json_string(l->endpoints[i].text));
	return list;
}

static json_t *group(const struct upstream_conf *u, size_t g)
{
	json_t *zones = json_array();

	for (size_t z = 0; z < u->zone_count; z++)
		if (u->zones[z].group == g)
			json_array_append_new(zones, json_string(u->zones[z].text));
	return json_pack("{s:s, s:o}", "policy", policy_name(u->groups[g].policy), "zones", zones);
}

/* Those that hold anybody. */
static json_t *groups(const struct upstream_conf *u)
{
	json_t *o = json_object();
	bool ok = true;

	for (size_t g = 0; g < u->group_count; g++)
		if (u->groups[g].count)
			ok &= json_object_set_new(o, u->groups[g].name, group(u, g)) == 0;
	return whole(o, ok);
}

/* What of it is in force. */
static json_t *sandbox_of(const struct sandbox *s)
{
	static const char *const modes[] = { "off", "on", "strict" };

	return json_pack("{s:s, s:b, s:i, s:b}", "mode", modes[s->mode], "no_privileges",
		s->no_privileges, "landlock", s->landlock, "seccomp", s->seccomp);
}

/* A moment of the clock that nobody sets, as seconds since 1970. */
static json_int_t moment(const struct view *v, const struct report *r, int64_t since_boot_ms)
{
	return (r->now_ms - r->uptime_ms + since_boot_ms - v->start_ms) / 1000;
}

static json_t *config_error(const struct view *v, const struct report *r)
{
	if (!v->config.fault)
		return json_null();
	return json_pack("{s:I, s:o}", "time_seconds", moment(v, r, v->config.fault_ms), "reason",
		text_of(v->config.fault));
}

static json_t *rules_error(const struct view *v, const struct report *r)
{
	const struct ruleset_fault *f = v->rules->fault;

	if (!f)
		return json_null();
	return json_pack("{s:I, s:o, s:i, s:o}", "time_seconds", moment(v, r, v->rules->fault_ms),
		"file", text_of(f->file), "line", (int)f->line, "reason", text_of(f->why));
}

/* What decides on questions here, and what came of that. */
static json_t *rules(const struct view *v, const struct report *r)
{
	const struct metrics *m = &r->metrics;
	struct ruleset_count n = { 0 };
	struct ruled_here here = { 0 };

	if (!v->rules)
		return json_pack("{s:n}", "rules");
	const struct ruleset *set = ruled_get(v->rules->ruled, &here);

	if (set)
		ruleset_count(set, &n);
	ruled_here_clear(&here);
	return json_pack("{s:{s:o, s:o, s:o, s:o, s:I, s:o, s:{s:o, s:o, s:o, s:o, s:o}, "
			 "s:o}}",
		"rules", "rules", number(n.rules), "names", number(n.names), "list_entries",
		number(n.list_entries), "memory_bytes", number(n.memory), "time_seconds",
		moment(v, r, v->rules->loaded_ms), "error", rules_error(v, r),
		"rules_decisions_total", "answered", number(m->rules_answered), "blocked",
		number(m->rules_blocked), "routed", number(m->rules_routed), "dropped",
		number(m->rules_dropped), "judged", number(m->rules_judged),
		"rules_regex_exceeded_total", number(m->rules_exceeded));
}

static json_t *process(const struct view *v, const struct report *r)
{
	return json_pack("{s:s, s:i, s:I, s:I, s:i, s:s?, s:I, s:o, s:o, s:o}", "version",
		SOTTO_VERSION, "pid", (int)getpid(), "time_seconds", (json_int_t)(r->now_ms / 1000),
		"start_time_seconds", moment(v, r, v->start_ms), "workers", (int)v->worker_count,
		"config", v->file, "config_time_seconds", moment(v, r, v->config.loaded_ms),
		"config_error", config_error(v, r), "listen", listen_of(v->listen), "sandbox",
		sandbox_of(v->sandbox));
}

static json_t *queries(const struct metrics *m)
{
	return json_pack(
		"{s:{s:o, s:o, s:o}, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}}",
		"dns_requests_total", "udp", number(m->queries_udp), "tcp", number(m->queries_tcp),
		"tls", number(m->queries_tls), "dns_responses_total", "upstream",
		number(m->answers), "error", number(m->errors), "dns_servfails_total",
		number(m->servfails), "dns_drops_total", number(m->dropped), "dns_truncated_total",
		number(m->truncated), "dns_overload_total", number(m->overload),
		"dns_overload_clients_total", number(m->overload_clients), "dns_over_rate_total",
		"dropped", number(m->pace_dropped), "truncated", number(m->pace_truncated), "held",
		number(m->pace_held));
}

/* What others were shown of it. */
static json_t *told(const struct metrics *m)
{
	return json_pack("{s:{s:o, s:o}, s:{s:o, s:o}}", "dump_messages_total", "written",
		number(m->dumped), "lost", number(m->dump_lost), "events_total", "told",
		number(m->events), "lost", number(m->events_lost));
}

/* Connections that we ended, and why. */
static json_t *closed(const struct metrics *m)
{
	uint64_t full = m->clients_refused - m->clients_refused_own - m->clients_refused_memory;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "full",
		number(full), "client_full", number(m->clients_refused_own), "no_memory",
		number(m->clients_refused_memory), "unwelcome", number(m->clients_unwelcome),
		"gave_way", number(m->clients_gave_way), "idle", number(m->clients_idle), "message",
		number(m->clients_late - m->clients_late_write), "write",
		number(m->clients_late_write), "unread", number(m->clients_unread), "queries",
		number(m->clients_asked_all), "lifetime", number(m->clients_old));
}

static json_t *clients(const struct metrics *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"clients_closed_total", closed(m), "clients_refused_total",
		number(m->clients_refused), "clients_late_total", number(m->clients_late),
		"clients_unread_total", number(m->clients_unread), "clients_unwelcome_total",
		number(m->clients_unwelcome), "clients_tls_total", number(m->clients_tls),
		"clients_tls_resumed_total", number(m->clients_tls_resumed),
		"clients_tls_failed_total", number(m->clients_tls_failed), "clients_passed_total",
		number(m->clients_passed), "clients_not_passed_total",
		number(m->clients_not_passed), "proxies_malformed_total",
		number(m->proxies_malformed));
}

json_t *report_answer(void *report, const struct view *view)
{
	const struct report *r = report;
	json_t *o = process(view, r);

	return whole(o,
		add(o, rules(view, r)) && add(o, queries(&r->metrics)) &&
			add(o, told(&r->metrics)) && add(o, clients(&r->metrics)) &&
			add(o,
				json_pack("{s:o, s:o}", "groups", groups(view->upstream),
					"upstreams", servers(view->upstream, r))));
}
