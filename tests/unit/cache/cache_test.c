#include <stdlib.h>
#include <string.h>

#include "opened.h"

#define STALE_MS 60000
/* So many hits make an answer popular. */
#define POPULAR 3

static void open_cache(void)
{
	open_with((struct cache_conf){
		.size = 1 << 20, .stale_ms = STALE_MS, .failure_ms = 5000, .prefetch = true });
}

static enum freshness find(const char *name, unsigned type, int64_t now_ms)
{
	const struct key k = key_of(name, type);

	return find_key(&k, now_ms);
}

static uint8_t mark(void)
{
	return found.packed.message.at[found.packed.message.len - 1];
}

static void store(const char *name, unsigned type, uint32_t ttl, uint8_t its_mark, int64_t now_ms)
{
	const struct key k = key_of(name, type);

	cache_store(cache, &k, say(&one, name, type, ttl, its_mark), now_ms);
}

static void store_none(
	const char *name, unsigned type, unsigned rcode, uint32_t ttl, int64_t now_ms)
{
	const struct key k = key_of(name, type);

	cache_store(cache, &k, say_none(&one, name, type, rcode, ttl), now_ms);
}

/* ---- time ---- */

CASE(an_answer_is_fresh_until_its_ttl_is_over_then_stale_then_gone)
{
	open_cache();
	EQ(find("a", TYPE_A, T), CACHE_MISS);
	store("a", TYPE_A, 10, 1, T);
	EQ(find("a", TYPE_A, T), CACHE_FRESH);
	EQ(find("a", TYPE_A, T + 10 * S - 1), CACHE_FRESH);
	EQ(find("a", TYPE_A, T + 10 * S), CACHE_STALE);
	EQ(find("a", TYPE_A, T + 10 * S + STALE_MS - 1), CACHE_STALE);
	OK(!found.failed && !found.refresh);
	EQ(find("a", TYPE_A, T + 10 * S + STALE_MS), CACHE_MISS);
	close_cache();
}

CASE(its_age_is_in_whole_seconds)
{
	open_cache();
	store("a", TYPE_A, 100, 1, T);
	find("a", TYPE_A, T + S - 1);
	EQ(found.age_s, 0);
	find("a", TYPE_A, T + S);
	EQ(found.age_s, 1);
	find("a", TYPE_A, T + 120 * S + 999);
	EQ(found.age_s, 120);
	close_cache();
}

/* A turn of one loop may have begun before that of another, which has stored it. */
CASE(what_was_stored_a_moment_later_has_no_age)
{
	open_cache();
	store("a", TYPE_A, 100, 1, T);
	for (int64_t before = 1; before < 5 * S; before += 333) {
		EQ(find("a", TYPE_A, T - before), CACHE_FRESH);
		EQ(found.age_s, 0);
	}
	close_cache();
}

CASE(without_stale_an_answer_ends_with_its_ttl)
{
	open_cache();
	conf.stale_ms = 0;
	cache_tune(cache, &conf);
	store("a", TYPE_A, 10, 1, T);
	EQ(find("a", TYPE_A, T + 10 * S - 1), CACHE_FRESH);
	EQ(find("a", TYPE_A, T + 10 * S), CACHE_MISS);
	close_cache();
}

CASE(who_wants_fresh_answers_gets_no_others)
{
	struct key k = key_of("a", TYPE_A), none = key_of("none", TYPE_A);

	k.fresh_only = none.fresh_only = true;
	open_cache();
	store("a", TYPE_A, 10, 1, T);
	store_none("none", TYPE_AAAA, RCODE_NXDOMAIN, 10, T);
	EQ(find_key(&k, T + 10 * S - 1), CACHE_FRESH);
	EQ(find_key(&k, T + 10 * S), CACHE_MISS);
	EQ(find_key(&none, T + 10 * S - 1), CACHE_FRESH);
	EQ(find_key(&none, T + 10 * S), CACHE_MISS);
	EQ(find("a", TYPE_A, T + 10 * S), CACHE_STALE);
	close_cache();
}

/* ---- what is found ---- */

