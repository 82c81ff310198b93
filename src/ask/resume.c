#include "ask/resume.h"

#include "ask/once.h"
#include "ask/report.h"

#include <stdlib.h>

/* Over TLS, that is: who falls back to TCP resumes nothing. */
static bool is_resumed(const struct once *o)
{
	return o->reply.tls && o->reply.tls->resumed;
}

static void say_not_resumed(bool had_ticket)
{
	fprintf(stderr, "sotto query: +resume: the second connection was not resumed: %s\n",
		had_ticket ? "the server began anew" : "the first gave no ticket");
}

static int ask_all(struct means *m, struct once *o)
{
	const struct ask_plan *p = m->plan;
	size_t count = p->question_count > 1 ? p->question_count : 2;

	for (size_t i = 0;; i++) {
		bool had_ticket = m->identity.ticket_count > 0;
		int status = once_ask(m, &p->questions[i % p->question_count], o);

		if (i > 0 && !p->show.is_short && !p->show.json)
			putchar('\n');
		int result = report(p, &o->reply, status);

		if (status)
			return result;
		if (i > 0 && !is_resumed(o)) {
			say_not_resumed(had_ticket);
			return ASK_UNMET;
		}
		if (i + 1 == count)
			return result;
	}
}

int resume_drive(struct means *m)
{
	struct once *o = calloc(1, sizeof *o);
	int status = o ? ask_all(m, o) : ASK_HOST;

	free(o);
	return status;
}
