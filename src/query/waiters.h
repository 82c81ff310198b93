/* waiters: who waits for one lookup, by deadline. */
#ifndef QUERY_WAITERS_H
#define QUERY_WAITERS_H

#include "base/list.h"
#include "dns/pack.h"

#include <stdbool.h>

/* What a lookup came to. */
struct result {
	const struct packed *packed; /* valid during wake() */
	bool good; /* an answer; else it tells of a failure */
};

/* Embedded in whoever waits. */
struct waiter {
	struct list node;
	uint64_t deadline_ms;
	/* From the loop, once. */
	void (*wake)(struct waiter *, const struct result *);
};

struct waiters {
	struct list list;
	size_t count;
};

void waiters_init(struct waiters *);
/* Adds one whose deadline is set. */
void waiters_add(struct waiters *, struct waiter *);

/* The first deadline; there must be a waiter. */
uint64_t waiters_deadline(const struct waiters *);
/* Wakes those whose deadline has come. */
void waiters_dismiss(struct waiters *, uint64_t now_ms, const struct result *);
/* Wakes that many at most. False: there are more. */
bool waiters_wake(struct waiters *, size_t most, const struct result *);

#endif
