#include "control/show.h"

#include "control/line.h"
#include "control/told.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Remarked upon when a certificate has less. */
#define FEW_DAYS    14
#define DAY_SECONDS 86400

/* A round-trip time; `-` if it is unknown. */
static const char *rtt_text(const json_t *quantiles, const char *key, char text[LINE_SPAN])
{
	double ms = told_real(quantiles, key) * 1000;

	if (ms <= 0)
		return "-";
	snprintf(text, LINE_SPAN, "%.*f ms", ms < 1 ? 2 : ms < 10 ? 1 : 0, ms);
	return text;
}

/* ---- the daemon ---- */

/* Older daemons have none, and say nothing of it. */
static void show_sandbox(const json_t *s, FILE *out)
{
	uint64_t landlock = told_count(s, "landlock");
	struct line l = { 0 };

	if (!s)
		return;
	if (strcmp(told_text(s, "mode"), "off") == 0) {
		line_add(&l, "OFF");
	} else {
		line_add(&l, "%s, ", told_is_true(s, "seccomp") ? "seccomp" : "NO SECCOMP");
		if (landlock)
			line_add(&l, "landlock %" PRIu64 ", ", landlock);
		else
			line_add(&l, "NO LANDLOCK, ");
		line_add(
			&l, told_is_true(s, "no_privileges") ? "no privileges" : "WITH PRIVILEGES");
	}
	line_put_about(&l, "sandbox", out);
}

static void show_config(const json_t *o, double now, FILE *out)
{
	const json_t *error = json_object_get(o, "config_error");
	char span[LINE_SPAN];
	struct line l = { 0 };

	line_add(&l, "%s", *told_text(o, "config") ? told_text(o, "config") : "no file");
	if (told_count(o, "config_time_seconds") > told_count(o, "start_time_seconds"))
		line_add(&l, ", loaded %s ago",
			line_span(now - told_real(o, "config_time_seconds"), span));
	line_put_about(&l, "configuration", out);
	if (!json_is_object(error))
		return;
	line_add(&l, "FAILED %s ago: %s; what was before stays",
		line_span(now - told_real(error, "time_seconds"), span),
		told_text(error, "reason"));
	line_put_about(&l, "last reload", out);
}

static void show_process(const json_t *o, FILE *out)
{
	uint64_t now = told_count(o, "time_seconds"), start = told_count(o, "start_time_seconds");
	uint64_t workers = told_count(o, "workers");
	time_t moment = (time_t)start;
	char name[LINE_SPAN], span[LINE_SPAN], date[LINE_SPAN] = "";
	struct line l = { 0 };
	struct tm local;

	if (localtime_r(&moment, &local))
		strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
	line_add(&l, "pid %" PRIu64 ", %" PRIu64 " worker%s, for %s, since %s",
		told_count(o, "pid"), workers, line_plural(workers),
		line_span((double)now - (double)start, span), date);
	snprintf(name, sizeof name, "sotto %s", told_text(o, "version"));
	line_put_about(&l, name, out);
	show_config(o, (double)now, out);
	show_sandbox(json_object_get(o, "sandbox"), out);
}

static void show_rules_error(const json_t *error, double now, FILE *out)
{
	uint64_t at = told_count(error, "line");
	char span[LINE_SPAN], where[LINE_SPAN] = "";
	struct line l = { 0 };

	if (!json_is_object(error))
		return;
	if (at)
		snprintf(where, sizeof where, ":%" PRIu64, at);
	line_add(&l, "FAILED %s ago: %s%s: %s; what was before stays",
		line_span(now - told_real(error, "time_seconds"), span), told_text(error, "file"),
		where, told_text(error, "reason"));
	line_put_about(&l, "files of rules", out);
}

