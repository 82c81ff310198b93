/* crew: all workers, each in its thread, and what they share: signals, file descriptors, the end.
 */
#ifndef CREW_H
#define CREW_H

#include "config/config.h"

/* Runs the whole daemon: every worker, in a thread each but the first, until SIGTERM or SIGINT,
 * which drain; a second one ends at once. SIGHUP has the configuration read again from the sources,
 * which are borrowed. ready() is called when all listeners serve. The exit status. */
int crew_run(struct config *, const struct config_sources *, void (*ready)(const struct config *));

#endif
