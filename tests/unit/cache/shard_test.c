#include "cache/shard.h"

#include <stdlib.h>
#include <string.h>

#include "case.h"

#define PAGE  4096
#define SMALL ((size_t)64 * 1024)
/* A message's header, in front of the question. */
#define IN_FRONT DNS_HEADER

static const struct siphash_key secret = { { 1, 2 } };
static uint8_t *memory;
static struct shard shard;

/* What was put last of each number: a version, and how long; dead: nothing, or it was killed. */
#define NUMBERS 4096
static struct {
	bool alive;
	uint8_t version;
	size_t bytes;
} model[NUMBERS];
static uint64_t stored, replaced, killed;

/* Memory of just that size, so that a sanitizer sees what is outside. */
static void open_shard(size_t size)
{
	memory = aligned_alloc(PAGE, size);
	OK(memory);
	memset(memory, 0, size);
	shard_init(&shard, memory, size);
	memset(model, 0, sizeof model);
	stored = replaced = killed = 0;
}

static void close_shard(void)
{
	free(memory);
}

/* Of numbers: names of four letters, in two groups, with and without DO and CD. */
static struct key key_of(uint32_t n)
{
	uint8_t name[] = { 4, 0, 0, 0, 0, 0 };
	const struct question q = { name, sizeof name, TYPE_A, CLASS_IN };
	struct key k;

	for (int i = 1; i < 5; i++)
		name[i] = (uint8_t)('a' + (n >> 3 >> (4 * i - 4) & 15));
	key_make(&k, &secret, &q, &(struct key_scope){ n & 1, n >> 1 & 1, n >> 2 & 1 });
	return k;
}

static uint8_t mark_of(uint32_t n, size_t i)
{
	return (uint8_t)(n * 31 + model[n].version * 7 + i);
}

/* All that a cache would write into it: the question, and a pattern around that. */
static void fill(struct entry *e, const struct key *k, uint32_t n)
{
	for (size_t i = 0; i < model[n].bytes; i++)
		e->bytes[i] = mark_of(n, i);
	memcpy(e->bytes + IN_FRONT, k->question, k->len);
}

static bool put(uint32_t n, size_t bytes)
{
	struct key k = key_of(n);
	bool there = shard_find(&shard, &k);
	struct entry *e = shard_put(&shard, &k, bytes);

	replaced += there;
	model[n].alive = e;
	if (!e)
		return false;
	stored++;
	model[n].version++;
	model[n].bytes = bytes;
	fill(e, &k, n);
	return true;
}

/* What is there must be what was put last, and nothing that was killed. */
static struct entry *find(uint32_t n)
{
	struct key k = key_of(n);
	struct entry *e = shard_find(&shard, &k);

	if (!e)
		return NULL;
	OK(model[n].alive && !e->dead);
	OK((size_t)e->units * ENTRY_UNIT >= sizeof *e + model[n].bytes);
	OK((size_t)e->units * ENTRY_UNIT < sizeof *e + model[n].bytes + ENTRY_UNIT);
	EQ(e->group, k.group);
	EQ(e->dnssec_ok, k.dnssec_ok);
	EQ(e->checking_disabled, k.checking_disabled);
	MEM(entry_question(e), k.question, k.len);
	for (size_t i = 0; i < model[n].bytes; i++)
		if (i < IN_FRONT || i >= IN_FRONT + (size_t)k.len)
			EQ(e->bytes[i], mark_of(n, i));
	return e;
}

static void ask(uint32_t n)
{
	struct entry *e = find(n);

	OK(e);
	shard_touch(e);
}

static void drop(uint32_t n)
{
	struct entry *e = find(n);

	if (!e)
		return;
	shard_kill(&shard, e);
	model[n].alive = false;
	killed++;
}

/* Counts agree with what is found, and with what a walk meets. */
static void check_all(void)
{
	uint64_t found = 0, octets = 0, met = 0;
	struct shard_walk w = { .position = 0 };
	struct entry *e;

	for (uint32_t n = 0; n < NUMBERS; n++)
		if ((e = find(n))) {
			found++;
			octets += (uint64_t)e->units * ENTRY_UNIT;
		}
	while ((e = shard_next(&shard, &w)))
		met++;
	EQ(shard.entries, found);
	EQ(shard.used, octets);
	EQ(met, found);
	EQ(stored, found + replaced + killed + shard.evicted);
}

