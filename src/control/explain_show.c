#include "control/explain_show.h"

#include "control/line.h"
#include "control/records.h"
#include "control/told.h"

#include <inttypes.h>
#include <string.h>

/* Under what stands in the column of its own (line.h). */
#define UNDER "               "

/* ---- who asks what ---- */

/* What it says of whom it asks for. */
static void add_said(struct line *l, const json_t *said)
{
	static const char *const keys[] = { "subnet", "mac", "cpe_id" };
	const char *between = ", for ";

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (!*told_text(said, keys[i]))
			continue;
		line_add(l, "%s%s", between, told_text(said, keys[i]));
		between = " ";
	}
	if (json_is_object(said) && !told_is_true(said, "believed"))
		line_add(l, ", but it is not in trusted-forwarders");
}

static void show_client(const json_t *o, FILE *out)
{
	const char *identity = told_text(o, "identity");
	struct line l = { 0 };

	line_add(&l, "%s at %s", told_text(o, "client"), told_text(o, "listener"));
	if (*identity)
		line_add(&l, ", whose certificate proves %s", identity);
	add_said(&l, json_object_get(o, "said"));
	line_put_about(&l, "client", out);
}

static void show_view(const json_t *o, FILE *out)
{
	const char *view = told_text(o, "view");
	struct line l = { 0 };

	line_add(&l, "%s", *view ? view : "that of everybody");
	line_put_about(&l, "view", out);
}

/* ` at FILE:LINE`. */
static void add_place(struct line *l, const json_t *o)
{
	uint64_t line = told_count(o, "line");

	if (!*told_text(o, "file"))
		return;
	line_add(l, " at %s", told_text(o, "file"));
	if (line)
		line_add(l, ":%" PRIu64, line);
}

/* ---- rules ---- */

static void add_error(struct line *l, const json_t *o)
{
	const json_t *code = json_object_get(o, "extended_error");
	const char *text = told_text(o, "extended_error_text");

	if (!json_is_integer(code))
		return;
	line_add(l, ", extended error %" JSON_INTEGER_FORMAT, json_integer_value(code));
	if (*text)
		line_add(l, " (%s)", text);
}

static void add_lab(struct line *l, const json_t *lab)
{
	if (!json_is_object(lab))
		return;
	if (told_real(lab, "delay_seconds") > 0 || told_real(lab, "jitter_seconds") > 0)
		line_add(l, ", after %.0f ms and up to %.0f ms more",
			told_real(lab, "delay_seconds") * 1000,
			told_real(lab, "jitter_seconds") * 1000);
	if (told_count(lab, "first"))
		line_add(l, ", only the first %" PRIu64, told_count(lab, "first"));
	if (told_real(lab, "chance") > 0)
		line_add(l, ", by a chance of %g", told_real(lab, "chance"));
}

static void show_decision(const char *about, const json_t *d, FILE *out)
{
	const char *of = *told_text(d, "list") ? told_text(d, "list") : told_text(d, "special");
	const char *to = *told_text(d, "target") ? told_text(d, "target") : told_text(d, "group");
	struct line l = { 0 };

	line_add(&l, "%s", told_text(d, "action"));
	if (*to)
		line_add(&l, " %s", to);
	if (*of)
		line_add(&l, ", for the sake of %s", of);
	add_error(&l, d);
	add_lab(&l, json_object_get(d, "lab"));
	line_put_about(&l, about, out);
}

/* That which decides is marked. */
static void show_entries(const json_t *entries, FILE *out)
{
	const json_t *e;
	struct line l = { 0 };
	size_t i;

	json_array_foreach (entries, i, e) {
		const char *why_not = told_text(e, "why_not");

		line_add(&l, "%s %s %s", *why_not ? " " : ">", told_text(e, "tier"),
			told_text(e, "pattern"));
		add_place(&l, e);
		if (*why_not)
			line_add(&l, ": %s", why_not);
		line_put(&l, UNDER, 4, out);
	}
}

/* ---- the cache, and servers ---- */

static void show_cache(const json_t *c, FILE *out)
{
	const char *state = told_text(c, "state"), *kind = told_text(c, "kind");
	double ttl = told_real(c, "ttl_seconds");
	char span[LINE_SPAN];
	struct line l = { 0 };

	line_add(&l, "%s", state);
	if (*kind && strcmp(kind, state) != 0)
		line_add(&l, ", %s", kind);
	line_add(&l, ", of group %s", told_text(c, "group"));
	if (*kind)
		line_add(&l, ", %s old", line_span(told_real(c, "age_seconds"), span));
	if (json_is_integer(json_object_get(c, "ttl_seconds")))
		line_add(&l, ", %s %s%s", ttl > 0 ? "expires in" : "expired",
			line_span(ttl > 0 ? ttl : -ttl, span), ttl > 0 ? "" : " ago");
	line_put_about(&l, "cache", out);
}

