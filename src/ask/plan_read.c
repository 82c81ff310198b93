#include "ask/plan_read.h"

#include "ask/questions.h"
#include "ask/whom.h"
#include "dns/build.h"
#include "dns/message.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES 3

/* As everybody may wish it (no-color.org). */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void set_defaults(struct ask_plan *p)
{
	*p = (struct ask_plan){ .family = AF_UNSPEC,
		.flags = DNS_RD,
		.edns = { .on = true, .size = BUILD_UDP_SIZE },
		.count = 1,
		.connections = 1,
		.tries = TRIES };
	p->show = (struct ask_show){ .comments = true,
		.question = true,
		.answer = true,
		.authority = true,
		.additional = true,
		.stats = true,
		.colour = wants_colour() };
}

bool plan_read(struct ask_plan *p, const char *const *words, FILE *err)
{
	struct ask_words *w = calloc(1, sizeof *w);

	set_defaults(p);
	if (!w)
		memory_out();
	w->plan = p;
	w->err = err;
	words_read(w, words);
	p->help = w->helped;
	if (!w->helped) {
		questions_read(w);
		whom_read(w);
		/* What is behind a zone cut is told to nobody else. */
		if (p->walk && p->edns.on)
			p->edns.flags |= EDNS_DO;
		if (w->has_edns_flags)
			p->edns.flags = w->edns_flags;
	}
	bool ok = w->mistakes == 0;

	free(w);
	return ok;
}

void plan_clear(struct ask_plan *p)
{
	memory_clear(&p->memory);
}