CASE(what_is_found_is_what_was_stored_with_its_name_in_lower_case)
{
	const struct key k = key_of("www.example", TYPE_A);
	struct question q;

	open_cache();
	say(&one, "WWW.Example", TYPE_A, 10, 7);
	wire_record(&one.wire, SECTION_ADDITIONAL, ROOT, TYPE_TXT, CLASS_IN, 20, SPAN("\1x"));
	wire_opt(&one.wire, 0, SPAN("\0\x0f\0\3\0\x16z"));
	const struct packed *stored = said(&one, RCODE_NOERROR, 10);

	cache_store(cache, &k, stored, T);
	EQ(find_key(&k, T), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_POSITIVE);
	EQ(found.packed.rcode, RCODE_NOERROR);
	EQ(found.packed.lifetime_s, 10);
	EQ(found.packed.ttl_count, 2);
	MEM(found.packed.ttl_at, stored->ttl_at, 4);
	EQ(found.packed.errors.len, 7);
	MEM(found.packed.errors.at, stored->errors.at, 7);
	q = packed_question(&found.packed);
	MEM(q.name, "\3www\7example", q.name_len);
	EQ(q.type, TYPE_A);
	EQ(found.packed.message.len, stored->message.len);
	size_t end = DNS_HEADER + q.name_len;

	MEM(found.packed.message.at + end, stored->message.at + end, stored->message.len - end);
	OK((const uint8_t *)found.packed.ttl_at == memory); /* a copy, in our memory */
	close_cache();
}

CASE(names_types_groups_do_and_cd_have_answers_of_their_own)
{
	open_cache();
	for (unsigned i = 0; i < 32; i++) {
		const char *name = i & 1 ? "a" : "b";
		unsigned type = i & 2 ? TYPE_A : TYPE_TXT;
		const struct key k =
			key_in(name, type, &(struct key_scope){ i & 4, i & 8, i & 16 });

		EQ(find_key(&k, T), CACHE_MISS);
		cache_store(cache, &k, say(&one, name, type, 10, (uint8_t)i), T);
		EQ(find_key(&k, T), CACHE_FRESH);
		EQ(mark(), i);
	}
	close_cache();
}

CASE(a_later_answer_takes_the_place_of_an_earlier_one)
{
	open_cache();
	store("a", TYPE_A, 10, 1, T);
	store("a", TYPE_A, 100, 2, T + 5 * S);
	EQ(find("a", TYPE_A, T + 50 * S), CACHE_FRESH);
	EQ(mark(), 2);
	EQ(found.age_s, 45);
	close_cache();
}

CASE(an_answer_that_is_worth_nothing_ends_what_was_known)
{
	open_cache();
	store("a", TYPE_A, 10, 1, T);
	store_none("b", TYPE_TXT, RCODE_NXDOMAIN, 10, T);
	store("a", TYPE_A, 0, 2, T);
	store("b", TYPE_A, 0, 2, T);
	EQ(find("a", TYPE_A, T), CACHE_MISS);
	EQ(find("b", TYPE_A, T), CACHE_MISS);
	EQ(find("b", TYPE_TXT, T), CACHE_MISS); /* it exists */
	store("c", TYPE_A, 10, 1, T);
	store_none("c", TYPE_A, RCODE_NXDOMAIN, 0, T);
	EQ(find("c", TYPE_A, T), CACHE_MISS);
	close_cache();
}

CASE(a_servers_failure_is_no_answer)
{
	struct cache_stats stats;

	open_cache();
	store_none("a", TYPE_A, RCODE_SERVFAIL, 10, T);
	EQ(find("a", TYPE_A, T), CACHE_MISS);
	cache_count(cache, T, &stats);
	EQ(stats.entries, 0);
	close_cache();
}

/* ---- names that do not exist ---- */

CASE(a_name_that_does_not_exist_has_no_records_of_any_type)
{
	open_cache();
	store_none("none", TYPE_A, RCODE_NXDOMAIN, 10, T);
	EQ(find("none", TYPE_A, T), CACHE_FRESH);
	EQ(find("none", TYPE_AAAA, T), CACHE_FRESH);
	EQ(find("none", 0, T), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_NXDOMAIN);
	EQ(found.packed.rcode, RCODE_NXDOMAIN);
	EQ(find("none", TYPE_TXT, T + 10 * S), CACHE_STALE);
	EQ(find("below.none", TYPE_A, T), CACHE_MISS);
	const struct key other = key_in("none", TYPE_A, &(struct key_scope){ .group = 1 });

	EQ(find_key(&other, T), CACHE_MISS);
	close_cache();
}

