/* routes: what the kernel would do with a packet of ours, and when that changes. */
#ifndef NET_ROUTES_H
#define NET_ROUTES_H

#include "base/loop.h"
#include "net/addr.h"

struct routes;

/* Has changed(arg) called from the loop when links, addresses or routes of this host have changed,
 * once for a burst of changes: when 100 ms were quiet, at most 1 s after the first. A change may
 * concern nobody; none goes unnoticed. 0 or -errno: netlink may be forbidden here. */
int routes_watch(struct routes **out, struct loop *, void (*changed)(void *arg), void *arg);
/* NULL is nothing. */
void routes_unwatch(struct routes *);

/* The address, with port 0, that the kernel would now connect from to get to `to`, if it is told to
 * connect from `source` and through `interface` (as in struct stream_conf: both may be left to it).
 * 0; -ENETUNREACH or -EHOSTUNREACH if there is no way, nor that source any more; another -errno if
 * it cannot be known. Sends nothing. */
int route_source(const struct addr *to, const struct addr *source, const char *interface,
	struct addr *found);

#endif
