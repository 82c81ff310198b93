/* privileges: what a process may do that others of its user may not, given up for good. */
#ifndef SANDBOX_PRIVILEGES_H
#define SANDBOX_PRIVILEGES_H

/* No capability is left in this thread and those that it starts, nor can one be had again, by no
 * program that it might run; no memory of this process goes into a core file, or to a debugger of
 * the same user. 0, or the first -errno; the rest is given up all the same. */
int privileges_drop(void);

#endif
