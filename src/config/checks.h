/* checks: what one value cannot know: whether it goes with the others. */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

#include "config/load.h"

/* Tells of timers out of order and of upstreams that are ourselves. Every value must be good. */
void checks_run(struct load *);

#endif
