/* pick: which server next. A pure function over what is known of the servers. */
#ifndef UPSTREAM_PICK_H
#define UPSTREAM_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With every server failing, each is tried again this often, so that the first query after the
 * network is back finds it back. */
#define PICK_PROBE_MS 1000

/* One server, as the choice sees it. */
struct candidate {
	bool connected; /* or connecting */
	uint64_t retry_at_ms; /* backing off until then */
	uint64_t dialled_ms; /* the last attempt to connect; 0: none yet */
	unsigned sends; /* of this lookup */
};

/* The index of the server to ask, in the configured order among those asked least: first the ones
 * that are connected or may be; where every one backs off, one whose last attempt is PICK_PROBE_MS
 * ago. -1: none. sends_max: a server asked so often is out. */
int pick_next(const struct candidate *, size_t count, unsigned sends_max, uint64_t now_ms);

#endif
