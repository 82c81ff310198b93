/* status: `sotto status`: what the running proxy knows of itself and of its servers. */
#ifndef STATUS_H
#define STATUS_H

#include "config/config.h"

/* Asks the proxy of this configuration over its control socket and prints what it says: the object
 * as it came, or for people. The exit status: 0, or 1 and why not. */
int status_run(const struct config *, bool as_json);

#endif
