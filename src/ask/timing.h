/* timing: when the next question is due, and how long answers took. Pure: no clock, no I/O. */
#ifndef ASK_TIMING_H
#define ASK_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every time is kept, so that percentiles are exact. */
struct timing {
	uint32_t *us; /* owned */
	size_t count, most;
};

/* Room for so many. False: out of memory. */
bool timing_init(struct timing *, size_t most);
void timing_clear(struct timing *);
/* What there is no room for is left out; more than 71 minutes are as much. */
void timing_add(struct timing *, uint64_t took_us);

struct timing_sum {
	uint32_t min, p50, p90, p99, max;
};
/* By the nearest rank: p50 is the least time that half of the answers, or more, did not exceed. It
 * sorts. Of no times all are 0. */
void timing_sum(struct timing *, struct timing_sum *);

/* How many questions are due when so much time has passed: the first one at once. */
uint64_t timing_due(unsigned rate_per_s, uint64_t passed_us);
/* Milliseconds until more than `sent` are, at least 1. */
unsigned timing_wait_ms(unsigned rate_per_s, uint64_t sent, uint64_t passed_us);

#endif
