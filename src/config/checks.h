/* checks: what must hold between values. */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

#include "config/config.h"
#include "config/problems.h"

/* The name of the source of values that nobody gave. */
#define CHECKS_DEFAULT "default"

/* Timers are in order: attempt and connect end within a query's time; a default gives way. No
 * upstream is an address that we listen on, nor less safe than is required. set_at: where each
 * option got its value, by index. Tells what is wrong. */
void checks_run(struct config *, const struct place *set_at, struct problems *);

#endif
