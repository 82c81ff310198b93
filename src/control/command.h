/* command: what can be asked of a running daemon: the table of all commands.
 *
 * A command goes from worker to worker and takes what it wants from each in that worker's own
 * thread, so that nothing is locked and nobody waits.
 */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include "control/view.h"

#include <jansson.h>

struct command {
	const char *name; /* the whole line */
	/* What it gathers in, to be freed by free(). NULL: out of memory. */
	void *(*begin)(const struct view *);
	/* Called in each worker's thread, one after the other. */
	void (*visit)(void *gathered, const struct view_worker *);
	/* The answer, an object; in the first worker's thread. NULL: out of memory. */
	json_t *(*answer)(const struct view *, const void *gathered);
};

/* Ends with a row without a name. */
extern const struct command commands[];

#endif
