/* plan: what has to change for the programs of a host to ask the proxy. */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include "host/edit.h"
#include "host/look.h"
#include "net/addr.h"

enum { PLAN_EDITS = 3, PLAN_UNIT = 64 };

struct plan {
	char at[ADDR_TEXT]; /* where the proxy is asked */
	struct edit edits[PLAN_EDITS]; /* made in this order, undone in the other one */
	size_t count;
	char unit[PLAN_UNIT]; /* of systemd, which has to hear of it; "": none has */
};

/* Does what was seen need the proxy on port 53? Only systemd-resolved knows others. */
bool plan_needs_port(const struct look *);

/* Makes the plan for what was seen. 0 or -errno, which is about the last one of its changes. */
int plan_make(struct plan *, const struct root *, const struct look *, const struct addr *at);

#endif