/* Where there are none, nothing is said of them; older daemons have none. */
static void show_rules(const json_t *o, FILE *out)
{
	const json_t *r = json_object_get(o, "rules"), *did;
	uint64_t count = told_count(r, "rules"), entries = told_count(r, "list_entries");
	double now = told_real(o, "time_seconds");
	char span[LINE_SPAN];
	struct line l = { 0 };

	did = json_object_get(r, "rules_decisions_total");
	if (count || entries) {
		line_add(&l, "%" PRIu64 ", and %" PRIu64 " entries of lists, loaded %s ago", count,
			entries, line_span(now - told_real(r, "time_seconds"), span));
		line_add_some(&l, told_count(did, "answered"), "answered");
		line_add_some(&l, told_count(did, "blocked"), "blocked");
		line_add_some(&l, told_count(did, "routed"), "routed");
		line_add_some(&l, told_count(did, "dropped"), "dropped");
		line_add_some(&l, told_count(did, "judged"), "answers not passed on");
		line_add_some(&l, told_count(r, "rules_regex_exceeded_total"),
			"regular expressions given up");
		line_put_about(&l, "rules", out);
	}
	show_rules_error(json_object_get(r, "error"), now, out);
}

static void show_queries(const json_t *o, FILE *out)
{
	const json_t *asked = json_object_get(o, "dns_requests_total");
	const json_t *answered = json_object_get(o, "dns_responses_total");
	const json_t *addr;
	struct line l = { 0 };
	size_t i;

	json_array_foreach (json_object_get(o, "listen"), i, addr)
		line_add(&l, "%s%s", i ? " " : "", json_string_value(addr));
	line_put_about(&l, "listens on", out);
	line_add(&l, "%" PRIu64 " over UDP, %" PRIu64 " over TCP", told_count(asked, "udp"),
		told_count(asked, "tcp"));
	if (told_count(o, "clients_tls_total"))
		line_add(&l, ", %" PRIu64 " over TLS", told_count(asked, "tls"));
	line_put_about(&l, "queries", out);
	line_add(&l, "%" PRIu64 " good, %" PRIu64 " refused or failed (%" PRIu64 " SERVFAIL)",
		told_count(answered, "upstream"), told_count(answered, "error"),
		told_count(o, "dns_servfails_total"));
	line_add_some(&l, told_count(o, "dns_drops_total"), "never answered");
	line_put_about(&l, "answers", out);
}

/* Of what is not written, or told, nothing is said. */
static void show_told(const char *about, const json_t *total, const char *good, FILE *out)
{
	uint64_t count = told_count(total, good), lost = told_count(total, "lost");
	struct line l = { 0 };

	if (!count && !lost)
		return;
	line_add(&l, "%" PRIu64 " %s", count, good);
	line_add_some(&l, lost, "lost");
	line_put_about(&l, about, out);
}

/* How many upstreams are in which state, the worst last. */
static void show_sum(const json_t *upstreams, FILE *out)
{
	static const char *const states[] = { "answers", "untried", "late", "down" };
	uint64_t counts[sizeof states / sizeof *states] = { 0 };
	const char *before = ": ";
	struct line l = { 0 };
	const json_t *u;
	size_t i;

	json_array_foreach (upstreams, i, u)
		for (size_t s = 0; s < sizeof states / sizeof *states; s++)
			counts[s] += strcmp(told_text(u, "state"), states[s]) == 0;
	line_add(&l, "%zu", json_array_size(upstreams));
	for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
		if (!counts[s])
			continue;
		line_add(&l, "%s%" PRIu64 " %s", before, counts[s],
			s == 0 && counts[s] > 1 ? "answer" : states[s]);
		before = ", ";
	}
	line_put_about(&l, "upstreams", out);
}

/* ---- an upstream ---- */

/* Its name at the left, how it stands at the right. */
static void show_title(const json_t *u, FILE *out)
{
	const char *state = told_text(u, "state");
	bool down = strcmp(state, "down") == 0;
	struct line name = { 0 }, standing = { 0 };
	char span[LINE_SPAN];

	line_add(&name, "%s", told_text(u, "upstream"));
	line_add(&standing, "%s", down ? "DOWN" : state);
	if (strcmp(state, "untried") != 0)
		line_add(&standing, " for %s",
			line_span(told_real(u, "upstream_state_seconds"), span));
	if (name.len + 2 + standing.len > LINE_COLUMNS) {
		line_put(&name, "", 2, out);
		line_put_row(&standing, out);
		return;
	}
	line_add(&name, "%*s", (int)(LINE_COLUMNS - name.len), standing.text);
	line_put(&name, "", 0, out);
}

