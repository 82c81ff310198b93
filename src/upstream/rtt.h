/* rtt: how long a server usually takes, from when a query leaves until its reply is read.
 *
 * Plain data without a clock. Smoothed as RFC 6298 does it; and a histogram that forgets, for
 * percentiles.
 */
#ifndef UPSTREAM_RTT_H
#define UPSTREAM_RTT_H

#include <stdbool.h>
#include <stdint.h>

/* Each bucket is a quarter of an octave: from 16 us to 17 minutes. */
#define RTT_BUCKETS 104

struct rtt {
	uint32_t smoothed_us, variation_us; /* smoothed 0: never measured */
	uint64_t measured_ms; /* the latest measurement, on the loop's clock */
	uint32_t buckets[RTT_BUCKETS], total;
};

void rtt_measure(struct rtt *, uint32_t us, uint64_t now_ms);
/* Adds the other's histogram; of the smoothed values, the later measured ones stay. */
void rtt_add(struct rtt *sum, const struct rtt *);
/* So many of 100 took at most this long. 0: never measured. */
uint32_t rtt_percentile_us(const struct rtt *, unsigned percent);

/* Waiting longer than this for a reply is unusual: time to ask another server as well. */
unsigned rtt_hedge_ms(const struct rtt *);
/* Hearing nothing for so long makes a connection suspect. */
unsigned rtt_suspect_ms(const struct rtt *);
/* A connection that is not made by then is late. */
unsigned rtt_dial_ms(const struct rtt *);

#endif