static uint32_t chance(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*seed * below >> 32);
}

/* ---- finding ---- */

CASE(what_was_put_is_found_and_nothing_else)
{
	open_shard(SMALL);
	OK(!find(1));
	OK(put(1, 100));
	OK(find(1));
	for (uint32_t n = 2; n < 10; n++) /* DO, CD, group, name */
		OK(!find(n));
	check_all();
	close_shard();
}

/* Both groups, with and without DO and CD, of two names. */
#define COLLIDING 16

CASE(keys_that_collide_are_told_apart_by_all_that_is_in_them)
{
	struct key keys[COLLIDING];
	struct entry *e;

	open_shard(SMALL);
	for (uint32_t n = 0; n < COLLIDING; n++) {
		keys[n] = key_of(n);
		keys[n].hash = 42;
		OK(!shard_find(&shard, &keys[n]));
		e = shard_put(&shard, &keys[n], IN_FRONT + keys[n].len);
		OK(e);
		memcpy(e->bytes + IN_FRONT, keys[n].question, keys[n].len);
		e->since_ms = n;
	}
	for (uint32_t n = 0; n < COLLIDING; n += 3) /* both ends, and in the middle */
		shard_kill(&shard, shard_find(&shard, &keys[n]));
	for (uint32_t n = 0; n < COLLIDING; n++) {
		e = shard_find(&shard, &keys[n]);
		EQ(e != NULL, n % 3 != 0);
		OK(!e || e->since_ms == n);
	}
	EQ(shard.entries, COLLIDING - (COLLIDING + 2) / 3);
	close_shard();
}

CASE(what_is_put_again_takes_the_place_of_what_was_there)
{
	open_shard(SMALL);
	put(1, 100);
	put(2, 100);
	put(1, 300);
	put(1, 30);
	OK(find(1) && find(2));
	EQ(shard.entries, 2);
	check_all();
	close_shard();
}

CASE(what_was_killed_is_not_found_and_can_be_put_again)
{
	open_shard(SMALL);
	put(1, 100);
	put(2, 100);
	drop(1);
	OK(!find(1) && find(2));
	check_all();
	put(1, 50);
	OK(find(1));
	check_all();
	close_shard();
}

CASE(after_all_were_killed_there_is_room_for_as_many)
{
	open_shard(SMALL);
	for (int turn = 0; turn < 3; turn++) {
		for (uint32_t n = 0; n < 200; n++)
			OK(put(n, 100));
		EQ(shard.evicted, 0);
		check_all();
		shard_kill_all(&shard);
		killed += 200;
		for (uint32_t n = 0; n < 200; n++)
			model[n].alive = false;
		check_all();
		EQ(shard.entries, 0);
	}
	close_shard();
}

/* ---- who has to go ---- */

/* Enters so many that were never there before, from a number on, each once. */
static uint32_t flood(uint32_t from, uint32_t count)
{
	for (uint32_t n = from; n < from + count; n++)
		OK(put(n, 100));
	return from + count;
}

/* As many until the main ring is full: the first one has to go. */
static uint32_t flood_until_full(uint32_t from)
{
	while (!shard.evicted)
		from = flood(from, 1);
	return from;
}

CASE(nobody_has_to_go_while_there_is_room)
{
	open_shard(SMALL);
	flood_until_full(0);
	OK(shard.used > SMALL * 8 / 10); /* the rest are tables, and what no entry fits into */
	check_all();
	close_shard();
}

CASE(a_flood_drives_out_itself_and_nobody_who_is_asked_for)
{
	open_shard(SMALL);
	uint32_t next = flood_until_full(0);
	uint32_t popular = next;

	put(next++, 100);
	ask(popular);
	ask(popular);
	next = flood(next, 2500);
	OK(find(popular));
	OK(!find(popular + 1));
	check_all();
	close_shard();
}

CASE(once_is_not_enough_to_stay)
{
	open_shard(SMALL);
	uint32_t next = flood_until_full(0);
	uint32_t seldom = next;

	put(next++, 100);
	ask(seldom);
	flood(next, 1000);
	OK(!find(seldom));
	close_shard();
}

