#include "upstream/rtt.h"

/* Between these, three times the usual and four times its variation. */
#define HEDGE_LEAST_MS 150
#define HEDGE_MOST_MS  800
/* Where nothing is known yet (as RFC 8305 §5 has it for connecting). */
#define HEDGE_FIRST_MS 250

#define SUSPECT_LEAST_MS 250
#define SUSPECT_MOST_MS  1000

/* With so many measurements, all are halved: the old ones fade. */
#define TOTAL_MOST 4096

#define BUCKET_LEAST_US 16

static unsigned bucket_of(uint32_t us)
{
	unsigned octave;

	if (us < BUCKET_LEAST_US)
		return 0;
	octave = 31 - (unsigned)__builtin_clz(us);
	unsigned bucket = (octave - 4) * 4 + (us >> (octave - 2) & 3);

	return bucket < RTT_BUCKETS ? bucket : RTT_BUCKETS - 1;
}

static uint32_t upper_end_us(unsigned bucket)
{
	uint64_t end = (uint64_t)(4 + bucket % 4 + 1) << (bucket / 4 + 2);

	return end > UINT32_MAX ? UINT32_MAX : (uint32_t)end;
}

static void fade(struct rtt *r)
{
	r->total = 0;
	for (unsigned i = 0; i < RTT_BUCKETS; i++)
		r->total += r->buckets[i] /= 2;
}

/* RFC 6298 §2. us is not 0, so what is smoothed never is. */
static void smooth(struct rtt *r, uint32_t us)
{
	if (!r->smoothed_us) {
		r->smoothed_us = us;
		r->variation_us = us / 2;
		return;
	}
	uint32_t off = us > r->smoothed_us ? us - r->smoothed_us : r->smoothed_us - us;

	r->variation_us = (uint32_t)((3ull * r->variation_us + off) / 4);
	r->smoothed_us = (uint32_t)((7ull * r->smoothed_us + us) / 8);
}

void rtt_measure(struct rtt *r, uint32_t us, uint64_t now_ms)
{
	smooth(r, us ? us : 1);
	r->measured_ms = now_ms;
	r->buckets[bucket_of(us)]++;
	if (++r->total >= TOTAL_MOST)
		fade(r);
}

void rtt_add(struct rtt *sum, const struct rtt *r)
{
	if (r->measured_ms >= sum->measured_ms && r->smoothed_us) {
		sum->smoothed_us = r->smoothed_us;
		sum->variation_us = r->variation_us;
		sum->measured_ms = r->measured_ms;
	}
	for (unsigned i = 0; i < RTT_BUCKETS; i++)
		sum->buckets[i] += r->buckets[i];
	sum->total += r->total;
}

uint32_t rtt_percentile_us(const struct rtt *r, unsigned percent)
{
	uint64_t wanted = ((uint64_t)r->total * percent + 99) / 100, seen = 0;

	for (unsigned i = 0; i < RTT_BUCKETS && r->total; i++) {
		seen += r->buckets[i];
		if (seen >= wanted && seen)
			return upper_end_us(i);
	}
	return 0;
}

static unsigned clamp_ms(uint64_t us, unsigned least, unsigned most)
{
	uint64_t ms = (us + 999) / 1000;

	return ms < least ? least : ms > most ? most : (unsigned)ms;
}

unsigned rtt_hedge_ms(const struct rtt *r)
{
	if (!r->smoothed_us)
		return HEDGE_FIRST_MS;
	return clamp_ms(
		3ull * r->smoothed_us + 4ull * r->variation_us, HEDGE_LEAST_MS, HEDGE_MOST_MS);
}

unsigned rtt_suspect_ms(const struct rtt *r)
{
	if (!r->smoothed_us)
		return SUSPECT_MOST_MS;
	return clamp_ms(4ull * r->smoothed_us, SUSPECT_LEAST_MS, SUSPECT_MOST_MS);
}

unsigned rtt_dial_ms(const struct rtt *r)
{
	return r->smoothed_us ? rtt_suspect_ms(r) : HEDGE_FIRST_MS;
}
