/* again: when something that was looked up is looked up again: when its TTL is over, and not so
 * soon after the last time that servers would suffer. Pure functions over a clock of milliseconds.
 */
#ifndef UPSTREAM_AGAIN_H
#define UPSTREAM_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

/* Embedded. */
struct again {
	bool is_known; /* something was found */
	uint64_t expires_ms; /* that: it is too old then */
	uint64_t not_before_ms;
	unsigned pause_ms; /* the next one */
};

void again_init(struct again *);
/* It was found, and is good for so long; a TTL is held to bounds, so that nobody can make us ask
 * all the time, or never. */
void again_found(struct again *, uint64_t now_ms, uint32_t ttl_s);
/* It was looked up. A second passes until the next time, and twice as long each time that was of no
 * use, up to half a minute. */
void again_wait(struct again *, uint64_t now_ms, bool was_of_use);
/* The world has changed: what is known may be wrong, and what failed may go well. */
void again_forgive(struct again *);

/* Nothing is known, or it is too old. */
bool again_is_due(const struct again *, uint64_t now_ms);
/* How long until it may be looked up again; 0: now. */
uint64_t again_pause_ms(const struct again *, uint64_t now_ms);

#endif