CASE(a_name_with_no_records_of_one_type_may_have_others)
{
	open_cache();
	store_none("a", TYPE_A, RCODE_NOERROR, 10, T);
	EQ(find("a", TYPE_A, T), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_NODATA);
	EQ(find("a", TYPE_AAAA, T), CACHE_MISS);
	store_none("a", 0, RCODE_NOERROR, 10, T); /* a type that nobody has */
	EQ(find("a", TYPE_AAAA, T), CACHE_MISS);
	EQ(find("a", 0, T), CACHE_MISS);
	close_cache();
}

CASE(behind_an_alias_it_is_another_name_that_does_not_exist)
{
	const struct key k = key_of("a", TYPE_A);

	open_cache();
	say_question(&one, "a", TYPE_A, RCODE_NXDOMAIN);
	wire_record(
		&one.wire, SECTION_ANSWER, TO_QUESTION, TYPE_CNAME, CLASS_IN, 10, SPAN("\1b\0"));
	wire_record(&one.wire, SECTION_AUTHORITY, ROOT, TYPE_SOA, CLASS_IN, 10,
		SPAN("\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c"));
	cache_store(cache, &k, said(&one, RCODE_NXDOMAIN, 10), T);
	EQ(find("a", TYPE_A, T), CACHE_FRESH);
	EQ(found.packed.rcode, RCODE_NXDOMAIN);
	EQ(find("a", TYPE_TXT, T), CACHE_MISS);
	close_cache();
}

CASE(an_answer_says_that_the_name_exists)
{
	open_cache();
	store_none("a", TYPE_A, RCODE_NXDOMAIN, 100, T);
	store("a", TYPE_AAAA, 10, 1, T);
	EQ(find("a", TYPE_AAAA, T), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_POSITIVE);
	EQ(find("a", TYPE_A, T), CACHE_MISS);

	store_none("b", TYPE_A, RCODE_NXDOMAIN, 100, T);
	store_none("b", TYPE_AAAA, RCODE_NOERROR, 10, T);
	EQ(find("b", TYPE_A, T), CACHE_MISS);
	close_cache();
}

CASE(that_a_name_does_not_exist_ends_its_answer_of_this_type)
{
	open_cache();
	store("a", TYPE_A, 100, 1, T);
	store("a", TYPE_TXT, 100, 1, T);
	store_none("a", TYPE_A, RCODE_NXDOMAIN, 10, T);
	EQ(find("a", TYPE_A, T), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_NXDOMAIN);
	EQ(find("a", TYPE_TXT, T), CACHE_FRESH); /* as fresh, and says more */
	EQ(found.packed.worth, WORTH_POSITIVE);
	close_cache();
}

CASE(that_a_name_does_not_exist_is_better_than_what_has_expired)
{
	open_cache();
	store("a", TYPE_TXT, 10, 1, T);
	store_none("a", TYPE_A, RCODE_NXDOMAIN, 100, T);
	EQ(find("a", TYPE_TXT, T + 10 * S - 1), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_POSITIVE);
	EQ(find("a", TYPE_TXT, T + 10 * S), CACHE_FRESH);
	EQ(found.packed.worth, WORTH_NXDOMAIN);
	close_cache();
}

/* ---- sizes ---- */

CASE(a_cache_takes_no_less_than_its_least_size)
{
	struct cache_stats stats;

	open_cache();
	close_cache();
	conf.size = CACHE_SIZE_MIN - 1;
	OK(!cache_new(&conf, &secret));
	for (conf.size = CACHE_SIZE_MIN; conf.size < (64 << 20); conf.size += conf.size / 3 + 1) {
		cache = cache_new(&conf, &secret);
		OK(cache);
		store("a", TYPE_A, 10, 1, T);
		EQ(find("a", TYPE_A, T), CACHE_FRESH);
		cache_count(cache, T, &stats);
		EQ(stats.size, conf.size);
		EQ(stats.entries, 1);
		close_cache();
	}
	cache_free(NULL);
}

