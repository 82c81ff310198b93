/* watchdog: tells the service manager, as often as it wants to hear it, that every loop turns.
 *
 * A token goes from loop to loop, each in its own thread; when it is home again, all of them have
 * turned, and the manager is told. A loop that hangs keeps the token, and the manager, which hears
 * nothing, ends the process and starts it anew.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "base/loop.h"
#include "service.h"

struct watchdog {
	const struct service *service;
	struct loop *(*loop_of)(const void *all, unsigned i);
	const void *all;
	unsigned count;
	unsigned at; /* which loop has the token */
	struct post token;
	bool home; /* none has it */
	struct timer beat;
};

/* Begins, in loop 0, if the service has a watchdog. What is given is borrowed until all loops are
 * gone. */
void watchdog_start(struct watchdog *, const struct service *,
	struct loop *(*loop_of)(const void *all, unsigned i), const void *all, unsigned count);
/* Before any of the loops ends. */
void watchdog_stop(struct watchdog *);

#endif
