/* What it costs to find an answer, by how many there are and how many threads look: the curve of
 * docs/performance.md.
 *
 *   cost ENTRIES THREADS SECONDS
 */
#include "cache/cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 64
/* Octets of cache for each entry, tables and all: no entry has to go. */
#define OCTETS_PER_ENTRY 224

static const struct siphash_key hash_key = { { 1, 2 } };
static const struct pack_limits limits = { 0, 86400, 3600 };
static struct cache *cache;
static uint64_t entries;
static unsigned seconds;

struct looker {
	pthread_t thread;
	uint64_t seed, finds, hits;
	double ns; /* of its processor's time */
};

static double now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A name for a number: NNNNNNNN.example.com, N from `a` on */
static size_t make_name(uint8_t name[NAME_MAX_WIRE], uint64_t n)
{
	static const uint8_t form[] = "\10........\7example\3com";

	memcpy(name, form, sizeof form);
	for (int i = 1; i <= 8; i++, n >>= 4)
		name[i] = (uint8_t)('a' + (n & 15));
	return sizeof form;
}

static void make(struct key *key, uint64_t n)
{
	uint8_t name[NAME_MAX_WIRE];
	struct question q = { name, make_name(name, n), TYPE_A, CLASS_IN };

	key_make(key, &hash_key, &q, &(struct key_scope){ .group = 0 });
}

static void store(uint64_t n, void *memory)
{
	static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1 };
	uint8_t message[512] = { [2] = 0x81, 0x80, 0, 1, 0, 1 };
	size_t len = DNS_HEADER + make_name(message + DNS_HEADER, n);
	struct packed packed;
	struct reply reply;
	struct key key;

	put_u16(message + len, TYPE_A);
	put_u16(message + len + 2, CLASS_IN);
	memcpy(message + len + 4, record, sizeof record);
	len += 4 + sizeof record;
	make(&key, n);
	if (!reply_parse((struct span){ message, len }, &reply) ||
		!pack_reply(&packed, memory, &reply, &limits))
		abort();
	cache_store(cache, &key, &packed, 0);
}

static void *look(void *arg)
{
	struct looker *l = arg;
	struct found found = { .memory = malloc(PACKED_MAX) };
	double end = now_ns(CLOCK_MONOTONIC) + seconds * 1e9, start;
	struct key key;

	if (!found.memory)
		abort();
	start = now_ns(CLOCK_THREAD_CPUTIME_ID);
	while (now_ns(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < 1000; i++, l->finds++) {
			l->seed = l->seed * 6364136223846793005 + 1442695040888963407;
			make(&key, (l->seed >> 33) % entries);
			cache_find(cache, &key, 1000, &found);
			l->hits += found.freshness == CACHE_FRESH;
		}
	l->ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	free(found.memory);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct looker lookers[THREADS_MAX];
	unsigned threads = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	uint64_t finds = 0, hits = 0;
	double ns = 0;

	if (threads < 1 || threads > THREADS_MAX || (entries = strtoull(argv[1], NULL, 10)) < 1)
		return 64;
	seconds = (unsigned)atoi(argv[3]);

	struct cache_conf conf = { .size = entries * OCTETS_PER_ENTRY + CACHE_SIZE_MIN };
	void *memory = malloc(PACKED_MAX);

	cache = cache_new(&conf, &hash_key);
	if (!cache || !memory)
		return 1;
	for (uint64_t n = 0; n < entries; n++)
		store(n, memory);
	for (unsigned i = 0; i < threads; i++) {
		lookers[i].seed = i;
		pthread_create(&lookers[i].thread, NULL, look, &lookers[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(lookers[i].thread, NULL);
		finds += lookers[i].finds;
		hits += lookers[i].hits;
		ns += lookers[i].ns;
	}
	printf("%llu entries, %u threads: %.0f ns of processor time per find, %.2f million finds/s, "
	       "%.2f %% hits\n",
		(unsigned long long)entries, threads, ns / (double)finds,
		(double)finds / seconds / 1e6, 100.0 * (double)hits / (double)finds);
	free(memory);
	cache_free(cache);
	return 0;
}
