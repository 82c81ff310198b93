/* confine: the sandbox that fits a configuration: what the daemon still needs once it serves. */
#ifndef CONFINE_H
#define CONFINE_H

#include "config/config.h"
#include "sandbox/sandbox.h"

/* Enters it (sandbox/sandbox.h), in the only thread there is. Left reachable are: what a reload
 * reads anew, the folders of `state` and of the dump, that of the control socket (NULL: there is
 * none), what the system's resolver needs if a server has a name for it, and the TCP ports of
 * servers and listeners. */
void confine(struct sandbox *, const struct config *, const char *control);

/* Could it serve by another configuration? NULL: as far as ports go. Or why not: a constant, for
 * people. */
const char *confine_refuses(const struct sandbox *, const struct config *next);

#endif
