/* policy: ways to choose which entry has to go, behind one face. */
#ifndef EVICTION_POLICY_H
#define EVICTION_POLICY_H

#include "trace.h"

#include <stdbool.h>

/* How S3-FIFO is shaped. */
struct s3_shape {
	unsigned small_permille; /* of all octets, for newcomers */
	unsigned threshold; /* asked for so often while new, an entry is kept */
	unsigned ghost_octets; /* one fingerprint for each so many octets of memory; 0: exact */
	unsigned hits_max; /* more are not counted */
	unsigned chances; /* entries of main put back for each that is dropped, at most; 0: any */
};

struct policy {
	const char *title;
	void *(*open)(const struct policy *, uint64_t octets, uint32_t names);
	/* Whether it was there; from now on it is, if it fits. */
	bool (*ask)(void *, uint32_t name);
	void (*close)(void *);
	struct s3_shape s3;
};

extern const struct policy policy_lru, policy_fifo, policy_clock, policy_sieve, policy_s3fifo,
	policy_rings, policy_real;

/* The share of requests whose name was there, from the first request on. */
double policy_play(const struct policy *, const struct trace *, uint64_t octets);

#endif