static void show_server(size_t place, const json_t *s, FILE *out)
{
	const char *state = told_text(s, "state"), *error = told_text(s, "last_error");
	double took = told_real(s, "upstream_request_duration_seconds");
	char span[LINE_SPAN];
	struct line l = { 0 };

	line_add(&l, "%zu. %s: %s", place, told_text(s, "upstream"), state);
	if (strcmp(state, "untried") != 0)
		line_add(&l, " for %s", line_span(told_real(s, "upstream_state_seconds"), span));
	if (took > 0)
		line_add(&l, ", p50 %.1f ms", took * 1000);
	if (*error && strcmp(state, "answers") != 0)
		line_add(&l, "; %s", error);
	line_put(&l, UNDER, 3, out);
}

static void show_upstream(const json_t *u, FILE *out)
{
	const json_t *looked_at = json_object_get(u, "looked_at"), *what, *server;
	struct line l = { 0 };
	size_t i;

	line_add(&l, "group %s (%s)", told_text(u, "group"), told_text(u, "policy"));
	if (told_count(u, "at_once") > 1)
		line_add(&l, ", the first two at once");
	if (told_is_true(u, "all_down"))
		line_add(&l, ", ALL OF IT DOWN");
	line_put_about(&l, "upstream", out);
	json_array_foreach (json_object_get(u, "servers"), i, server)
		show_server(i + 1, server, out);
	json_array_foreach (looked_at, i, what)
		line_add(&l, "%s%s", i ? " and " : "then its ", json_string_value(what));
	if (json_array_size(looked_at)) {
		line_add(&l, " are looked at");
		line_put(&l, UNDER, 2, out);
	}
	if (told_is_true(u, "dns64")) {
		line_add(&l, "if there is no AAAA, A is asked (DNS64)");
		line_put(&l, UNDER, 2, out);
	}
}

/* ---- all of it ---- */

static void show_rules(const json_t *step, FILE *out)
{
	const json_t *decision = json_object_get(step, "decision");
	uint64_t left_out = told_count(step, "rules_left_out");
	struct line l = { 0 };

	if (json_is_object(decision)) {
		show_decision("rules", decision, out);
	} else {
		line_add(&l, "none decides");
		line_put_about(&l, "rules", out);
	}
	show_entries(json_object_get(step, "rules"), out);
	if (left_out) {
		line_add(&l, "  and %" PRIu64 " more", left_out);
		line_put(&l, UNDER, 4, out);
	}
}

static void show_objection(const json_t *step, FILE *out)
{
	const json_t *objection = json_object_get(step, "objection");

	if (!json_is_object(objection))
		return;
	show_decision("but its answer", objection, out);
	show_entries(json_object_get(step, "judged"), out);
}

static void show_step(size_t place, const json_t *step, FILE *out)
{
	const json_t *cache = json_object_get(step, "cache");
	const json_t *upstream = json_object_get(step, "upstream");
	struct line l = { 0 };

	line_add(&l, "%s %s", told_text(step, "name"), told_text(step, "type"));
	line_put_about(&l, place ? "then asked" : "asked", out);
	show_rules(step, out);
	if (json_is_object(cache))
		show_cache(cache, out);
	show_objection(step, out);
	if (json_is_object(upstream))
		show_upstream(upstream, out);
}

static void add_errors(struct line *l, const json_t *errors)
{
	const json_t *e;
	size_t i;

	json_array_foreach (errors, i, e) {
		line_add(l, ", extended error %" PRIu64, told_count(e, "code"));
		if (*told_text(e, "text"))
			line_add(l, " (%s)", told_text(e, "text"));
	}
}

static void show_outcome(const json_t *o, FILE *out)
{
	const json_t *answer = json_object_get(o, "answer");
	const char *outcome = told_text(o, "outcome");
	struct line l = { 0 };

	if (strcmp(outcome, "answered") == 0) {
		line_add(&l, "%s%s, by %s", told_text(answer, "rcode"),
			told_is_true(answer, "truncated") ? " (TC)" : "", told_text(o, "stage"));
		add_errors(&l, json_object_get(answer, "extended_errors"));
	} else if (strcmp(outcome, "asked") == 0) {
		line_add(&l, "what servers say");
	} else {
		line_add(&l, "none, by %s", told_text(o, "stage"));
	}
	line_put_about(&l, "answer", out);
	if (*told_text(answer, "message"))
		records_put(told_text(answer, "message"), out);
}

void explain_show(const json_t *o, FILE *out)
{
	const json_t *steps = json_object_get(o, "steps"), *step;
	struct line l = { 0 };
	size_t i;

	show_client(o, out);
	line_add(&l, "%s", json_array_size(steps) ? "allowed" : "its question is not taken");
	line_put_about(&l, "admission", out);
	if (json_array_size(steps))
		show_view(o, out);
	json_array_foreach (steps, i, step)
		show_step(i, step, out);
	show_outcome(o, out);
}
