/* timer: moments to be woken at, in a pairing heap.
 *
 * A heap of our own and not the loop library's timers: those must be closed asynchronously before
 * their memory may go, which a timer embedded in a query cannot wait for; and the simulated world
 * needs to see the next moment. The heap is threaded through the timers, so starting one cannot
 * fail.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
	uint64_t at_ms;
	struct timer *child, *next,
		*prev; /* prev: the sibling before, or the parent of a first child */
	bool running;
	void (*fire)(struct timer *);
};

struct timers {
	struct timer *earliest;
};

/* Starts t, or moves it. O(1). */
void timers_add(struct timers *, struct timer *t, uint64_t at_ms);
/* O(log n) on average over all calls; nothing if t is not running. */
void timers_remove(struct timers *, struct timer *t);

/* Stops the earliest timer if it is due, and returns it; else NULL. */
struct timer *timers_take_due(struct timers *, uint64_t now_ms);

#endif
