#include "upstream/rtt.h"

#include "case.h"

#define MS 1000

/* So many measurements of the same duration. */
static void measure(struct rtt *r, unsigned count, uint32_t us)
{
	while (count--)
		rtt_measure(r, us, 1);
}

/* The upper end of the bucket that a single measurement falls into. */
static uint32_t bucket_end(uint32_t us)
{
	struct rtt r = { 0 };

	rtt_measure(&r, us, 1);
	return rtt_percentile_us(&r, 100);
}

/* ---- smoothed, RFC 6298 §2 ---- */

CASE(the_first_measurement_is_the_estimate_and_half_of_it_the_variation)
{
	struct rtt r = { 0 };

	rtt_measure(&r, 100 * MS, 7);
	EQ(r.smoothed_us, 100 * MS);
	EQ(r.variation_us, 50 * MS);
	EQ(r.measured_ms, 7);
}

CASE(the_variation_is_reckoned_from_the_estimate_before)
{
	struct rtt r = { 0 };

	rtt_measure(&r, 100 * MS, 1);
	rtt_measure(&r, 200 * MS, 2);
	EQ(r.variation_us, (3 * 50 * MS + 100 * MS) / 4);
	EQ(r.smoothed_us, (7 * 100 * MS + 200 * MS) / 8);
	EQ(r.measured_ms, 2);
}

CASE(a_faster_reply_counts_as_much_as_a_slower_one)
{
	struct rtt r = { 0 };

	rtt_measure(&r, 200 * MS, 1);
	rtt_measure(&r, 120 * MS, 2);
	EQ(r.variation_us, (3 * 100 * MS + 80 * MS) / 4);
	EQ(r.smoothed_us, (7 * 200 * MS + 120 * MS) / 8);
}

/* A step from 10 to 300 ms is known after ten replies. */
CASE(the_estimate_follows_a_change_in_ten_measurements)
{
	struct rtt r = { 0 };

	measure(&r, 100, 10 * MS);
	measure(&r, 10, 300 * MS);
	OK(r.smoothed_us > 200 * MS);
}

CASE(what_is_measured_is_known_however_short_it_was)
{
	struct rtt r = { 0 };

	measure(&r, 100, 0);
	OK(r.smoothed_us > 0);
	OK(rtt_percentile_us(&r, 50) > 0);
}

CASE(the_longest_durations_do_not_overflow)
{
	struct rtt r = { 0 };

	measure(&r, 100, UINT32_MAX);
	EQ(r.smoothed_us, UINT32_MAX);
	EQ(rtt_hedge_ms(&r), 800);
	EQ(rtt_suspect_ms(&r), 1000);
	/* What three and four of it would be in 32 bits is next to nothing. */
	EQ(rtt_hedge_ms(&(struct rtt){ .smoothed_us = UINT32_MAX / 3 + 1 }), 800);
	EQ(rtt_suspect_ms(&(struct rtt){ .smoothed_us = 1u << 30 }), 1000);
	r = (struct rtt){ .smoothed_us = 1, .variation_us = UINT32_MAX / 3 + 1 };
	measure(&r, 1, 1);
	EQ(r.variation_us, 1u << 30);
}

/* ---- buckets ---- */

CASE(a_bucket_is_a_quarter_of_an_octave)
{
	EQ(bucket_end(16), 20);
	EQ(bucket_end(19), 20);
	EQ(bucket_end(20), 24);
	EQ(bucket_end(31), 32);
	EQ(bucket_end(32), 40);
	EQ(bucket_end(1023), 1024);
	EQ(bucket_end(1024), 1280);
}

CASE(a_duration_lies_below_the_end_of_its_bucket_by_a_quarter_at_most)
{
	for (uint32_t us = 16; us < 1u << 30; us += us / 7 + 1) {
		uint32_t end = bucket_end(us);

		OK(us < end);
		OK(end - us <= us / 4 + 1);
	}
}

CASE(what_is_shorter_or_longer_than_all_buckets_is_in_the_first_or_last)
{
	EQ(bucket_end(0), 20);
	EQ(bucket_end(15), 20);
	EQ(bucket_end((1u << 30) - 1), 1u << 30);
	EQ(bucket_end(1u << 30), 1u << 30);
	EQ(bucket_end(UINT32_MAX), 1u << 30);
}

/* ---- percentiles ---- */

CASE(without_a_measurement_there_is_no_percentile)
{
	struct rtt r = { 0 };

	EQ(rtt_percentile_us(&r, 50), 0);
	EQ(rtt_percentile_us(&r, 100), 0);
}

CASE(a_percentile_is_the_end_of_the_bucket_that_so_many_do_not_exceed)
{
	struct rtt r = { 0 };

	measure(&r, 94, 1023);
	measure(&r, 6, 8191);
	EQ(rtt_percentile_us(&r, 0), 1024);
	EQ(rtt_percentile_us(&r, 50), 1024);
	EQ(rtt_percentile_us(&r, 94), 1024);
	EQ(rtt_percentile_us(&r, 95), 8192);
	EQ(rtt_percentile_us(&r, 100), 8192);
}

CASE(of_few_measurements_a_high_percentile_is_the_longest)
{
	struct rtt r = { 0 };

	measure(&r, 1, 1023);
	measure(&r, 1, 8191);
	EQ(rtt_percentile_us(&r, 50), 1024);
	EQ(rtt_percentile_us(&r, 51), 8192);
}

