#include "control/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define COLUMNS 80
#define LINE    1024
#define SPAN    32 /* room for a duration as text */
/* Remarked upon when a certificate has less. */
#define FEW_DAYS    14
#define DAY_SECONDS 86400

/* ---- values ---- */

/* 0 where there is none. */
static uint64_t count_in(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static double real_in(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* "" where there is none. */
static const char *text_in(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static bool is_true_in(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* `3 d 4 h`, the two largest units of it. */
static const char *span_text(double seconds, char text[SPAN])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t s = seconds > 0 && seconds < 1e12 ? (uint64_t)seconds : 0;
	size_t u = 0;

	while (units[u].seconds > 1 && s < units[u].seconds)
		u++;
	int len = snprintf(text, SPAN, "%" PRIu64 " %s", s / units[u].seconds, units[u].name);

	s %= units[u].seconds;
	if (units[u].seconds > 60 && s >= units[u + 1].seconds)
		snprintf(text + len, (size_t)(SPAN - len), " %" PRIu64 " %s",
			s / units[u + 1].seconds, units[u + 1].name);
	return text;
}

/* A round-trip time; `-` if it is unknown. */
static const char *rtt_text(const json_t *quantiles, const char *key, char text[SPAN])
{
	double ms = real_in(quantiles, key) * 1000;

	if (ms <= 0)
		return "-";
	snprintf(text, SPAN, "%.*f ms", ms < 1 ? 2 : ms < 10 ? 1 : 0, ms);
	return text;
}

/* ---- lines ---- */

/* A line in the making; what does not fit is cut. */
struct line {
	size_t len;
	char text[LINE];
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(l->text + l->len, LINE - l->len, format, args);
	va_end(args);
	if (n > 0)
		l->len = l->len + (size_t)n < LINE ? l->len + (size_t)n : LINE - 1;
}

/* Peers have a say in some texts, and none in what a terminal does. */
static void make_printable(struct line *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->text[i] < ' ' || l->text[i] > '~')
			l->text[i] = '?';
}

/* The most of the text that fits into so many columns, up to a blank if there is one. */
static size_t fitting(const char *text, size_t columns)
{
	size_t len = strlen(text);

	if (len <= columns)
		return len;
	for (size_t i = columns; i > 0; i--)
		if (text[i] == ' ')
			return i;
	return columns;
}

/* Writes the line, as many rows as it takes: the first begins with head, the others are indented by
 * so much more than head is long. */
static void put(struct line *l, const char *head, size_t more, FILE *out)
{
	const char *rest = l->text;
	size_t indent = strlen(head);

	make_printable(l);
	fputs(head, out);
	for (;;) {
		size_t n = fitting(rest, COLUMNS - indent);

		fprintf(out, "%.*s\n", (int)n, rest);
		rest += n;
		rest += strspn(rest, " ");
		if (!*rest)
			break;
		indent = strlen(head) + more;
		fprintf(out, "%*s", (int)indent, "");
	}
	*l = (struct line){ 0 };
}

/* `, 3 retried`, if there are any. */
static void add_some(struct line *l, uint64_t n, const char *what)
{
	if (n)
		add(l, ", %" PRIu64 " %s", n, what);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* ---- the daemon ---- */

/* What a row is about stands in a column of its own. */
#define HEAD "%-15s"

static void put_about(struct line *l, const char *about, FILE *out)
{
	char head[32];

	snprintf(head, sizeof head, HEAD, about);
	put(l, head, 0, out);
}

static void show_process(const json_t *o, FILE *out)
{
	uint64_t now = count_in(o, "time_seconds"), start = count_in(o, "start_time_seconds");
	uint64_t workers = count_in(o, "workers");
	time_t moment = (time_t)start;
	char name[SPAN], span[SPAN], date[SPAN] = "";
	struct line l = { 0 };
	struct tm local;

	if (localtime_r(&moment, &local))
		strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
	add(&l, "pid %" PRIu64 ", %" PRIu64 " worker%s, for %s, since %s", count_in(o, "pid"),
		workers, plural(workers), span_text((double)now - (double)start, span), date);
	snprintf(name, sizeof name, "sotto %s", text_in(o, "version"));
	put_about(&l, name, out);
	add(&l, "%s", *text_in(o, "config") ? text_in(o, "config") : "no file");
	put_about(&l, "configuration", out);
}

static void show_queries(const json_t *o, FILE *out)
{
	const json_t *asked = json_object_get(o, "dns_requests_total");
	const json_t *answered = json_object_get(o, "dns_responses_total");
	const json_t *addr;
	struct line l = { 0 };
	size_t i;

	json_array_foreach (json_object_get(o, "listen"), i, addr)
		add(&l, "%s%s", i ? " " : "", json_string_value(addr));
	put_about(&l, "listens on", out);
	add(&l, "%" PRIu64 " over UDP, %" PRIu64 " over TCP", count_in(asked, "udp"),
		count_in(asked, "tcp"));
	put_about(&l, "queries", out);
	add(&l, "%" PRIu64 " from upstreams, %" PRIu64 " of its own (%" PRIu64 " SERVFAIL)",
		count_in(answered, "upstream"), count_in(answered, "error"),
		count_in(o, "dns_servfails_total"));
	add_some(&l, count_in(o, "dns_drops_total"), "never answered");
	put_about(&l, "answers", out);
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
			counts[s] += strcmp(text_in(u, "state"), states[s]) == 0;
	add(&l, "%zu", json_array_size(upstreams));
	for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
		if (!counts[s])
			continue;
		add(&l, "%s%" PRIu64 " %s", before, counts[s],
			s == 0 && counts[s] > 1 ? "answer" : states[s]);
		before = ", ";
	}
	put_about(&l, "upstreams", out);
}

/* ---- an upstream ---- */

static void put_row(struct line *l, FILE *out)
{
	if (l->len)
		put(l, "  ", 2, out);
}

/* Its name at the left, how it stands at the right. */
static void show_title(const json_t *u, FILE *out)
{
	const char *state = text_in(u, "state");
	bool down = strcmp(state, "down") == 0;
	struct line name = { 0 }, standing = { 0 };
	char span[SPAN];

	add(&name, "%s", text_in(u, "upstream"));
	add(&standing, "%s", down ? "DOWN" : state);
	if (strcmp(state, "untried") != 0)
		add(&standing, " for %s", span_text(real_in(u, "upstream_state_seconds"), span));
	if (name.len + 2 + standing.len > COLUMNS) {
		put(&name, "", 2, out);
		put_row(&standing, out);
		return;
	}
	add(&name, "%*s", (int)(COLUMNS - name.len), standing.text);
	put(&name, "", 0, out);
}

/* `name dns.example and pin`. */
static void add_proof(struct line *l, const json_t *u)
{
	const char *how = text_in(u, "authentication"), *name = text_in(u, "auth_name");

	if (strncmp(how, "name", 4) == 0)
		add(l, "name %s%s", name, how + 4);
	else
		add(l, "its %s", how);
}

static void add_certificate(struct line *l, const json_t *u, int64_t now)
{
	const json_t *end = json_object_get(u, "upstream_cert_not_after_seconds");
	int64_t left = json_integer_value(end) - now, days = left / DAY_SECONDS;

	if (!json_is_integer(end))
		return;
	if (left <= 0)
		add(l, "; ITS CERTIFICATE HAS ENDED");
	else
		add(l, "; %s %" PRId64 " day%s",
			days < FEW_DAYS ? "ITS CERTIFICATE ENDS IN" : "certificate ends in", days,
			plural((uint64_t)days));
}

static void show_trust(const json_t *u, int64_t now, FILE *out)
{
	const json_t *verified = json_object_get(u, "verified");
	struct line l = { 0 };

	if (!is_true_in(u, "encrypted")) {
		add(&l, "IN CLEAR: whoever is on the way can read and change what is asked");
	} else if (json_is_true(verified)) {
		add(&l, "encrypted, verified: ");
		add_proof(&l, u);
	} else if (json_is_false(verified) ||
		strcmp(text_in(u, "authentication"), "opportunistic") == 0) {
		add(&l, "encrypted, UNVERIFIED: whoever answers there is believed");
	} else {
		add(&l, "no connection yet; it must prove: ");
		add_proof(&l, u);
	}
	add_certificate(&l, u, now);
	put_row(&l, out);
}

/* What was agreed on; and the address, where the name of the upstream does not tell. */
static void show_connection(const json_t *u, FILE *out)
{
	const char *address = text_in(u, "address"), *port = strrchr(address, ':');
	struct line l = { 0 };
	char host[SPAN * 2];

	if (*text_in(u, "tls_version"))
		add(&l, "%s, %s, %s, %s", text_in(u, "tls_version"), text_in(u, "tls_cipher"),
			*text_in(u, "tls_group") ? text_in(u, "tls_group") : "no group",
			is_true_in(u, "tls_resumed") ? "resumed" : "full handshake");
	snprintf(host, sizeof host, "%.*s", port ? (int)(port - address) : 0, address);
	if (*host && !strstr(text_in(u, "upstream"), host))
		add(&l, "%sat %s", l.len ? ", " : "", address);
	put_row(&l, out);
}

static void show_load(const json_t *u, FILE *out)
{
	const json_t *quantiles = json_object_get(u, "upstream_request_duration_seconds");
	uint64_t connections = count_in(u, "upstream_connections");
	uint64_t opened = count_in(u, "upstream_connections_opened_total");
	struct line l = { 0 };
	char p50[SPAN], p95[SPAN];

	if (!connections && !opened)
		return;
	add(&l, "p50 %s, p95 %s; %" PRIu64 " in flight on %" PRIu64 " connection%s",
		rtt_text(quantiles, "0.5", p50), rtt_text(quantiles, "0.95", p95),
		count_in(u, "upstream_inflight_queries"), connections, plural(connections));
	add(&l, " (%" PRIu64 " made", opened);
	add_some(&l, count_in(u, "upstream_connections_resumed_total"), "resumed");
	add_some(&l, count_in(u, "upstream_connections_lost_total"), "lost");
	add(&l, ")");
	put_row(&l, out);
}

static void add_counters(struct line *l, const json_t *u)
{
	uint64_t asked = count_in(u, "upstream_requests_total");
	uint64_t hedges = count_in(u, "upstream_hedges_total");

	if (!asked)
		return;
	add(l, "%" PRIu64 " asked, %" PRIu64 " answered", asked,
		count_in(u, "upstream_responses_total"));
	add_some(l, count_in(u, "upstream_servfails_total"), "SERVFAIL");
	add_some(l, count_in(u, "upstream_refusals_total"), "REFUSED");
	add_some(l, count_in(u, "upstream_retries_total"), "retried");
	if (hedges)
		add(l, ", %" PRIu64 " of %" PRIu64 " hedge%s won",
			count_in(u, "upstream_hedges_won_total"), hedges, plural(hedges));
}

/* `group lan (ordered) for lan.example, home.example`. */
static void add_groups(struct line *l, const json_t *u, const json_t *groups)
{
	const json_t *name, *zone;
	size_t i, k;

	json_array_foreach (json_object_get(u, "groups"), i, name) {
		const json_t *group = json_object_get(groups, json_string_value(name));

		add(l, "%sgroup %s (%s)", l->len ? "; " : "", json_string_value(name),
			text_in(group, "policy"));
		json_array_foreach (json_object_get(group, "zones"), k, zone)
			add(l, "%s%s", k ? ", " : " for ", json_string_value(zone));
	}
}

/* In one row if it can be. */
static void show_use(const json_t *u, const json_t *groups, FILE *out)
{
	struct line counters = { 0 }, group = { 0 };

	add_counters(&counters, u);
	add_groups(&group, u, groups);
	if (counters.len && group.len && 2 + counters.len + 2 + group.len <= COLUMNS) {
		add(&counters, "; %s", group.text);
		group.len = 0;
	}
	put_row(&counters, out);
	put_row(&group, out);
}

static void show_errors(const json_t *u, FILE *out)
{
	const json_t *last = json_object_get(u, "last_error");
	const char *phase, *before = "errors: ";
	struct line l = { 0 };
	char span[SPAN];
	json_t *n;

	json_object_foreach (json_object_get(u, "upstream_errors_total"), phase, n) {
		if (json_integer_value(n) <= 0)
			continue;
		add(&l, "%s%" JSON_INTEGER_FORMAT " %s", before, json_integer_value(n), phase);
		before = ", ";
	}
	if (json_is_object(last))
		add(&l, "%slast %s ago (%s): %s", l.len ? "; " : "",
			span_text(real_in(last, "age_seconds"), span), text_in(last, "phase"),
			text_in(last, "reason"));
	put_row(&l, out);
	if (json_is_object(last) && strcmp(text_in(u, "state"), "answers") != 0)
		add(&l, "hint: %s", text_in(last, "hint"));
	put_row(&l, out);
}

void show_status(const json_t *status, FILE *out)
{
	const json_t *upstreams = json_object_get(status, "upstreams"), *u;
	int64_t now = (int64_t)count_in(status, "time_seconds");
	size_t i;

	show_process(status, out);
	show_queries(status, out);
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
