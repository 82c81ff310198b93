/* verbs: what a play can say; the table is the language. */
#ifndef SIM_VERBS_H
#define SIM_VERBS_H

#include "show.h"

/* EARLY: before the daemon starts. ACTION: takes no time. CHECK: waits until it holds. */
enum kind { EARLY, ACTION, CHECK };

struct verb {
	const char *subject; /* "NAME", "SERVER", "CLIENT": who does it; NULL: nobody */
	const char *word;
	enum kind kind;
	/* Words: those behind the verb. last: it will not be asked again. False, of a CHECK: not
	 * yet, and why is in show->instead. */
	bool (*run)(struct show *, struct actor *, char **words, bool last);
	const char *words, *meaning; /* for people */
};

/* That of the current statement, which ends the process if there is none. */
const struct verb *verb_of(struct show *);
bool verb_run(struct show *, bool last);

/* Is each verb in that file, as a row of a table? Those that are not are printed. */
bool verbs_are_in(const char *file);

#endif