CASE(who_had_to_go_a_moment_ago_stays_if_it_comes_again)
{
	open_shard(SMALL);
	uint32_t next = flood_until_full(0);
	uint32_t again = next;

	put(next++, 100);
	while (find(again))
		next = flood(next, 1);
	put(again, 100); /* with its ghost, into the main ring */
	flood(next, 1500);
	OK(find(again));
	check_all();
	close_shard();
}

CASE(what_is_put_again_stays_in_its_ring)
{
	open_shard(SMALL);
	uint32_t next = flood_until_full(0);
	uint32_t in_main = next++, in_small;

	put(in_main, 100);
	while (find(in_main))
		next = flood(next, 1);
	put(in_main, 100);
	put(in_main, 100);
	in_small = next++;
	put(in_small, 100);
	put(in_small, 100);
	flood(next, 1500);
	OK(find(in_main));
	OK(!find(in_small));
	close_shard();
}

CASE(after_all_were_killed_nobody_is_known)
{
	open_shard(SMALL);
	uint32_t next = flood_until_full(0);
	uint32_t gone = next;

	put(next++, 100);
	while (find(gone))
		next = flood(next, 1);
	shard_kill_all(&shard);
	shard.evicted = 0;
	next = flood_until_full(next);
	put(gone, 100); /* as if for the first time */
	flood(next, 1000);
	OK(!find(gone));
	close_shard();
}

CASE(who_is_asked_for_outlasts_in_the_main_ring_who_is_not)
{
	open_shard(SMALL);
	uint32_t next = flood_until_full(0), in_main = next * 8 / 10;

	for (uint32_t n = 0; n < in_main; n += 2)
		ask(n);
	/* Large ones go to the main ring at once. */
	for (uint32_t n = 3000; shard.evicted < in_main / 3; n++)
		put(n, 1600);
	uint32_t asked = 0, others = 0;

	for (uint32_t n = 0; n < in_main; n++) {
		if (n % 2)
			others += find(n) != NULL;
		else
			asked += find(n) != NULL;
	}
	OK(asked > 2 * others);
	check_all();
	close_shard();
}

CASE(what_is_too_large_is_refused_and_what_there_was_has_gone)
{
	open_shard(SMALL);
	const size_t most = (size_t)shard.main.units / 4 * ENTRY_UNIT - sizeof(struct entry);

	put(1, 100);
	OK(put(1, most));
	OK(find(1));
	OK(!put(1, most + 1));
	OK(!find(1));
	EQ(shard.refused, 1);
	check_all();
	for (uint32_t n = 0; n < 50; n++)
		OK(put(n, most - n));
	check_all();
	close_shard();
}

CASE(hits_are_counted_up_to_their_bounds_and_anew_for_what_is_put_again)
{
	open_shard(SMALL);
	put(1, 100);
	for (int i = 0; i < 300; i++)
		ask(1);
	EQ(find(1)->hits, 255);
	EQ(find(1)->asked, ENTRY_ASKED_MAX);
	put(1, 100);
	EQ(find(1)->hits, 0);
	EQ(find(1)->asked, ENTRY_ASKED_MAX); /* its name is as popular as before */
	close_shard();
}

/* ---- walks ---- */

static uint32_t number_of(const struct entry *e)
{
	const uint8_t *name = entry_question(e);
	uint32_t n = 0;

	for (int i = 4; i > 0; i--)
		n = n << 4 | (uint32_t)(name[i] - 'a');
	return n << 3 | (uint32_t)(e->checking_disabled << 2 | e->dnssec_ok << 1 | e->group);
}

CASE(a_walk_that_kills_whom_it_meets_leaves_nobody)
{
	struct shard_walk w = { .position = 0 };
	struct entry *e;

	open_shard(SMALL);
	flood(0, 1000);
	while ((e = shard_next(&shard, &w)))
		drop(number_of(e));
	EQ(shard.entries, 0);
	EQ(shard.used, 0);
	check_all();
	close_shard();
}

CASE(a_walk_while_others_come_and_go_ends_and_meets_all_who_stay)
{
	static bool before[NUMBERS], met[NUMBERS];
	struct shard_walk w = { .position = 0 };
	uint32_t next = 1000, steps = 0;
	struct entry *e;

	open_shard(SMALL);
	memset(met, 0, sizeof met);
	flood(0, next);
	for (uint32_t n = 0; n < NUMBERS; n++)
		before[n] = find(n);
	while ((e = shard_next(&shard, &w))) {
		OK(!e->dead);
		met[number_of(e)] = true;
		if (++steps % 3 == 0 && next < NUMBERS)
			next = flood(next, 1);
	}
	for (uint32_t n = 0; n < NUMBERS; n++)
		OK(met[n] || !before[n] || !find(n));
	close_shard();
}