/* ---- fading ---- */

CASE(old_measurements_fade)
{
	struct rtt r = { 0 };

	measure(&r, 4095, 1023);
	EQ(r.total, 4095);
	measure(&r, 1, 1023);
	EQ(r.total, 2048);
	measure(&r, 3 * 4096, 8191);
	OK(r.total < 4096);
	EQ(rtt_percentile_us(&r, 50), 8192);
	EQ(rtt_percentile_us(&r, 10), 8192);
}

CASE(the_total_is_what_the_buckets_hold)
{
	struct rtt r = { 0 };
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 10000; i++)
		rtt_measure(&r, i * 37, i);
	for (unsigned i = 0; i < RTT_BUCKETS; i++)
		sum += r.buckets[i];
	EQ(r.total, sum);
}

/* ---- added up ---- */

CASE(added_up_the_later_estimate_stays_and_the_histograms_join)
{
	struct rtt early = { 0 }, late = { 0 }, sum = { 0 }, other_way = { 0 };

	measure(&early, 3, 1023);
	rtt_measure(&late, 8191, 5);
	rtt_add(&sum, &early);
	rtt_add(&sum, &late);
	rtt_add(&other_way, &late);
	rtt_add(&other_way, &early);
	EQ(sum.smoothed_us, late.smoothed_us);
	EQ(sum.variation_us, late.variation_us);
	EQ(sum.measured_ms, 5);
	EQ(sum.total, 4);
	EQ(rtt_percentile_us(&sum, 75), 1024);
	EQ(rtt_percentile_us(&sum, 76), 8192);
	MEM(&sum, &other_way, sizeof sum);
}

CASE(who_never_measured_adds_nothing)
{
	struct rtt sum = { 0 }, none = { 0 };

	rtt_measure(&sum, 500, 0);
	struct rtt before = sum;

	rtt_add(&sum, &none);
	MEM(&sum, &before, sizeof sum);
}

/* ---- what it is for ---- */

CASE(a_hedge_waits_three_times_the_usual_and_four_times_its_variation)
{
	struct rtt r = { .smoothed_us = 60 * MS, .variation_us = 30 * MS };

	EQ(rtt_hedge_ms(&r), 300);
	r.variation_us++;
	EQ(rtt_hedge_ms(&r), 301); /* rounded up */
}

CASE(a_hedge_waits_between_150_and_800_ms)
{
	struct rtt fast = { .smoothed_us = 100, .variation_us = 10 };
	struct rtt slow = { .smoothed_us = 300 * MS, .variation_us = 10 };
	struct rtt unknown = { 0 };

	EQ(rtt_hedge_ms(&fast), 150);
	EQ(rtt_hedge_ms(&slow), 800);
	EQ(rtt_hedge_ms(&unknown), 250);
}

CASE(a_connection_is_suspect_after_four_times_the_usual_from_250_ms_to_a_second)
{
	struct rtt fast = { .smoothed_us = 100 }, usual = { .smoothed_us = 100 * MS };
	struct rtt slow = { .smoothed_us = 300 * MS }, unknown = { 0 };

	EQ(rtt_suspect_ms(&fast), 250);
	EQ(rtt_suspect_ms(&usual), 400);
	EQ(rtt_suspect_ms(&slow), 1000);
	EQ(rtt_suspect_ms(&unknown), 1000);
}

CASE(a_dial_is_late_when_a_connection_would_be_suspect_or_after_250_ms)
{
	struct rtt usual = { .smoothed_us = 100 * MS };
	struct rtt unknown = { 0 };

	EQ(rtt_dial_ms(&usual), 400);
	EQ(rtt_dial_ms(&unknown), 250);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_first_measurement_is_the_estimate_and_half_of_it_the_variation),
		CLAIM(the_variation_is_reckoned_from_the_estimate_before),
		CLAIM(a_faster_reply_counts_as_much_as_a_slower_one),
		CLAIM(the_estimate_follows_a_change_in_ten_measurements),
		CLAIM(what_is_measured_is_known_however_short_it_was),
		CLAIM(the_longest_durations_do_not_overflow),
		CLAIM(a_bucket_is_a_quarter_of_an_octave),
		CLAIM(a_duration_lies_below_the_end_of_its_bucket_by_a_quarter_at_most),
		CLAIM(what_is_shorter_or_longer_than_all_buckets_is_in_the_first_or_last),
		CLAIM(without_a_measurement_there_is_no_percentile),
		CLAIM(a_percentile_is_the_end_of_the_bucket_that_so_many_do_not_exceed),
		CLAIM(of_few_measurements_a_high_percentile_is_the_longest),
		CLAIM(old_measurements_fade),
		CLAIM(the_total_is_what_the_buckets_hold),
		CLAIM(added_up_the_later_estimate_stays_and_the_histograms_join),
		CLAIM(who_never_measured_adds_nothing),
		CLAIM(a_hedge_waits_three_times_the_usual_and_four_times_its_variation),
		CLAIM(a_hedge_waits_between_150_and_800_ms),
		CLAIM(a_connection_is_suspect_after_four_times_the_usual_from_250_ms_to_a_second),
		CLAIM(a_dial_is_late_when_a_connection_would_be_suspect_or_after_250_ms),
	};

	return RUN(cases);
}
