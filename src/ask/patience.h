/* patience: how long a question waits for what is tried now. Pure: no clock.
 *
 * Each step has its own time: a try over UDP 0.5 s, the next one twice as long; a connection 5 s
 * until it stands, and 5 s for the reply. With +time, that is the end of the whole question,
 * whatever is tried in it: the last try over UDP, and a connection, wait for all that is left.
 * Where clear text may follow TLS, TLS must stand in half of it, so that there is time for both.
 */
#ifndef ASK_PATIENCE_H
#define ASK_PATIENCE_H

#include "ask/plan.h"

#include <stdint.h>

/* Milliseconds until the connection must stand, when so much of the question's time has passed; 0:
 * its time is over. */
unsigned patience_open_ms(const struct ask_plan *, enum scheme, uint64_t passed_ms);
/* The same until the reply must be there; of UDP, until the next try, this one being the first, the
 * second ... */
unsigned patience_reply_ms(
	const struct ask_plan *, enum scheme, unsigned which, uint64_t passed_ms);

#endif
