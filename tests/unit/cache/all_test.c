/* What is done to all entries of the cache, or all of a name: shown, counted, flushed, restored. */
#include <stdio.h>
#include <string.h>

#include "opened.h"

static void open_cache(void)
{
	/* More than one shard. */
	open_with((struct cache_conf){ .size = 16 << 20, .stale_ms = 60000, .failure_ms = 5000 });
}

static enum freshness find(const char *name, unsigned type)
{
	const struct key k = key_of(name, type);

	return find_key(&k, T);
}

static void store(const char *name, unsigned type)
{
	const struct key k = key_of(name, type);

	cache_store(cache, &k, say(&one, name, type, 10, 1), T);
}

static void store_none(const char *name)
{
	const struct key k = key_of(name, TYPE_A);

	cache_store(cache, &k, say_none(&one, name, TYPE_A, RCODE_NXDOMAIN, 10), T);
}

static void store_failure(const char *name)
{
	const struct key k = key_of(name, TYPE_A);

	cache_store_failure(cache, &k, say_failure(&one, name, NULL), true, T);
}

/* So many names, n000 and on. */
static void store_many(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[5];

		OK(snprintf(name, sizeof name, "n%03u", i) == 4);
		store(name, TYPE_A);
	}
}

static struct cache_stats stats_at(int64_t now_ms)
{
	struct cache_stats stats;

	cache_count(cache, now_ms, &stats);
	return stats;
}

static uint64_t flush(const char *name, bool below)
{
	uint8_t octets[NAME_MAX_WIRE];
	size_t len = name_from_text(name, octets);

	return cache_flush_name(cache, octets, len, below);
}

/* ---- each ---- */

struct visits {
	unsigned count, most;
	struct cache_entry last; /* what is packed has gone */
};

static bool on_visit(void *arg, const struct cache_entry *e)
{
	struct visits *v = arg;
	struct question q = packed_question(&e->packed);
	struct key k;

	key_make(&k, &secret, &q,
		&(struct key_scope){ e->key.group, e->key.dnssec_ok, e->key.checking_disabled });
	OK(key_equals(&k, &e->key));
	v->last = *e;
	return ++v->count < v->most;
}

static struct visits visit(unsigned most)
{
	struct visits v = { .most = most };

	EQ(cache_each(cache, on_visit, &v), 0);
	return v;
}

CASE(each_entry_is_shown_once)
{
	open_cache();
	EQ(visit(1000).count, 0);
	store_many(500);
	EQ(visit(1000).count, 500);
	EQ(visit(7).count, 7);
	EQ(visit(1).count, 1);
	close_cache();
}

CASE(an_entry_is_shown_with_its_key_time_and_hits)
{
	const struct key k = key_in("a", TYPE_TXT, &(struct key_scope){ 258, true, true });

	open_cache();
	cache_store(cache, &k, say(&one, "A", TYPE_TXT, 10, 1), T - 5);
	found = (struct found){ .memory = memory };
	cache_find(cache, &k, T, &found);
	cache_find(cache, &k, T, &found);
	struct visits v = visit(9);

	OK(key_equals(&v.last.key, &k));
	EQ(v.last.since_ms, T - 5);
	EQ(v.last.hits, 2);
	EQ(v.last.packed.worth, WORTH_POSITIVE);
	close_cache();
}

CASE(a_name_that_does_not_exist_is_shown_as_of_no_type)
{
	open_cache();
	store_none("none");
	struct visits v = visit(9);

	EQ(key_question(&v.last.key).type, 0);
	EQ(v.last.packed.worth, WORTH_NXDOMAIN);
	close_cache();
}

static bool on_visit_change(void *arg, const struct cache_entry *e)
{
	unsigned *count = arg;
	struct question q = packed_question(&e->packed);

	EQ(cache_flush_name(cache, q.name, q.name_len, false), 1);
	if (++*count == 100)
		cache_flush_all(cache);
	return true;
}

CASE(a_visitor_may_change_the_cache)
{
	unsigned count = 0;

	open_cache();
	store_many(200);
	EQ(cache_each(cache, on_visit_change, &count), 0);
	EQ(count, 100);
	EQ(stats_at(T).entries, 0);
	close_cache();
}

/* ---- count ---- */

CASE(what_is_kept_is_counted)
{
	open_cache();
	EQ(stats_at(T).used, 0);
	store_many(100);
	store_none("none");
	struct cache_stats stats = stats_at(T);

	EQ(stats.size, conf.size);
	EQ(stats.entries, 101);
	EQ(stats.expired, 0);
	EQ(stats.evicted, 0);
	EQ(stats.refused, 0);
	OK(stats.used > (uint64_t)100 * 64 && stats.used < (uint64_t)101 * 256);
	EQ(stats_at(T + 10 * S - 1).expired, 0);
	EQ(stats_at(T + 10 * S).expired, 101);
	EQ(cache_flush_all(cache), 101);
	EQ(stats_at(T).entries, 0);
	EQ(stats_at(T).used, 0);
	close_cache();
}

/* ---- flush ---- */

CASE(a_flush_forgets_a_name_of_all_types_and_scopes)
{
	const struct key k = key_in("a.b", TYPE_A, &(struct key_scope){ 3, true, false });

	open_cache();
	store("a.b", TYPE_A);
	store("a.b", TYPE_TXT);
	cache_store(cache, &k, say(&one, "a.b", TYPE_A, 10, 1), T);
	store("b", TYPE_A);
	store("c.a.b", TYPE_A);
	store("aa.b", TYPE_A);
	store("a.bb", TYPE_A);
	EQ(flush("a.b", false), 3);
	EQ(flush("a.b", false), 0);
	EQ(find("a.b", TYPE_A), CACHE_MISS);
	EQ(stats_at(T).entries, 4);
	close_cache();
}

