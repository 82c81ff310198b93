#include "ask/together.h"

#include "ask/check.h"
#include "ask/many.h"
#include "ask/once.h"
#include "ask/report.h"
#include "config/problems.h"

#include <stdlib.h>
#include <string.h>

struct together {
	struct means *means;
	struct agreed agreed;
	bool secure;
	size_t shown;
	int last; /* the status of the last question, by its place */
	int worst; /* an ask_status; 0: none went wrong */
	struct once *all; /* one for each question */
};

static const struct ask_question *question_of(const struct together *t, unsigned which)
{
	return &t->means->plan->questions[which];
}

static const struct ask_message *on_make(void *arg, unsigned which, uint16_t id)
{
	struct together *t = arg;
	struct ask_message *m = &t->all[which].sent;
	bool ok = message_make(m, t->means->plan, question_of(t, which), id);

	if (!ok)
		fputs("sotto query: the message does not fit, or cannot be signed\n", stderr);
	return ok ? m : NULL;
}

static void on_secured(void *arg, const struct tls_facts *facts)
{
	struct together *t = arg;

	agreed_keep(&t->agreed, facts);
	t->secure = true;
}

static void settle(struct together *t, unsigned which, int status)
{
	if (which + 1 == t->means->plan->question_count)
		t->last = status;
	if (status >= ASK_USAGE)
		t->worst = status;
}

static void name_question(const struct together *t, unsigned which)
{
	char name[NAME_TEXT];

	fprintf(stderr, ";; %s: ", name_to_text(question_of(t, which)->name, name));
}

static bool on_got(void *arg, unsigned which, struct span message, uint64_t took_us)
{
	struct together *t = arg;
	const struct ask_plan *p = t->means->plan;
	struct once *o = &t->all[which];
	char why[WHY_MAX] = "";
	enum check verdict = check_reply(p, &o->sent, question_of(t, which), message, why);

	if (verdict == CHECK_OTHER) {
		name_question(t, which);
		fputs("waiting on: ", stderr);
		problems_put(stderr, why, strlen(why));
		fputc('\n', stderr);
		return false;
	}
	if (t->shown++ && !p->show.is_short && !p->show.json)
		putchar('\n');
	snprintf(o->remark, sizeof o->remark, "%s", why);
	o->from = t->means->server.addr;
	o->reply = (struct ask_reply){ .question = question_of(t, which),
		.over = means_scheme(t->means),
		.took_us = took_us,
		.tries = 1,
		.tls = t->secure ? &t->agreed : NULL };
	settle(t, which, report(p, &o->reply, once_take(o, p, message, verdict)));
	return true;
}

static void on_lost(void *arg, unsigned which, const struct fault *fault)
{
	struct together *t = arg;

	name_question(t, which);
	if (!fault)
		fputs("no reply", stderr);
	else if (fault->phase == PHASE_NONE)
		fputs("the connection was closed without a reply", stderr);
	else
		problems_put(stderr, fault->reason, strlen(fault->reason));
	fputc('\n', stderr);
	settle(t, which, fault ? means_status(fault) : ASK_SILENCE);
}

int together_drive(struct means *m)
{
	size_t count = m->plan->question_count;
	struct together t = { .means = m, .all = calloc(count, sizeof *t.all) };
	const struct many_conf conf = { .count = (unsigned)count,
		.under_way = (unsigned)count,
		.ways = 1,
		.make = on_make,
		.secured = on_secured,
		.got = on_got,
		.lost = on_lost,
		.arg = &t };
	int status = t.all ? many_ask(m, &conf) : ASK_HOST;

	free(t.all);
	return status ? status : t.worst ? t.worst : t.last;
}
