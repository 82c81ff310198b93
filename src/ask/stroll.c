#include "ask/stroll.h"

#include <stdio.h>
#include <stdlib.h>

#include "ask/once.h"
#include "ask/record.h"
#include "ask/walk.h"
#include "base/list.h"
#include "dns/message.h"

/* The time between two questions. */
struct pause {
	struct loop *loop;
	struct timer timer;
};

static void on_pause(struct timer *t)
{
	loop_stop(container_of(t, struct pause, timer)->loop);
}

static void pause_for(struct loop *loop, unsigned ms)
{
	struct pause pause = { .loop = loop, .timer = { .fire = on_pause } };

	timer_start(loop, &pause.timer, ms);
	loop_run(loop);
}

/* A name that was asked for because it cannot be there makes no status. */
static int give_up(const struct once *o, const struct walk *w, const char *why)
{
	struct reply reply;

	fprintf(stderr, ";; The walk ends: %s\n", why);
	if (reply_parse(o->reply.message, &reply) && reply.rcode && reply.rcode < ASK_USAGE &&
		!(w->is_behind && reply.rcode == RCODE_NXDOMAIN))
		return reply.rcode;
	return ASK_UNMET;
}

static int stroll(struct means *m, const struct ask_question *from, struct once *o)
{
	struct walk walk;

	walk_init(&walk, from->name, from->name_len);
	for (;;) {
		int status = once_ask(m, &walk.question, o);
		struct record nsec;
		char why[WHY_MAX];

		if (status)
			return status;

		enum walk_verdict verdict = walk_take(&walk, o->reply.message, &nsec, why);
		if (verdict == WALK_BAD)
			return give_up(o, &walk, why);
		if (verdict != WALK_AGAIN)
			record_put(&m->plan->show, o->reply.message, &nsec, stdout);
		/* Nobody reads on: nobody is asked on. */
		if (fflush(stdout) != 0)
			return ASK_HOST;
		if (verdict == WALK_DONE)
			break;
		pause_for(m->loop, m->plan->walk_ms);
	}
	printf(";; %u names\n", walk.names);
	return 0;
}

bool stroll_suits(const struct ask_plan *p)
{
	return p->walk;
}

int stroll_each(struct means *m)
{
	struct once *o = calloc(1, sizeof(*o));
	int status = o ? 0 : ASK_HOST;

	for (size_t i = 0; o && i < m->plan->question_count; i++)
		status = stroll(m, &m->plan->questions[i], o);
	free(o);
	return status < ASK_USAGE && m->plan->exit_zero ? 0 : status;
}
