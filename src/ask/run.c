#include "ask/run.h"

#include "ask/fetch.h"
#include "ask/load.h"
#include "ask/once.h"
#include "ask/plan_read.h"
#include "ask/proxy.h"
#include "ask/report.h"
#include "ask/resume.h"
#include "ask/stroll.h"
#include "ask/together.h"
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

static int ask_each(struct means *m)
{
	const struct ask_plan *p = m->plan;
	struct once *o = calloc(1, sizeof *o);
	int status = o ? 0 : ASK_HOST;

	for (size_t i = 0; i < p->question_count && o; i++) {
		if (i > 0 && !p->show.is_short && !p->show.json)
			putchar('\n');
		status = once_ask(m, &p->questions[i], o);
		status = report(p, &o->reply, status);
	}
	free(o);
	return status;
}

/* ---- which driver ---- */

static bool many_times(const struct ask_plan *p)
{
	return p->count > 1 || p->rate;
}

static bool resumes(const struct ask_plan *p)
{
	return p->resume;
}

/* Over UDP there is nothing to keep open. */
static bool keeps_open(const struct ask_plan *p)
{
	return p->keep_open && p->server.scheme != SCHEME_UDP;
}

static bool always(const struct ask_plan *p)
{
	(void)p;
	return true;
}

/* A zone comes alone, record by record. */
static bool is_too_much(const struct ask_plan *p)
{
	bool zone = p->walk;

	for (size_t i = 0; i < p->question_count; i++)
		zone |= p->questions[i].type == TYPE_AXFR || p->questions[i].type == TYPE_IXFR;
	return zone &&
		(many_times(p) || resumes(p) || p->show.json || !(p->walk || fetch_suits(p)));
}

static int refuse(struct means *m)
{
	(void)m;
	fputs("sotto query: a transfer or a walk goes with no other question, nor with +json, +count, "
	      "+rate or +resume\n",
		stderr);
	return ASK_USAGE;
}

/* Who does something many times, or record by record, looks at no TSIG, counts no resumption and
 * has one way for all. */
static bool loses_a_word(const struct ask_plan *p)
{
	bool many = many_times(p);

	return (many && (p->key.algorithm || resumes(p))) ||
		(p->tls_fallback && (many || keeps_open(p) || fetch_suits(p)));
}

static int refuse_words(struct means *m)
{
	(void)m;
	fputs("sotto query: +count and +rate go with no key and no +resume, and +tls-fallback with "
	      "single questions alone\n",
		stderr);
	return ASK_USAGE;
}

/* The first that suits drives; it returns the exit status. */
static const struct driver {
	bool (*suits)(const struct ask_plan *);
	int (*drive)(struct means *);
} drivers[] = {
	{ is_too_much, refuse },
	{ loses_a_word, refuse_words },
	{ stroll_suits, stroll_each },
	{ fetch_suits, fetch_each },
	{ many_times, load_drive },
	{ resumes, resume_drive },
	{ keeps_open, together_drive },
	{ always, ask_each },
};

static int drive(struct means *m)
{
	const struct driver *d = drivers;

	/* Before it is asked, since afterwards the answer is in the cache. */
	for (size_t i = 0; m->plan->is_sotto && i < m->plan->question_count; i++)
		proxy_tell(m->plan, &m->plan->questions[i]);
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
	/* How @sotto is asked is known only now. */
	plan.server.scheme = means_scheme(&means);
	if (!status)
		status = drive(&means);
	means_clear(&means);
	plan_clear(&plan);
	return printed(status);
}