/* Its message has so many octets, and one record. */
static void store_long(size_t len)
{
	static const uint8_t octets[DNS_MESSAGE_MAX];
	const struct key k = key_of("long", TYPE_NULL);

	say_question(&one, "long", TYPE_NULL, RCODE_NOERROR);
	wire_record(&one.wire, SECTION_ANSWER, TO_QUESTION, TYPE_NULL, CLASS_IN, 10,
		(struct span){ octets, len - one.wire.len - 12 });
	EQ(one.wire.len, len);
	cache_store(cache, &k, said(&one, RCODE_NOERROR, 10), T);
}

CASE(an_answer_that_takes_more_than_64_kib_is_not_kept)
{
	open_cache();
	store_long(CACHE_ENTRY_MAX - 2);
	EQ(packed_size(&one.packed), CACHE_ENTRY_MAX);
	EQ(find("long", TYPE_NULL, T), CACHE_FRESH);
	store_long(CACHE_ENTRY_MAX - 1);
	EQ(find("long", TYPE_NULL, T), CACHE_MISS); /* nor is the one before it true any more */
	close_cache();
}

/* ---- prefetch ---- */

/* How many of so many who ask at that time, and ask again if they are told to, come to do so. */
static unsigned told(const char *name, int64_t now_ms, unsigned asked)
{
	const struct key k = key_of(name, TYPE_A);
	unsigned count = 0;

	while (asked--) {
		OK(find_key(&k, now_ms) != CACHE_MISS);
		count += found.refresh && cache_claim_refresh(cache, &k);
	}
	return count;
}

CASE(one_is_told_to_ask_again_in_the_last_tenth_of_what_is_popular)
{
	open_cache();
	store("a", TYPE_A, 100, 1, T);
	EQ(told("a", T, 10), 0);
	EQ(told("a", T + 90 * S - 1, 10), 0);
	EQ(told("a", T + 90 * S, 10), 1);
	EQ(told("a", T + 100 * S - 1, 10), 0);
	EQ(told("a", T + 100 * S, 10), 0);
	store("a", TYPE_A, 100, 1, T + 100 * S);
	EQ(told("a", T + 199 * S, 10), 1);
	close_cache();
}

CASE(all_are_told_until_one_does_it)
{
	const struct key k = key_of("a", TYPE_A), none = key_of("none", TYPE_A);

	open_cache();
	store("a", TYPE_A, 100, 1, T);
	store_none("none", TYPE_TXT, RCODE_NXDOMAIN, 100, T);
	OK(!told("a", T, 3) && !told("none", T, 3));
	EQ(find_key(&k, T + 90 * S), CACHE_FRESH);
	OK(found.refresh);
	EQ(find_key(&k, T + 90 * S), CACHE_FRESH);
	OK(found.refresh);
	OK(cache_claim_refresh(cache, &k));
	OK(!cache_claim_refresh(cache, &k));
	EQ(find_key(&k, T + 90 * S), CACHE_FRESH);
	OK(!found.refresh);
	OK(cache_claim_refresh(cache, &none)); /* also for a name that does not exist */
	OK(!cache_claim_refresh(cache, &none));
	close_cache();
}

CASE(nobody_asks_again_for_what_is_not_there)
{
	const struct key k = key_of("a", TYPE_A);

	open_cache();
	OK(!cache_claim_refresh(cache, &k));
	close_cache();
}

CASE(whether_an_answer_is_fresh_can_be_known_without_it)
{
	struct key k = key_of("a", TYPE_A), none = key_of("none", TYPE_TXT);

	open_cache();
	store("a", TYPE_A, 10, 1, T);
	store_none("none", TYPE_A, RCODE_NXDOMAIN, 10, T);
	OK(cache_is_fresh(cache, &k, T + 10 * S - 1));
	OK(!cache_is_fresh(cache, &k, T + 10 * S));
	OK(cache_is_fresh(cache, &none, T + 10 * S - 1));
	OK(!cache_is_fresh(cache, &none, T + 10 * S));
	k = key_of("a", TYPE_TXT);
	OK(!cache_is_fresh(cache, &k, T));
	close_cache();
}

CASE(what_is_asked_for_seldom_is_not_asked_for_again)
{
	open_cache();
	store("a", TYPE_A, 100, 1, T);
	EQ(told("a", T + 99 * S, 2), 0);
	EQ(told("a", T + 99 * S, 1), 1);
	close_cache();
}

