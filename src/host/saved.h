/* saved: the plan of what is or was being changed, kept until all of it is put back.
 *
 * It lies in a folder of its own that belongs to root, not in the state folder of the daemon: who
 * takes that one over must not be able to say what root writes where. */
#ifndef HOST_SAVED_H
#define HOST_SAVED_H

#include "host/plan.h"

#define SAVED_FOLDER "/var/lib/sotto-host"
#define SAVED_NAME   "changes.json"
#define SAVED_FILE   SAVED_FOLDER "/" SAVED_NAME

/* Keeps it, so that it outlives a loss of power. 0 or -errno. */
int saved_write(const struct root *, const struct plan *);
/* 0 or -errno; -ENOENT: nothing is changed; -EBADMSG: it makes no sense. */
int saved_read(const struct root *, struct plan *);
/* 0 or -errno. */
int saved_remove(const struct root *);

#endif
