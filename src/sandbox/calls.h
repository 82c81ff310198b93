/* calls: the system calls that are left to the daemon once it serves. The table in calls.c is all
 * of them, each with its reason. */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <stdbool.h>

/* From now on io_uring cannot be set up, as where it is not known. To be called before there is a
 * loop: libuv from 1.45 on changes what it watches by a ring where it can have one, and ends the
 * process when the ring is forbidden later. 0 or -errno, and nothing is lost. */
int calls_forbid_rings(void);

/* From now on every other call, in all threads, fails with EPERM; or, if strict, is told of on
 * standard error and ends the process by SIGSYS, whose handler is taken for that. Calls of another
 * architecture end it always. 0 or -errno; -ENOSYS also of a build without libseccomp. */
int calls_confine(bool strict);

#endif
