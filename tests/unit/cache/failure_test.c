/* What the cache remembers of failures. */
#include <string.h>

#include "opened.h"

#define STALE_MS 60000

static void open_cache(void)
{
	open_with((struct cache_conf){
		.size = CACHE_SIZE_MIN, .stale_ms = STALE_MS, .failure_ms = 5000 });
}

static enum freshness find(unsigned type, int64_t now_ms)
{
	const struct key k = key_of("a", type);

	return find_key(&k, now_ms);
}

static void store(unsigned type, uint32_t ttl, int64_t now_ms)
{
	const struct key k = key_of("a", type);

	cache_store(cache, &k, say(&one, "a", type, ttl, 1), now_ms);
}

static void note(unsigned type, bool server_said, int64_t now_ms)
{
	const struct key k = key_of("a", type);

	cache_store_failure(cache, &k, say_failure(&one, "a", "why"), server_said, now_ms);
}

/* It fails now, and is remembered for just so long. */
static int64_t check_pause(bool server_said, int64_t now_ms, int64_t pause_ms)
{
	note(TYPE_A, server_said, now_ms);
	EQ(find(TYPE_A, now_ms + pause_ms - 1), CACHE_FAILURE);
	EQ(find(TYPE_A, now_ms + pause_ms), CACHE_MISS);
	return now_ms + pause_ms;
}

CASE(a_failure_is_found_for_a_second_with_what_clients_were_told)
{
	open_cache();
	check_pause(true, T, S);
	EQ(find(TYPE_A, T), CACHE_FAILURE);
	EQ(found.packed.worth, WORTH_FAILURE);
	EQ(found.packed.rcode, RCODE_SERVFAIL);
	EQ(found.packed.errors.len, 9);
	MEM(found.packed.errors.at + 6, "why", 3);
	EQ(find(TYPE_TXT, T), CACHE_MISS);
	close_cache();
}

CASE(each_time_that_a_server_says_so_it_is_remembered_for_twice_as_long_up_to_a_limit)
{
	static const int pauses_s[] = { 1, 2, 4, 5, 5, 5 };
	int64_t now = T;

	open_cache();
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++)
		now = check_pause(true, now, pauses_s[i] * S);
	close_cache();
}

CASE(the_limit_is_kept_to_however_often_it_fails)
{
	int64_t now = T;

	open_cache();
	for (int i = 0; i < 3; i++)
		now = check_pause(true, now, (S << i));
	for (int i = 0; i < 300; i++)
		now = check_pause(true, now, 5 * S);
	close_cache();
}

CASE(where_nobody_could_be_asked_a_second_is_enough_however_often)
{
	int64_t now = T;

	open_cache();
	for (int i = 0; i < 5; i++)
		now = check_pause(false, now, S);
	close_cache();
}

CASE(after_the_network_has_failed_it_begins_with_a_second)
{
	open_cache();
	int64_t now = check_pause(true, T, S);

	now = check_pause(true, now, 2 * S);
	now = check_pause(false, now, S);
	check_pause(true, now, 2 * S);
	close_cache();
}

CASE(failures_while_one_is_remembered_change_nothing)
{
	open_cache();
	note(TYPE_A, true, T);
	note(TYPE_A, true, T + S / 2);
	note(TYPE_A, false, T + S - 1);
	EQ(find(TYPE_A, T + S - 1), CACHE_FAILURE);
	EQ(find(TYPE_A, T + S), CACHE_MISS);
	check_pause(true, T + S, 2 * S);
	close_cache();
}

CASE(after_a_quiet_time_it_begins_with_a_second)
{
	open_cache();
	int64_t now = check_pause(true, T, S);

	now = check_pause(true, now + 10 * S, 2 * S); /* twice the limit: not long enough */
	check_pause(true, now + 10 * S + 1, S);
	close_cache();
}

CASE(an_answer_ends_it)
{
	open_cache();
	check_pause(true, T, S);
	int64_t now = T + S;

	note(TYPE_A, true, now);
	store(TYPE_A, 1, now);
	EQ(find(TYPE_A, now), CACHE_FRESH);
	now += S + STALE_MS; /* when nothing is left of it */
	check_pause(true, now, S);
	close_cache();
}

