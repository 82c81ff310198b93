/* log: the daemon's log in a simulated world. Its lines come here instead of standard error, and
 * its clock is the world's, so that what is held back for ten seconds is that in virtual time. */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include "base/loop.h"
#include "base/span.h"

/* From now on, each line goes to said(arg, line), without its time and its end. One in a process;
 * loop NULL: no more. */
void log_tap(const struct loop *, void (*said)(void *arg, struct span line), void *arg);

#endif
