/* proxied: what comes from a proxy, and does not begin with the header that says whom it is for. */
#ifndef LISTEN_PROXIED_H
#define LISTEN_PROXIED_H

#include "base/metrics.h"

/* Counts it, and has the log say what to do. */
void proxied_refuse(struct metrics *);

#endif
