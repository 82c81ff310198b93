/* pick: which server next. A pure function over what is known of the servers. */
#ifndef UPSTREAM_PICK_H
#define UPSTREAM_PICK_H

#include "upstream/status.h"

/* One server, as the choice sees it. */
struct candidate {
	enum standing standing;
	uint32_t cost_us; /* what a reply usually takes at most; 0: unknown */
	unsigned weight; /* at least 1 */
	uint32_t number; /* the same for the same server, always */
	unsigned sends; /* of this lookup */
	bool waiting; /* for a reply to this lookup, without anything wrong */
};

/* The place of the server to ask, -1 if there is none.
 *
 * Out are those that were asked sends_max times and those that are waited for: a stream does not
 * lose messages, so asking again is of no use. Of the others, the better standing wins, then who
 * was asked less, then the policy: the lowest cost by weight; the first place; or, for each domain,
 * always the same one, so that each server gets a share of the domains according to its weight
 * (rendezvous hashing: when one is gone, the others keep theirs). Servers that are DOWN come last:
 * that they are asked at all is a probe. */
int pick_next(
	enum policy, uint64_t domain, const struct candidate *, size_t count, unsigned sends_max);

#endif
