/* same: which servers and groups of one configuration are those of the one before. */
#ifndef UPSTREAM_SAME_H
#define UPSTREAM_SAME_H

#include "upstream/upstream.h"

/* Is it reached in the same way, and does it have to prove the same, to the same trust? Then its
 * connections and TLS sessions are as good for one as for the other. What a user may tune, as its
 * weight, does not count. */
bool same_server(const struct server_conf *, const struct server_conf *);

/* Numbers the groups of `next`, which follows `now`. A group keeps its number, and with it what the
 * cache holds of it, if every server that it had is still in it; else it gets one that no group has
 * had: what somebody said who is not asked any more is told to nobody.
 *
 * True: numbers begin anew, and the cache has to be emptied first. */
bool same_number(struct upstream_conf *next, const struct upstream_conf *now);

#endif
