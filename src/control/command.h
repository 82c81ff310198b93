/* command: what can be asked of a running daemon: the table of all commands.
 *
 * A command goes from worker to worker and takes what it wants from each in that worker's own
 * thread, so that nothing is locked and nobody waits. What all workers share, and what takes its
 * time, it looks at in a thread of none of them.
 */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include "control/view.h"
#include "control/words.h"

#include <jansson.h>

struct command {
	const char *name; /* what its line begins with */
	/* What it gathers in. NULL: *why, a constant, is why it is refused; or, if begin() leaves
	 * it alone, there is no memory. The words go when it returns. No begin(): it is `reload`,
	 * which view->reload() does. */
	void *(*begin)(const struct view *, const struct words *, const char **why);
	/* Called in each worker's thread, one after the other. NULL: it needs no worker. */
	void (*visit)(void *gathered, const struct view_worker *);
	/* Then called once, in a thread where it may take its time. NULL: nothing takes time. */
	void (*work)(void *gathered, const struct view *);
	/* The answer, an object; in the first worker's thread. NULL: out of memory. */
	json_t *(*answer)(void *gathered, const struct view *);
	/* Frees what was gathered, whether or not it was answered. */
	void (*end)(void *gathered);
};

/* Ends with a row without a name. */
extern const struct command commands[];

/* The one whose name the line begins with, and what of the line is behind that. NULL: there is
 * none. */
const struct command *command_find(char *line, char **rest);

#endif
