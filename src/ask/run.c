#include "ask/run.h"

#include "ask/fetch.h"
#include "ask/once.h"
#include "ask/plan_read.h"
#include "ask/stroll.h"
#include "ask/words.h"
#include "dns/message.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is printed counts when it has arrived. */
static int printed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "sotto query: cannot write to standard output: %s\n", strerror(errno));
	return ASK_HOST;
}

/* ---- the usual driver ---- */

/* With the upper bits of OPT; an exit status has no room for more than 63 of them. */
static int rcode_of(const struct ask_reply *r)
{
	struct reply reply;

	if (!reply_parse(r->message, &reply))
		return ASK_MALFORMED;
	return reply.rcode < ASK_USAGE ? reply.rcode : ASK_USAGE - 1;
}

/* A reply that is broken or badly signed is shown all the same. */
static void show(const struct ask_plan *p, const struct once *o)
{
	show_reply(p, &o->reply, stdout);
}

static int ask_each(struct means *m)
{
	const struct ask_plan *p = m->plan;
	struct once *o = calloc(1, sizeof *o);
	int status = o ? 0 : ASK_HOST;

	for (size_t i = 0; i < p->question_count && o; i++) {
		if (i > 0 && !p->show.is_short && !p->show.json)
			putchar('\n');
		status = once_ask(m, &p->questions[i], o);
		if (!status || status == ASK_MALFORMED || status == ASK_TSIG)
			show(p, o);
		if (!status && !p->exit_zero)
			status = rcode_of(&o->reply);
	}
	free(o);
	return status;
}

/* ---- which driver ---- */

static bool always(const struct ask_plan *p)
{
	(void)p;
	return true;
}

/* What the plan can say and no driver does yet is refused, and not done by halves. A driver that
 * comes takes its part out of here. */
static bool is_unbuilt(const struct ask_plan *p)
{
	return p->is_sotto || p->resume || p->keep_open || p->count > 1 || p->show.json;
}

static int refuse(struct means *m)
{
	(void)m;
	fputs("sotto query: this version cannot do that yet\n", stderr);
	return ASK_USAGE;
}

/* The first that suits drives; it returns the exit status. */
static const struct driver {
	bool (*suits)(const struct ask_plan *);
	int (*drive)(struct means *);
} drivers[] = {
	{ is_unbuilt, refuse },
	{ stroll_suits, stroll_each },
	{ fetch_suits, fetch_each },
	{ always, ask_each },
};

static int drive(struct means *m)
{
	const struct driver *d = drivers;

	while (!d->suits(m->plan))
		d++;
	return d->drive(m);
}

int ask_run(const char *const *words)
{
	static struct ask_plan plan;
	struct means means;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (!plan_read(&plan, words, stderr)) {
		plan_clear(&plan);
		return ASK_USAGE;
	}
	if (plan.help) {
		words_help(stdout);
		plan_clear(&plan);
		return printed(0);
	}
	status = means_init(&means, &plan);
	if (!status)
		status = drive(&means);
	means_clear(&means);
	plan_clear(&plan);
	return printed(status);
}