CASE(names_that_do_not_exist_and_failures_are_flushed_too)
{
	open_cache();
	store_none("none");
	store_failure("failed");
	EQ(find("failed", TYPE_A), CACHE_FAILURE);
	EQ(flush("none", false), 1);
	EQ(flush("failed", false), 1);
	EQ(find("none", TYPE_A), CACHE_MISS);
	EQ(find("failed", TYPE_A), CACHE_MISS);
	close_cache();
}

CASE(a_flush_forgets_what_is_below_if_asked_to)
{
	open_cache();
	store("b", TYPE_A);
	store("a.b", TYPE_A);
	store("x.y.z.a.b", TYPE_A);
	store("bb", TYPE_A);
	store("x.bb", TYPE_A);
	store(".", TYPE_TXT);
	EQ(flush("b", true), 3);
	OK(find("bb", TYPE_A) == CACHE_FRESH && find("x.bb", TYPE_A) == CACHE_FRESH);
	EQ(flush(".", false), 1);
	EQ(flush(".", true), 2);
	close_cache();
}

CASE(a_flush_of_thousands_misses_none)
{
	open_cache();
	store_many(1000);
	EQ(flush(".", true), 1000);
	store_many(1000);
	EQ(stats_at(T).entries, 1000);
	close_cache();
}

/* ---- restore ---- */

static bool restore(const char *name, const struct packed *p, int64_t since_ms)
{
	const struct key k = key_of(name, TYPE_A);

	return cache_restore(cache, &k, p, since_ms);
}

CASE(what_is_restored_is_as_old_as_it_was)
{
	open_cache();
	OK(restore("a", say(&one, "a", TYPE_A, 10, 1), T - 9 * S));
	EQ(find("a", TYPE_A), CACHE_FRESH);
	EQ(found.age_s, 9);
	OK(restore("old", say(&one, "old", TYPE_A, 10, 1), T - 10 * S));
	EQ(find("old", TYPE_A), CACHE_STALE);
	OK(restore("before", say(&one, "before", TYPE_A, 604800, 1), -400000 * (int64_t)S));
	EQ(find("before", TYPE_A), CACHE_FRESH);
	EQ(found.age_s, 400000 + T / S);
	close_cache();
}

CASE(what_is_restored_gives_way_to_what_is_there)
{
	open_cache();
	store("a", TYPE_A);
	store_none("none");
	OK(!restore("a", say(&one, "a", TYPE_A, 100, 2), T - S));
	OK(!restore("none", say_none(&one, "none", TYPE_A, RCODE_NXDOMAIN, 100), T - S));
	EQ(find("a", TYPE_A), CACHE_FRESH);
	EQ(found.age_s, 0);
	close_cache();
}

CASE(what_is_not_worth_it_is_not_restored)
{
	open_cache();
	OK(!restore("a", say(&one, "a", TYPE_A, 0, 1), T));
	OK(!restore("a", say_failure(&one, "a", NULL), T));
	EQ(stats_at(T).entries, 0);
	close_cache();
}

CASE(a_name_that_does_not_exist_is_restored_for_all_types)
{
	open_cache();
	OK(restore("none", say_none(&one, "none", TYPE_A, RCODE_NXDOMAIN, 10), T));
	EQ(find("none", TYPE_TXT), CACHE_FRESH);
	close_cache();
}

static bool on_visit_restore(void *arg, const struct cache_entry *e)
{
	return cache_restore(arg, &e->key, &e->packed, e->since_ms);
}

CASE(another_cache_is_the_same_when_all_entries_were_restored_into_it)
{
	struct cache *old;

	open_cache();
	store_many(300);
	store_none("none");
	struct cache_stats before = stats_at(T);

	old = cache;
	cache = cache_new(&conf, &secret);
	EQ(cache_each(old, on_visit_restore, cache), 0);
	cache_free(old);
	EQ(stats_at(T).entries, before.entries);
	EQ(stats_at(T).used, before.used);
	EQ(find("n123", TYPE_A), CACHE_FRESH);
	EQ(find("none", TYPE_TXT), CACHE_FRESH);
	close_cache();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(each_entry_is_shown_once),
		CLAIM(an_entry_is_shown_with_its_key_time_and_hits),
		CLAIM(a_name_that_does_not_exist_is_shown_as_of_no_type),
		CLAIM(a_visitor_may_change_the_cache),
		CLAIM(what_is_kept_is_counted),
		CLAIM(a_flush_forgets_a_name_of_all_types_and_scopes),
		CLAIM(names_that_do_not_exist_and_failures_are_flushed_too),
		CLAIM(a_flush_forgets_what_is_below_if_asked_to),
		CLAIM(a_flush_of_thousands_misses_none),
		CLAIM(what_is_restored_is_as_old_as_it_was),
		CLAIM(what_is_restored_gives_way_to_what_is_there),
		CLAIM(what_is_not_worth_it_is_not_restored),
		CLAIM(a_name_that_does_not_exist_is_restored_for_all_types),
		CLAIM(another_cache_is_the_same_when_all_entries_were_restored_into_it),
	};

	return RUN(cases);
}