CASE(a_walk_ends_where_all_were_killed_meanwhile)
{
	struct shard_walk w = { .position = 0 };

	open_shard(SMALL);
	flood(0, 1000);
	for (int i = 0; i < 5; i++)
		OK(shard_next(&shard, &w));
	shard_kill_all(&shard);
	memset(model, 0, sizeof model);
	OK(!shard_next(&shard, &w));
	close_shard();
}

/* ---- long runs ---- */

/* Most are short, some up to the longest, a few beyond. */
static size_t draw_size(uint32_t *random)
{
	size_t most = (size_t)shard.main.units / 4 * ENTRY_UNIT;
	uint32_t at_least = IN_FRONT + 10; /* the question */

	switch (chance(random, 40)) {
	case 0:
		return at_least + chance(random, (uint32_t)(most + most / 8));
	case 1:
		return at_least + chance(random, (uint32_t)(most / 16));
	default:
		return at_least + chance(random, 300);
	}
}

static void do_something(uint32_t *random)
{
	uint32_t of = chance(random, 4) ? NUMBERS / 16 : NUMBERS; /* some are popular */
	uint32_t n = chance(random, of), what = chance(random, 1000);
	struct entry *e = find(n);

	if (what == 0) {
		killed += shard.entries;
		shard_kill_all(&shard);
		for (n = 0; n < NUMBERS; n++)
			model[n].alive = false;
	} else if (what < 50) {
		drop(n);
	} else if (e && what < 900) {
		shard_touch(e);
	} else {
		put(n, draw_size(random));
	}
}

CASE(in_a_long_run_what_is_found_was_put_last_and_counts_agree)
{
	for (uint32_t seed = 0; seed < 6; seed++) {
		uint32_t random = seed;

		open_shard(SMALL << seed % 3 << seed % 2);
		for (int i = 0; i < 40000; i++) {
			do_something(&random);
			if (i % 2000 == 0)
				check_all();
		}
		OK(shard.evicted > 0);
		check_all();
		close_shard();
	}
}

CASE(any_size_of_memory_from_a_page_on_is_enough_for_some)
{
	for (size_t size = PAGE; size <= SMALL; size += PAGE) {
		uint32_t random = (uint32_t)size;

		open_shard(size);
		for (int i = 0; i < 2000; i++)
			put(chance(&random, 200), IN_FRONT + 10 + chance(&random, 200));
		OK(shard.entries > 0);
		check_all();
		close_shard();
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_was_put_is_found_and_nothing_else),
		CLAIM(keys_that_collide_are_told_apart_by_all_that_is_in_them),
		CLAIM(what_is_put_again_takes_the_place_of_what_was_there),
		CLAIM(what_was_killed_is_not_found_and_can_be_put_again),
		CLAIM(after_all_were_killed_there_is_room_for_as_many),
		CLAIM(nobody_has_to_go_while_there_is_room),
		CLAIM(a_flood_drives_out_itself_and_nobody_who_is_asked_for),
		CLAIM(once_is_not_enough_to_stay),
		CLAIM(who_had_to_go_a_moment_ago_stays_if_it_comes_again),
		CLAIM(what_is_put_again_stays_in_its_ring),
		CLAIM(after_all_were_killed_nobody_is_known),
		CLAIM(who_is_asked_for_outlasts_in_the_main_ring_who_is_not),
		CLAIM(what_is_too_large_is_refused_and_what_there_was_has_gone),
		CLAIM(hits_are_counted_up_to_their_bounds_and_anew_for_what_is_put_again),
		CLAIM(a_walk_that_kills_whom_it_meets_leaves_nobody),
		CLAIM(a_walk_while_others_come_and_go_ends_and_meets_all_who_stay),
		CLAIM(a_walk_ends_where_all_were_killed_meanwhile),
		CLAIM(in_a_long_run_what_is_found_was_put_last_and_counts_agree),
		CLAIM(any_size_of_memory_from_a_page_on_is_enough_for_some),
	};

	return RUN(cases);
}
