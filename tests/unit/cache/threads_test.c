/* The cache, used by several threads at once. What is claimed here is little; a sanitizer for
 * threads sees the rest. */
#include "cache/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"

#define THREADS  4
#define NAMES    64
#define VERSIONS 3
#define TURNS    3000

static struct cache_conf conf = {
	.size = CACHE_SIZE_MIN, .stale_ms = 60000, .failure_ms = 5000, .prefetch = true
};
static struct cache *cache;

/* Of each name: its key, and what is said of it; the version is the last octet of the message, and
 * what is before it, padding of that. */
static struct key keys[NAMES];
static struct packed answers[NAMES][VERSIONS], nones[NAMES], failures[NAMES];
static atomic_uint found_fresh, found_wrong;

static void *kept(struct said *s)
{
	void *memory = malloc(packed_size(&s->packed));

	OK(memory);
	packed_move(&s->packed, memory);
	return memory;
}

/* Texts of hundreds of octets, so that some have to go. */
static void say_text(struct said *s, const char *name, unsigned n, uint8_t version)
{
	uint8_t text[2048];
	size_t len = 500 + 20 * (size_t)n + 100 * (size_t)version;

	memset(text, version, len);
	say_question(s, name, TYPE_TXT, RCODE_NOERROR);
	wire_record(&s->wire, SECTION_ANSWER, TO_QUESTION, TYPE_TXT, CLASS_IN, 10 + n,
		(struct span){ text, len });
	said(s, RCODE_NOERROR, 10 + n);
}

static void prepare(void **memories)
{
	static struct said s;

	for (unsigned n = 0; n < NAMES; n++) {
		char name[] = { (char)('a' + n / 26), (char)('a' + n % 26), 0 };

		keys[n] = key_of(name, TYPE_TXT);
		for (uint8_t version = 0; version < VERSIONS; version++) {
			say_text(&s, name, n, version);
			*memories++ = kept(&s);
			answers[n][version] = s.packed;
		}
		say_none(&s, name, TYPE_TXT, RCODE_NXDOMAIN, 10);
		*memories++ = kept(&s);
		nones[n] = s.packed;
		say_failure(&s, name, NULL);
		*memories++ = kept(&s);
		failures[n] = s.packed;
	}
}

/* It is one of what was stored, and whole. */
static bool is_whole(const struct found *f, unsigned n)
{
	const struct span m = f->packed.message;
	uint8_t version = m.at[m.len - 1];

	if (f->packed.worth == WORTH_NXDOMAIN)
		return m.len == nones[n].message.len;
	if (f->packed.worth == WORTH_FAILURE)
		return m.len == failures[n].message.len;
	if (version >= VERSIONS || m.len != answers[n][version].message.len)
		return false;
	const struct span stored = answers[n][version].message;

	return memcmp(m.at + DNS_HEADER, stored.at + DNS_HEADER, m.len - DNS_HEADER) == 0;
}

static bool on_visit(void *arg, const struct cache_entry *e)
{
	unsigned *left = arg;

	found_wrong += e->packed.message.len < DNS_HEADER + 4;
	return --*left > 0;
}

static void do_rarely(unsigned what, unsigned n)
{
	struct question q = key_question(&keys[n]);
	struct cache_stats stats;
	unsigned left = 50;

	switch (what) {
	case 0:
		cache_flush_all(cache);
		break;
	case 1:
		cache_flush_name(cache, q.name, q.name_len, true);
		break;
	case 2:
		cache_each(cache, on_visit, &left);
		break;
	case 3:
		cache_restore(cache, &keys[n], &answers[n][0], T - S);
		break;
	default:
		cache_count(cache, T, &stats);
	}
}

static void *run(void *arg)
{
	uint32_t random = *(uint32_t *)arg;
	struct found found = { .memory = malloc(PACKED_MAX) };

	for (int64_t i = 0; found.memory && i < TURNS; i++) {
		random = random * 1664525 + 1013904223;
		unsigned n = random >> 8 & (NAMES - 1), what = random >> 16 & 63;

		if (what < 5 && random >> 31)
			do_rarely(what, n);
		else if (what < 20)
			cache_store(cache, &keys[n], &answers[n][what % VERSIONS], T + i);
		else if (what < 22)
			cache_store(cache, &keys[n], &nones[n], T + i);
		else if (what < 24)
			cache_store_failure(cache, &keys[n], &failures[n], true, T + i);
		cache_find(cache, &keys[n], T + i, &found);
		if (found.freshness == CACHE_MISS)
			continue;
		found_fresh += found.freshness == CACHE_FRESH;
		found_wrong += !is_whole(&found, n);
	}
	free(found.memory);
	return NULL;
}

CASE(threads_that_store_flush_and_look_find_whole_answers)
{
	static void *memories[NAMES * (VERSIONS + 2)];
	pthread_t threads[THREADS];
	uint32_t seeds[THREADS];
	struct cache_stats stats;

	prepare(memories);
	cache = cache_new(&conf, &secret);
	OK(cache);
	for (uint32_t i = 0; i < THREADS; i++) {
		seeds[i] = i + 1;
		EQ(pthread_create(&threads[i], NULL, run, &seeds[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		EQ(pthread_join(threads[i], NULL), 0);
	EQ(found_wrong, 0);
	OK(found_fresh > THREADS * TURNS / 4);
	cache_count(cache, T, &stats);
	EQ(cache_flush_all(cache), stats.entries);
	cache_free(cache);
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++)
		free(memories[i]);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(threads_that_store_flush_and_look_find_whole_answers),
	};

	return RUN(cases);
}
