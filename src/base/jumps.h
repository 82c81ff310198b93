/* jumps: when time went by otherwise than the loop's clock says: the wall clock was set, or the
 * host slept, which stops the loop's clock (CLOCK_MONOTONIC). Costs nothing until it happens. */
#ifndef BASE_JUMPS_H
#define BASE_JUMPS_H

#include "base/loop.h"

struct jumps;

/* Has jumped(arg, slept) called from the loop when the wall clock was set by a second or more,
 * since it was last told; slept: because the host was suspended, for more than 10 s. 0 or -errno.
 */
int jumps_watch(
	struct jumps **out, struct loop *, void (*jumped)(void *arg, bool slept), void *arg);
/* NULL is nothing. */
void jumps_unwatch(struct jumps *);

#endif
