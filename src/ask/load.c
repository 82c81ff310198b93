#include "ask/load.h"

#include "ask/agreed.h"
#include "ask/many.h"
#include "ask/object.h"
#include "ask/timing.h"
#include "base/clock.h"
#include "config/problems.h"
#include "dns/message.h"
#include "dns/text.h"

#include <stdlib.h>
#include <string.h>

/* Twelve bits (RFC 6891 §6.1.3). */
#define RCODES 4096

struct load {
	struct means *means;
	struct ask_message message;
	struct timing timing;
	struct timing_sum sum;
	struct agreed agreed; /* by the first connection */
	unsigned connections, resumed;
	unsigned rcodes[RCODES];
	unsigned malformed, truncated, lost;
	char why[256]; /* the last one was lost; "": it was waited for in vain */
	uint16_t rcode; /* of the last reply */
	uint64_t took_us;
};

/* ---- what comes ---- */

static const struct ask_question *question_of(const struct load *l, unsigned which)
{
	const struct ask_plan *p = l->means->plan;

	return &p->questions[which % p->question_count];
}

static const struct ask_message *on_make(void *arg, unsigned which, uint16_t id)
{
	struct load *l = arg;
	bool ok = message_make(&l->message, l->means->plan, question_of(l, which), id);

	if (!ok)
		fputs("sotto query: the message does not fit, or cannot be signed\n", stderr);
	return ok ? &l->message : NULL;
}

static void on_secured(void *arg, const struct tls_facts *facts)
{
	struct load *l = arg;

	if (!l->connections++)
		agreed_keep(&l->agreed, facts);
	l->resumed += facts->resumed;
}

/* Whose reply is it? A server may leave out the question of an error (RFC 2136 §3.8). */
static bool answers(const struct load *l, const struct reply *r, unsigned which)
{
	const struct ask_question *q = question_of(l, which);
	const struct question asked = { q->name, q->name_len, q->type, q->class };

	return r->flags & DNS_QR &&
		(!r->count[SECTION_QUESTION] || l->means->plan->opcode || reply_answers(r, &asked));
}

static bool on_got(void *arg, unsigned which, struct span message, uint64_t took_us)
{
	struct load *l = arg;
	struct reply reply;

	if (!reply_parse(message, &reply)) {
		l->malformed++;
	} else if (answers(l, &reply, which)) {
		l->rcode = reply.rcode;
		l->rcodes[reply.rcode % RCODES]++;
		l->truncated += (reply.flags & DNS_TC) != 0;
		timing_add(&l->timing, took_us);
	} else {
		return false;
	}
	return true;
}

static void on_lost(void *arg, unsigned which, const struct fault *fault)
{
	struct load *l = arg;

	(void)which;
	l->lost++;
	snprintf(l->why, sizeof l->why, "%s",
		!fault                               ? ""
			: fault->phase == PHASE_NONE ? "the server closed the connection"
						     : fault->reason);
}

/* ---- what is told ---- */

static void put_rcodes(const struct load *l, FILE *out)
{
	const char *before = ";; RCODE: ";
	char text[TEXT_MAX];

	for (uint16_t i = 0; i < RCODES; i++) {
		if (!l->rcodes[i])
			continue;
		fprintf(out, "%s%s %u", before, text_rcode(i, text), l->rcodes[i]);
		before = ", ";
	}
	if (l->timing.count)
		fputc('\n', out);
}

static void put(const struct load *l, FILE *out)
{
	unsigned count = l->means->plan->count;

	fprintf(out, ";; %u question%s in %.3f s: %zu answered, %u lost (%.1f %%)", count,
		count == 1 ? "" : "s", (double)l->took_us / 1e6, l->timing.count, l->lost,
		100.0 * l->lost / count);
	if (l->malformed)
		fprintf(out, ", %u malformed", l->malformed);
	if (l->truncated)
		fprintf(out, ", %u truncated", l->truncated);
	fputc('\n', out);
	if (*l->why) {
		fputs(";; the last one was lost because: ", out);
		problems_put(out, l->why, strlen(l->why));
		fputc('\n', out);
	}
	put_rcodes(l, out);
	if (l->timing.count)
		fprintf(out, ";; ms: min %.3f, 50 %% %.3f, 90 %% %.3f, 99 %% %.3f, max %.3f\n",
			l->sum.min / 1e3, l->sum.p50 / 1e3, l->sum.p90 / 1e3, l->sum.p99 / 1e3,
			l->sum.max / 1e3);
	if (!l->connections)
		return;
	fprintf(out, ";; %u connection%s, %u resumed; the first:\n", l->connections,
		l->connections == 1 ? "" : "s", l->resumed);
	agreed_put(&l->agreed, clock_system_ms() / 1000, out);
}

static json_t *rcodes_json(const struct load *l)
{
	json_t *all = json_object();
	char text[TEXT_MAX];

	for (uint16_t i = 0; i < RCODES; i++)
		if (l->rcodes[i])
			json_object_set_new(all, text_rcode(i, text), json_integer(l->rcodes[i]));
	return all;
}

static json_t *seconds_json(const struct load *l)
{
	if (!l->timing.count)
		return json_null();
	return json_pack("{sf sf sf sf sf}", "min", l->sum.min / 1e6, "p50", l->sum.p50 / 1e6,
		"p90", l->sum.p90 / 1e6, "p99", l->sum.p99 / 1e6, "max", l->sum.max / 1e6);
}

static json_t *json_of(const struct load *l)
{
	return json_pack("{si sI si si si so sf so si si so}", "questions",
		(int)l->means->plan->count, "answered", (json_int_t)l->timing.count, "lost",
		(int)l->lost, "malformed", (int)l->malformed, "truncated", (int)l->truncated,
		"rcodes", rcodes_json(l), "took_seconds", (double)l->took_us / 1e6,
		"latency_seconds", seconds_json(l), "connections", (int)l->connections, "resumed",
		(int)l->resumed, "tls",
		l->connections ? agreed_json(&l->agreed, clock_system_ms() / 1000) : json_null());
}

/* ---- the driver ---- */

static int run(struct load *l)
{
	const struct ask_plan *p = l->means->plan;
	const struct many_conf conf = { .count = p->count,
		.rate = p->rate,
		.under_way = p->rate ? MANY_UNDER_WAY : p->connections,
		.ways = p->connections,
		.make = on_make,
		.secured = on_secured,
		.got = on_got,
		.lost = on_lost,
		.arg = l };
	uint64_t began_us = many_now_us();
	int status = many_ask(l->means, &conf);

	l->took_us = many_now_us() - began_us;
	timing_sum(&l->timing, &l->sum);
	if (p->show.json)
		object_put(json_of(l), stdout);
	else
		put(l, stdout);
	if (status)
		return status;
	if (l->lost || l->malformed)
		return l->lost ? ASK_SILENCE : ASK_MALFORMED;
	return p->exit_zero ? 0 : l->rcode < ASK_USAGE ? l->rcode : ASK_USAGE - 1;
}

int load_drive(struct means *means)
{
	struct load *l = calloc(1, sizeof *l);
	int status = ASK_HOST;

	if (l && timing_init(&l->timing, means->plan->count)) {
		l->means = means;
		status = run(l);
		timing_clear(&l->timing);
	}
	free(l);
	return status;
}
