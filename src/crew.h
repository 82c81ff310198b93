/* crew: all workers, each in its thread, and what they share: signals, file descriptors, the end.
 */
#ifndef CREW_H
#define CREW_H

#include "config/config.h"

/* Runs the whole daemon: every worker, in a thread each but the first, until SIGTERM, SIGINT
 * or SIGHUP, which drain; a second one ends at once. ready() is called when all listeners serve.
 * The exit status. */
int crew_run(const struct config *, void (*ready)(void *arg), void *arg);

#endif
