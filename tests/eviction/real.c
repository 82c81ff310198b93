/* The cache itself, behind the face of a policy. */
#include "policy.h"

#include "base/bug.h"
#include "cache/cache.h"
#include "dns/message.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS 1000
/* Octets of the record but its data; all names are as long as the first. */
#define RECORD 12
#define LABEL  "n00000000"

/* Always the same, so that every run is. */
static const struct siphash_key hash_key = { { 1, 2 } };

struct real {
	struct cache_conf conf;
	struct cache *cache;
	uint32_t beside; /* octets that an entry takes beside its message */
	uint8_t message[DNS_MESSAGE_MAX];
	_Alignas(uint64_t) uint8_t found[PACKED_MAX];
};

static size_t put_question(uint8_t *out, uint32_t name)
{
	out[0] = sizeof LABEL - 1;
	memcpy(out + 1, LABEL, sizeof LABEL); /* its end is the root */
	for (size_t i = sizeof LABEL - 1; name; name >>= 4)
		out[i--] = (uint8_t) "0123456789abcdef"[name % 16];
	put_u16(out + 1 + sizeof LABEL, 16); /* TXT IN */
	put_u16(out + 3 + sizeof LABEL, 1);
	return 5 + sizeof LABEL;
}

static void make_key(struct key *k, uint32_t name)
{
	uint8_t octets[sizeof LABEL + 5];
	size_t len = put_question(octets, name);
	const struct question q = { octets, len - 4, 16, 1 };

	key_make(k, &hash_key, &q, &(struct key_scope){ .group = 0 });
}

/* An answer of one record, so long that the message has size octets. */
static void store(struct real *r, const struct key *k, uint32_t name, size_t size)
{
	size_t at = DNS_HEADER + put_question(r->message + DNS_HEADER, name);
	const uint16_t ttl_at = (uint16_t)(at + 6);
	const struct packed packed = { .message = { r->message, size },
		.ttl_at = &ttl_at,
		.ttl_count = 1,
		.errors = { r->message, 0 },
		.worth = WORTH_POSITIVE,
		.lifetime_s = 3600 };

	MUST(size >= at + RECORD && size <= sizeof r->message);
	put_u16(r->message + 2, DNS_QR | DNS_RD | DNS_RA);
	put_u16(r->message + 4, 1);
	put_u16(r->message + 6, 1);
	put_u16(r->message + at, 0xc000 | DNS_HEADER);
	put_u16(r->message + at + 2, 16);
	put_u16(r->message + at + 4, 1);
	put_u32(r->message + at + 6, packed.lifetime_s);
	put_u16(r->message + at + 10, (uint16_t)(size - at - RECORD));
	cache_store(r->cache, k, &packed, NOW_MS);
}

/* Octets that an entry takes beside its message, as the cache counts them. */
static uint32_t measure(struct real *r)
{
	const size_t size = 128;
	struct cache_stats stats;
	struct key k;

	make_key(&k, 0);
	store(r, &k, 0, size);
	cache_count(r->cache, NOW_MS, &stats);
	MUST(stats.entries == 1 && stats.used > size && stats.used < size + 120);
	cache_flush_all(r->cache);
	return (uint32_t)(stats.used - size);
}

static void *real_open(const struct policy *p __attribute__((unused)), uint64_t octets,
	uint32_t names __attribute__((unused)))
{
	struct real *r = calloc(1, sizeof *r);

	MUST(r);
	r->conf = (struct cache_conf){ .size = octets, .ttl_max_ms = 86400000 };
	r->cache = cache_new(&r->conf, &hash_key);
	MUST(r->cache);
	r->beside = measure(r);
	return r;
}

static bool real_ask(void *arg, uint32_t name)
{
	struct real *r = arg;
	struct found found = { .memory = r->found };
	struct key k;

	make_key(&k, name);
	cache_find(r->cache, &k, NOW_MS, &found);
	if (found.freshness != CACHE_MISS)
		return true;
	store(r, &k, name, trace_size(name) - r->beside);
	return false;
}

static void real_close(void *arg)
{
	struct real *r = arg;

	cache_free(r->cache);
	free(r);
}

const struct policy policy_real = { "the cache", real_open, real_ask, real_close, { 0 } };