/* `name dns.example and pin`. */
static void add_proof(struct line *l, const json_t *u)
{
	const char *how = told_text(u, "authentication"), *name = told_text(u, "auth_name");

	if (strncmp(how, "name", 4) == 0)
		line_add(l, "name %s%s", name, how + 4);
	else
		line_add(l, "its %s", how);
}

static void add_certificate(struct line *l, const json_t *u, int64_t now)
{
	const json_t *end = json_object_get(u, "upstream_cert_not_after_seconds");
	int64_t left = json_integer_value(end) - now, days = left / DAY_SECONDS;

	if (!json_is_integer(end))
		return;
	if (left <= 0)
		line_add(l, "; ITS CERTIFICATE HAS ENDED");
	else
		line_add(l, "; %s %" PRId64 " day%s",
			days < FEW_DAYS ? "ITS CERTIFICATE ENDS IN" : "certificate ends in", days,
			line_plural((uint64_t)days));
}

static void show_trust(const json_t *u, int64_t now, FILE *out)
{
	const json_t *verified = json_object_get(u, "verified");
	struct line l = { 0 };

	if (!told_is_true(u, "encrypted")) {
		line_add(&l, "IN CLEAR: whoever is on the way can read and change what is asked");
	} else if (json_is_true(verified)) {
		line_add(&l, "encrypted, verified: ");
		add_proof(&l, u);
	} else if (json_is_false(verified) ||
		strcmp(told_text(u, "authentication"), "opportunistic") == 0) {
		line_add(&l, "encrypted, UNVERIFIED: whoever answers there is believed");
	} else {
		line_add(&l, "no connection yet; it must prove: ");
		add_proof(&l, u);
	}
	add_certificate(&l, u, now);
	line_put_row(&l, out);
}

/* What was agreed on; and the address, where the name of the upstream does not tell. */
static void show_connection(const json_t *u, FILE *out)
{
	const char *address = told_text(u, "address"), *port = strrchr(address, ':');
	struct line l = { 0 };
	char host[LINE_SPAN * 2];

	if (*told_text(u, "tls_version"))
		line_add(&l, "%s, %s, %s, %s", told_text(u, "tls_version"),
			told_text(u, "tls_cipher"),
			*told_text(u, "tls_group") ? told_text(u, "tls_group") : "no group",
			told_is_true(u, "tls_resumed") ? "resumed" : "full handshake");
	snprintf(host, sizeof host, "%.*s", port ? (int)(port - address) : 0, address);
	if (*told_text(u, "designated"))
		line_add(&l, "%sdesignated %s at %s", l.len ? ", " : "", told_text(u, "designated"),
			address);
	else if (*host && !strstr(told_text(u, "upstream"), host))
		line_add(&l, "%sat %s", l.len ? ", " : "", address);
	line_put_row(&l, out);
}

static void show_load(const json_t *u, FILE *out)
{
	const json_t *quantiles = json_object_get(u, "upstream_request_duration_seconds");
	uint64_t connections = told_count(u, "upstream_connections");
	uint64_t opened = told_count(u, "upstream_connections_opened_total");
	struct line l = { 0 };
	char p50[LINE_SPAN], p95[LINE_SPAN];

	if (!connections && !opened)
		return;
	line_add(&l, "p50 %s, p95 %s; %" PRIu64 " in flight on %" PRIu64 " connection%s",
		rtt_text(quantiles, "0.5", p50), rtt_text(quantiles, "0.95", p95),
		told_count(u, "upstream_inflight_queries"), connections, line_plural(connections));
	line_add(&l, " (%" PRIu64 " made", opened);
	line_add_some(&l, told_count(u, "upstream_connections_resumed_total"), "resumed");
	line_add_some(&l, told_count(u, "upstream_connections_lost_total"), "lost");
	line_add(&l, ")");
	line_put_row(&l, out);
}

