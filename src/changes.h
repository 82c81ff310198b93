/* changes: what happens to this host, and its servers must hear of. */
#ifndef CHANGES_H
#define CHANGES_H

#include "base/loop.h"
#include "upstream/upstream.h"

struct routes;
struct jumps;

struct changes {
	struct routes *routes; /* NULL: cannot be watched here */
	struct jumps *jumps; /* likewise */
	void (*tell)(void *arg, enum change);
	void *arg;
};

/* Has tell(arg, change) called from the loop, after a line in the log. What cannot be watched is
 * said in the log, and is not told. */
void changes_watch(
	struct changes *, struct loop *, void (*tell)(void *arg, enum change), void *arg);
/* Of one that is zeroed, or was unwatched, nothing. */
void changes_unwatch(struct changes *);

#endif
