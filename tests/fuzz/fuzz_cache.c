/* Whatever is done to the cache, it finds what was stored last, for as long as that holds, or
 * nothing: three octets of the input are one thing that is done, and a model knows the rest. */
#include "cache/cache.h"
#include "cache/shard.h"
#include "fuzz.h"

#include <string.h>

#define NAMES    16
#define TYPES    2
#define STALE_MS 20000
#define RECORD   12

static const struct cache_conf conf = {
	.size = CACHE_SIZE_MIN, .stale_ms = STALE_MS, .failure_ms = 5000, .prefetch = true
};
static const struct siphash_key secret = { { 1, 2 } };

/* What was stored last of a question, or of a name for all types; lifetime 0: nothing. */
struct known {
	int64_t since_ms;
	uint32_t lifetime_s;
	uint8_t version;
};

static struct {
	struct cache *cache;
	int64_t now_ms;
	struct known answer[NAMES][TYPES], none[NAMES];
	uint8_t version;
} run;

static struct key key_of(unsigned name, unsigned type)
{
	const uint8_t octets[] = { 1, (uint8_t)('a' + name), 0 };
	const struct question q = { octets, sizeof octets, (uint16_t)(TYPE_TXT + type), CLASS_IN };
	struct key k;

	key_make(&k, &secret, &q, &(struct key_scope){ .group = 0 });
	return k;
}

/* An answer of one record, whose octets are the version; NXDOMAIN has one as well, for simplicity.
 */
static const struct packed *pack(const struct key *k, enum worth worth, uint32_t ttl, size_t size)
{
	static uint8_t message[DNS_MESSAGE_MAX];
	static uint16_t ttl_at;
	static struct packed p;
	size_t at = DNS_HEADER + (size_t)k->len;

	memcpy(message + DNS_HEADER, k->question, k->len);
	memset(message + at, run.version, RECORD + size);
	ttl_at = (uint16_t)(at + 6);
	p = (struct packed){ .message = { message, at + RECORD + size },
		.ttl_at = &ttl_at,
		.ttl_count = worth != WORTH_FAILURE,
		.errors = { message, 0 },
		.rcode = worth == WORTH_NXDOMAIN ? RCODE_NXDOMAIN : 0,
		.worth = worth,
		.lifetime_s = worth == WORTH_FAILURE ? 0 : ttl };
	return &p;
}

static enum freshness freshness_of(const struct known *known)
{
	int64_t over = run.now_ms - known->since_ms - (int64_t)known->lifetime_s * 1000;

	if (!known->lifetime_s || over >= STALE_MS)
		return CACHE_MISS;
	return over < 0 ? CACHE_FRESH : CACHE_STALE;
}

/* Evicted it may be; but nothing else may be found, and nothing better. */
static void find(unsigned name, unsigned type)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	struct found found = { .memory = memory };
	const struct key k = key_of(name, type);

	cache_find(run.cache, &k, run.now_ms, &found);
	if (found.freshness >= CACHE_FAILURE)
		return;
	const struct known *known =
		found.packed.worth == WORTH_NXDOMAIN ? &run.none[name] : &run.answer[name][type];
	const struct span m = found.packed.message;

	HOLDS(freshness_of(known) == found.freshness);
	HOLDS(found.age_s == (run.now_ms - known->since_ms) / 1000);
	HOLDS(found.packed.lifetime_s == known->lifetime_s);
	HOLDS(memcmp(m.at + DNS_HEADER, k.question, k.len - 4u) == 0);
	HOLDS(m.at[m.len - 1] == known->version);
	/* All octets behind the question are the same. */
	const size_t at = DNS_HEADER + (size_t)k.len;

	HOLDS(memcmp(m.at + at, m.at + at + 1, m.len - at - 1) == 0);
}

static void store(unsigned name, unsigned type, bool none, unsigned how)
{
	const struct key k = key_of(name, type);
	const uint32_t ttl = how % 32;
	const size_t size = how & 32 ? (size_t)how * 250 : how;
	struct known *known = none ? &run.none[name] : &run.answer[name][type];

	run.version++;
	*known = (struct known){ run.now_ms, ttl, run.version };
	*(none ? &run.answer[name][type] : &run.none[name]) = (struct known){ .lifetime_s = 0 };
	cache_store(run.cache, &k, pack(&k, none ? WORTH_NXDOMAIN : WORTH_POSITIVE, ttl, size),
		run.now_ms);
}

static void fail(unsigned name, unsigned type, bool server_said)
{
	const struct key k = key_of(name, type);

	cache_store_failure(run.cache, &k, pack(&k, WORTH_FAILURE, 0, 0), server_said, run.now_ms);
}

static void forget(unsigned name)
{
	memset(run.answer[name], 0, sizeof run.answer[name]);
	run.none[name].lifetime_s = 0;
}

static void flush(unsigned name, bool all)
{
	const struct key k = key_of(name, 0);

	if (all)
		cache_flush_all(run.cache);
	else
		cache_flush_name(run.cache, k.question, k.len - 4u, false);
	for (unsigned n = 0; n < NAMES; n++)
		if (all || n == name)
			forget(n);
}

static bool on_visit(void *arg, const struct cache_entry *e)
{
	uint64_t *count = arg;

	HOLDS(key_question(&e->key).name_len == 3);
	++*count;
	return true;
}

/* What is counted is what is shown. */
static void count(void)
{
	struct cache_stats stats;
	uint64_t shown = 0;

	cache_count(run.cache, run.now_ms, &stats);
	HOLDS(cache_each(run.cache, on_visit, &shown) == 0);
	HOLDS(shown == stats.entries && stats.expired <= stats.entries);
	HOLDS(stats.used >= stats.entries * sizeof(struct entry) && stats.used < stats.size);
}

static void step(const uint8_t octets[3])
{
	unsigned name = octets[0] >> 4, type = octets[1] & 1, how = octets[2];

	switch (octets[0] & 15) {
	case 0:
		flush(name, how > 250);
		break;
	case 1:
		fail(name, type, how & 1);
		break;
	case 2:
		count();
		break;
	case 3:
	case 4:
		run.now_ms += (int64_t)how * how;
		break;
	case 5:
	case 6:
		store(name, type, true, how);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		store(name, type, false, how);
		break;
	default:
		find(name, type);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(&run, 0, sizeof run);
	run.cache = cache_new(&conf, &secret);
	HOLDS(run.cache);
	for (size_t i = 0; i + 3 <= len; i += 3) {
		step(data + i);
		find(data[i] >> 4, data[i + 1] & 1);
	}
	for (unsigned name = 0; name < NAMES; name++)
		for (unsigned type = 0; type < TYPES; type++)
			find(name, type);
	count();
	cache_free(run.cache);
	return 0;
}