static void add_counters(struct line *l, const json_t *u)
{
	uint64_t asked = told_count(u, "upstream_requests_total");
	uint64_t hedges = told_count(u, "upstream_hedges_total");

	if (!asked)
		return;
	line_add(l, "%" PRIu64 " asked, %" PRIu64 " answered", asked,
		told_count(u, "upstream_responses_total"));
	line_add_some(l, told_count(u, "upstream_servfails_total"), "SERVFAIL");
	line_add_some(l, told_count(u, "upstream_refusals_total"), "REFUSED");
	line_add_some(l, told_count(u, "upstream_retries_total"), "retried");
	if (hedges)
		line_add(l, ", %" PRIu64 " of %" PRIu64 " hedge%s won",
			told_count(u, "upstream_hedges_won_total"), hedges, line_plural(hedges));
}

/* `group lan (ordered) for lan.example, home.example`. */
static void add_groups(struct line *l, const json_t *u, const json_t *groups)
{
	const json_t *name, *zone;
	size_t i, k;

	json_array_foreach (json_object_get(u, "groups"), i, name) {
		const json_t *group = json_object_get(groups, json_string_value(name));

		line_add(l, "%sgroup %s (%s)", l->len ? "; " : "", json_string_value(name),
			told_text(group, "policy"));
		json_array_foreach (json_object_get(group, "zones"), k, zone)
			line_add(l, "%s%s", k ? ", " : " for ", json_string_value(zone));
	}
}

/* In one row if it can be. */
static void show_use(const json_t *u, const json_t *groups, FILE *out)
{
	struct line counters = { 0 }, group = { 0 };

	add_counters(&counters, u);
	add_groups(&group, u, groups);
	if (counters.len && group.len && 2 + counters.len + 2 + group.len <= LINE_COLUMNS) {
		line_add(&counters, "; %s", group.text);
		group.len = 0;
	}
	line_put_row(&counters, out);
	line_put_row(&group, out);
}

static void show_errors(const json_t *u, FILE *out)
{
	const json_t *last = json_object_get(u, "last_error");
	const char *phase, *before = "errors: ";
	struct line l = { 0 };
	char span[LINE_SPAN];
	json_t *n;

	json_object_foreach (json_object_get(u, "upstream_errors_total"), phase, n) {
		if (json_integer_value(n) <= 0)
			continue;
		line_add(&l, "%s%" JSON_INTEGER_FORMAT " %s", before, json_integer_value(n), phase);
		before = ", ";
	}
	if (json_is_object(last))
		line_add(&l, "%slast %s ago (%s): %s", l.len ? "; " : "",
			line_span(told_real(last, "age_seconds"), span), told_text(last, "phase"),
			told_text(last, "reason"));
	line_put_row(&l, out);
	if (json_is_object(last) && strcmp(told_text(u, "state"), "answers") != 0)
		line_add(&l, "hint: %s", told_text(last, "hint"));
	line_put_row(&l, out);
}

void show_reload(const json_t *o, FILE *out)
{
	const char *changed = told_text(o, "changed"), *restart = told_text(o, "after_restart");
	struct line l = { 0 };

	line_add(&l, "%s%s", *changed ? "changed: " : "nothing has changed", changed);
	line_put(&l, "", 0, out);
	if (*restart)
		line_add(&l, "only a restart changes: %s", restart);
	line_put_row(&l, out);
}

void show_status(const json_t *status, FILE *out)
{
	const json_t *upstreams = json_object_get(status, "upstreams"), *u;
	int64_t now = (int64_t)told_count(status, "time_seconds");
	size_t i;

	show_process(status, out);
	show_rules(status, out);
	show_queries(status, out);
	show_told("dump", json_object_get(status, "dump_messages_total"), "written", out);
	show_told("events", json_object_get(status, "events_total"), "told", out);
	show_sum(upstreams, out);
	json_array_foreach (upstreams, i, u) {
		fputc('\n', out);
		show_title(u, out);
		show_trust(u, now, out);
		show_connection(u, out);
		show_load(u, out);
		show_use(u, json_object_get(status, "groups"), out);
		show_errors(u, out);
	}
}
