/* healthcheck: does the running proxy answer? */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include "config/config.h"

/* Asks the first listener, over UDP and then over TCP, a question that it answers without an
 * upstream: a container must not be restarted because a provider is down. The exit status: 0, or 1
 * and a line. */
int healthcheck_run(const struct config *);

/* The same of one endpoint, of which it tells nothing. */
bool healthcheck_is_alive(const struct listen_conf *, const struct endpoint *);

#endif