CASE(a_limit_below_a_second_holds_from_the_first)
{
	open_cache();
	conf.failure_ms = 300;
	cache_tune(cache, &conf);
	int64_t now = check_pause(true, T, 300);

	check_pause(true, now, 300);
	conf.failure_ms = 0;
	cache_tune(cache, &conf);
	note(TYPE_TXT, true, T);
	EQ(find(TYPE_TXT, T), CACHE_MISS);
	close_cache();
}

CASE(a_failure_never_takes_the_place_of_what_is_fresh)
{
	open_cache();
	store(TYPE_A, 10, T);
	note(TYPE_A, true, T + S);
	EQ(find(TYPE_A, T + S), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_POSITIVE);
	close_cache();
}

CASE(a_failure_beside_what_is_stale_is_told_for_half_a_minute)
{
	const int64_t failed = T + 12 * S;

	open_cache();
	store(TYPE_A, 10, T);
	EQ(find(TYPE_A, failed), CACHE_STALE);
	OK(!found.failed);
	note(TYPE_A, true, failed);
	EQ(find(TYPE_A, failed + 30 * S - 1), CACHE_STALE);
	OK(found.failed);
	EQ(found.packed.worth, WORTH_POSITIVE);
	EQ(find(TYPE_A, failed + 30 * S), CACHE_STALE);
	OK(!found.failed);
	close_cache();
}

CASE(a_failure_beside_a_name_that_did_not_exist_is_told_too)
{
	const struct key k = key_of("a", TYPE_A);
	const int64_t failed = T + 12 * S;

	open_cache();
	cache_store(cache, &k, say_none(&one, "a", TYPE_A, RCODE_NXDOMAIN, 10), T);
	note(TYPE_TXT, false, failed);
	EQ(find(TYPE_TXT, failed), CACHE_STALE);
	OK(found.failed);
	EQ(found.packed.worth, WORTH_NXDOMAIN);
	close_cache();
}

CASE(a_failure_is_no_worse_than_what_is_too_old)
{
	const int64_t over = T + 10 * S + STALE_MS;

	open_cache();
	store(TYPE_A, 10, T);
	note(TYPE_A, true, over - 1);
	EQ(find(TYPE_A, over - 1), CACHE_STALE);
	check_pause(true, over, S);
	close_cache();
}

CASE(who_wants_fresh_answers_is_told_of_the_failure)
{
	struct key k = key_of("a", TYPE_A);

	k.fresh_only = true;
	open_cache();
	store(TYPE_A, 10, T);
	cache_store_failure(cache, &k, say_failure(&one, "a", "why"), true, T + 10 * S);
	found = (struct found){ .memory = memory };
	cache_find(cache, &k, T + 10 * S, &found);
	EQ(found.freshness, CACHE_FAILURE);
	close_cache();
}

CASE(that_a_name_does_not_exist_is_better_than_a_failure)
{
	const struct key k = key_of("a", TYPE_TXT);

	open_cache();
	note(TYPE_A, true, T);
	cache_store(cache, &k, say_none(&one, "a", TYPE_TXT, RCODE_NXDOMAIN, 10), T);
	EQ(find(TYPE_A, T), CACHE_FRESH);
	EQ(find(TYPE_A, T + 10 * S), CACHE_STALE);
	close_cache();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_failure_is_found_for_a_second_with_what_clients_were_told),
		CLAIM(each_time_that_a_server_says_so_it_is_remembered_for_twice_as_long_up_to_a_limit),
		CLAIM(the_limit_is_kept_to_however_often_it_fails),
		CLAIM(where_nobody_could_be_asked_a_second_is_enough_however_often),
		CLAIM(after_the_network_has_failed_it_begins_with_a_second),
		CLAIM(failures_while_one_is_remembered_change_nothing),
		CLAIM(after_a_quiet_time_it_begins_with_a_second),
		CLAIM(an_answer_ends_it),
		CLAIM(a_limit_below_a_second_holds_from_the_first),
		CLAIM(a_failure_never_takes_the_place_of_what_is_fresh),
		CLAIM(a_failure_beside_what_is_stale_is_told_for_half_a_minute),
		CLAIM(a_failure_beside_a_name_that_did_not_exist_is_told_too),
		CLAIM(a_failure_is_no_worse_than_what_is_too_old),
		CLAIM(who_wants_fresh_answers_is_told_of_the_failure),
		CLAIM(that_a_name_does_not_exist_is_better_than_a_failure),
	};

	return RUN(cases);
}