CASE(a_short_life_is_not_worth_it)
{
	open_cache();
	store("a", TYPE_A, 9, 1, T);
	EQ(told("a", T + 9 * S - 1, 10), 0);
	store("a", TYPE_A, 10, 1, T);
	EQ(told("a", T + 9 * S - 1, 10), 0);
	EQ(told("a", T + 9 * S, 10), 1);
	close_cache();
}

CASE(nobody_is_told_if_it_is_switched_off)
{
	open_cache();
	conf.prefetch = false;
	cache_tune(cache, &conf);
	store("a", TYPE_A, 100, 1, T);
	EQ(told("a", T + 99 * S, 10), 0);
	close_cache();
}

CASE(where_asking_has_failed_somebody_is_told_again_half_a_minute_later)
{
	const struct key k = key_of("a", TYPE_A);
	struct said failure;

	open_cache();
	store("a", TYPE_A, 1000, 1, T);
	EQ(told("a", T + 900 * S, 10), 1);
	cache_store_failure(cache, &k, say_failure(&failure, "a", NULL), false, T + 904 * S);
	EQ(told("a", T + 934 * S - 1, 10), 0);
	EQ(told("a", T + 934 * S, 10), 1);
	close_cache();
}

/* ---- who only wants to know ---- */

CASE(who_peeks_finds_the_same_and_is_no_request_for_it)
{
	const struct key k = key_of("a", TYPE_A);

	open_cache();
	store("a", TYPE_A, 100, 1, T);
	for (unsigned i = 0; i < 2 * POPULAR; i++) {
		memset(memory, 0xa5, sizeof memory);
		found = (struct found){ .memory = memory };
		cache_peek(cache, &k, T + 99 * S, &found);
		EQ(found.freshness, CACHE_FRESH);
		EQ(found.age_s, 99);
		EQ(mark(), 1);
		OK(!found.refresh);
	}
	for (unsigned i = 1; i < POPULAR; i++) {
		EQ(find("a", TYPE_A, T + 99 * S), CACHE_FRESH);
		OK(!found.refresh); /* the peeks would have made it popular */
	}
	close_cache();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(who_peeks_finds_the_same_and_is_no_request_for_it),
		CLAIM(an_answer_is_fresh_until_its_ttl_is_over_then_stale_then_gone),
		CLAIM(its_age_is_in_whole_seconds),
		CLAIM(what_was_stored_a_moment_later_has_no_age),
		CLAIM(without_stale_an_answer_ends_with_its_ttl),
		CLAIM(who_wants_fresh_answers_gets_no_others),
		CLAIM(what_is_found_is_what_was_stored_with_its_name_in_lower_case),
		CLAIM(names_types_groups_do_and_cd_have_answers_of_their_own),
		CLAIM(a_later_answer_takes_the_place_of_an_earlier_one),
		CLAIM(an_answer_that_is_worth_nothing_ends_what_was_known),
		CLAIM(a_servers_failure_is_no_answer),
		CLAIM(a_name_that_does_not_exist_has_no_records_of_any_type),
		CLAIM(a_name_with_no_records_of_one_type_may_have_others),
		CLAIM(behind_an_alias_it_is_another_name_that_does_not_exist),
		CLAIM(an_answer_says_that_the_name_exists),
		CLAIM(that_a_name_does_not_exist_ends_its_answer_of_this_type),
		CLAIM(that_a_name_does_not_exist_is_better_than_what_has_expired),
		CLAIM(a_cache_takes_no_less_than_its_least_size),
		CLAIM(an_answer_that_takes_more_than_64_kib_is_not_kept),
		CLAIM(one_is_told_to_ask_again_in_the_last_tenth_of_what_is_popular),
		CLAIM(all_are_told_until_one_does_it),
		CLAIM(nobody_asks_again_for_what_is_not_there),
		CLAIM(whether_an_answer_is_fresh_can_be_known_without_it),
		CLAIM(what_is_asked_for_seldom_is_not_asked_for_again),
		CLAIM(a_short_life_is_not_worth_it),
		CLAIM(nobody_is_told_if_it_is_switched_off),
		CLAIM(where_asking_has_failed_somebody_is_told_again_half_a_minute_later),
	};

	return RUN(cases);
}
