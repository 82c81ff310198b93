/* chronicle: what happened of late in a world, to be told when something is wrong. */
#ifndef SIM_CHRONICLE_H
#define SIM_CHRONICLE_H

#include "base/loop.h"

#define CHRONICLE_LINES 24
#define CHRONICLE_TEXT  300

struct chronicle {
	const struct loop *loop; /* whose time it is; NULL: not yet */
	uint64_t zero_ms; /* the beginning, as the loop counts */
	char where[CHRONICLE_TEXT]; /* what is being done: "FILE:LINE: STATEMENT" */
	struct {
		uint64_t at_ms;
		char text[CHRONICLE_TEXT];
	} lines[CHRONICLE_LINES];
	size_t count;
	uint64_t hash; /* of all lines so far, and when they were written */
};

/* One in a process: it is told also when the daemon aborts. */
void chronicle_open(struct chronicle *);
/* Since the beginning. */
uint64_t chronicle_now(const struct chronicle *);

void happened(struct chronicle *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells where, what, and what happened before, on standard error; ends the process. */
_Noreturn void broken(struct chronicle *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
