/* flights: the questions that are being asked by any worker, so that no two workers ask the same.
 *
 * The first worker to take off leads: it asks. Others that come meanwhile follow, and hear in their
 * own loop when it lands. Shared by all workers; everything may be called from any thread, for a
 * flight of the calling one.
 */
#ifndef QUERY_FLIGHTS_H
#define QUERY_FLIGHTS_H

#include "base/loop.h"
#include "cache/key.h"
#include "query/waiters.h"

struct flights;
struct landing;

/* One worker's part in a question: embedded, its first three fields filled in by its owner. */
struct flight {
	const struct key *key;
	struct loop *loop;
	/* From the loop, once, to who follows and has not left: what the leader was told, which is
	 * valid during the call; NULL: it ended without, and somebody else must ask. */
	void (*landed)(struct flight *, const struct result *);

	struct flight *next; /* of the leaders in one place, or of the followers of one */
	struct flight *followers;
	struct flight *leader; /* NULL: it leads, or was told */
	struct landing *landing; /* what it is told, ... */
	struct post post; /* ... on its way */
};

/* NULL: out of memory. */
struct flights *flights_new(void);
/* Nobody may be in the air. NULL is nothing. */
void flights_free(struct flights *);

/* True: it leads, and must land. False: it follows, and lands or leaves. */
bool flights_take_off(struct flights *, struct flight *);
/* The leader is over; result is copied for those who follow; NULL: nothing came of it. */
void flights_land(struct flights *, struct flight *, const struct result *);
/* Who follows does not want to know any more. False: too late, landed() will be called. */
bool flights_leave(struct flights *, struct flight *);

#endif
