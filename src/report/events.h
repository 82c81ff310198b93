/* events: a datagram of JSON to a unix socket for each question that a rule with a name for it has
 * decided. Whoever listens there does with it what he likes; nothing is run here.
 *
 * Nobody waits for who listens: what he does not take at once, or where there is nobody, is lost.
 * Each datagram finds its way anew, so that he may come later than we do, or come back.
 */
#ifndef REPORT_EVENTS_H
#define REPORT_EVENTS_H

#include "base/span.h"
#include "net/addr.h"

#include <stdbool.h>
#include <stdint.h>

/* Names of events in one configuration. */
#define EVENTS_MAX 256
/* Octets of such a name. */
#define EVENT_NAME_MAX 63

struct events_conf {
	const char *socket; /* path; NULL: nobody is told */
	unsigned rate; /* of one name, in a second */
};

struct rule_event {
	const char *name;
	unsigned number; /* of that name, below EVENTS_MAX */
	const struct addr *client;
	const uint8_t *asked; /* a name on the wire */
	uint16_t type;
	const char *file; /* where the rule is written; NULL: in none */
	unsigned line;
};

struct events;

/* NULL: out of memory. */
struct events *events_new(void);
/* NULL is nothing. */
void events_free(struct events *);

/* From any thread; now_ms is loop_now(). False: it is lost, which the next one of its name that is
 * told counts as `missed`. */
bool events_tell(
	struct events *, const struct events_conf *, const struct rule_event *, uint64_t now_ms);

#endif
