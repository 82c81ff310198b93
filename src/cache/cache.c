#include "cache/cache.h"

#include "base/bug.h"
#include "cache/shard.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* From here on, memory is taken in large pages: to look up where small ones are is a quarter of
 * what it costs to find an answer among ten million. For less, a few of them would be enough. */
#define LARGE (2ull << 30)

enum {
	SHARDS_MAX = 16, /* a power of two */
	SHARD_SIZE_MIN = 4 << 20, /* with less, there are fewer */
	WALK_STEP = 256, /* entries looked at while a lock is held */

	RETRY_MS = 1000, /* after a first failure (RFC 9520 §3.2) */
	RETRY_STALE_MS = 30000, /* while there is an answer all the same (RFC 8767 §5) */
	RETRY_BACK_OFF_MAX = 16, /* doublings */

	/* A short life is not worth a refresh; in which part of a longer one, and for whom. */
	PREFETCH_LIFETIME_S = 10,
	PREFETCH_PART = 10,
	PREFETCH_HITS = 3,
};

struct locked_shard {
	_Alignas(64) pthread_mutex_t lock;
	struct shard shard;
};

struct cache {
	atomic_uint stale_ms, failure_ms; /* of cache_conf */
	atomic_bool prefetch;
	struct siphash_key key;
	uint8_t *memory;
	size_t size;
	unsigned count; /* of shards, a power of two */
	struct locked_shard *shards;
	atomic_bool flushed; /* ever */
};

static struct locked_shard *shard_of(struct cache *c, uint64_t hash)
{
	return &c->shards[(hash >> 60) & (c->count - 1)];
}

/* ---- life ---- */

static unsigned shard_count(uint64_t size)
{
	unsigned n = 1;

	while (n < SHARDS_MAX && size / (2 * n) >= SHARD_SIZE_MIN)
		n *= 2;
	return n;
}

struct cache *cache_new(const struct cache_conf *conf, const struct siphash_key *key)
{
	struct cache *c = calloc(1, sizeof *c);

	if (!c || conf->size < CACHE_SIZE_MIN)
		goto fail;
	cache_tune(c, conf);
	c->size = conf->size;
	c->count = shard_count(conf->size);
	c->shards = aligned_alloc(64, c->count * sizeof *c->shards);
	if (!c->shards)
		goto fail;
	c->memory = mmap(NULL, c->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->memory == MAP_FAILED)
		goto fail;
	if (c->size >= LARGE)
		madvise(c->memory, c->size, MADV_HUGEPAGE); /* if there are none, so be it */
	c->key = *key;
	size_t each = c->size / c->count / 4096 * 4096;

	for (unsigned i = 0; i < c->count; i++) {
		pthread_mutex_init(&c->shards[i].lock, NULL);
		shard_init(&c->shards[i].shard, c->memory + i * each, each);
	}
	return c;

fail:
	if (c)
		free(c->shards);
	free(c);
	return NULL;
}

void cache_tune(struct cache *c, const struct cache_conf *conf)
{
	c->stale_ms = conf->stale_ms;
	c->failure_ms = conf->failure_ms;
	c->prefetch = conf->prefetch;
}

struct pack_limits cache_limits(const struct cache_conf *conf)
{
	return (struct pack_limits){ .ttl_min_s = conf->ttl_min_ms / 1000,
		.ttl_max_s = conf->ttl_max_ms / 1000,
		.negative_max_s = conf->negative_max_ms / 1000 };
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->count; i++)
		pthread_mutex_destroy(&c->shards[i].lock);
	munmap(c->memory, c->size);
	free(c->shards);
	free(c);
}

const struct siphash_key *cache_siphash_key(const struct cache *c)
{
	return &c->key;
}

/* ---- finding ---- */

static enum freshness freshness_of(
	const struct cache *c, const struct entry *e, bool fresh_only, int64_t now)
{
	int64_t over = now - entry_expires_ms(e);

	if (e->worth == WORTH_FAILURE)
		return now < e->retry_ms ? CACHE_FAILURE : CACHE_MISS;
	if (over < 0)
		return CACHE_FRESH;
	return over < c->stale_ms && !fresh_only ? CACHE_STALE : CACHE_MISS;
}

static bool should_refresh(const struct cache *c, const struct entry *e, int64_t now)
{
	int64_t left = entry_expires_ms(e) - now;

	return c->prefetch && !e->refreshing && e->hits >= PREFETCH_HITS &&
		e->lifetime_s >= PREFETCH_LIFETIME_S && now >= e->retry_ms &&
		left <= (int64_t)e->lifetime_s * (1000 / PREFETCH_PART);
}

static void take(const struct entry *e, int64_t now, struct found *found)
{
	found->packed = entry_packed(e);
	packed_move(&found->packed, found->memory);
	/* What another loop has stored may be of a later turn than ours. */
	found->age_s = now > e->since_ms ? (uint32_t)((now - e->since_ms) / 1000) : 0;
	found->failed = now < e->retry_ms;
}

/* The entry of a key; of the key of a name, only one that holds for all types. */
static struct entry *find(const struct shard *s, const struct key *k, bool of_name)
{
	struct entry *e = shard_find(s, k);

	return e && (!of_name || e->worth == WORTH_NXDOMAIN) ? e : NULL;
}

/* Locks the shard of a key, and finds its entry there. */
static struct entry *lock(struct cache *c, const struct key *k, bool of_name)
{
	struct locked_shard *s = shard_of(c, k->hash);

	pthread_mutex_lock(&s->lock);
	return find(&s->shard, k, of_name);
}

static void unlock(struct cache *c, const struct key *k)
{
	pthread_mutex_unlock(&shard_of(c, k->hash)->lock);
}

/* How something is looked for. */
struct search {
	int64_t now;
	bool peeks; /* it is no request for what is found */
};

/* Takes what is in one place, if it is better than what was found before. */
static void look(struct cache *c, const struct key *k, bool of_name, const struct search *s,
	struct found *found)
{
	struct entry *e = lock(c, k, of_name);
	enum freshness f = e ? freshness_of(c, e, k->fresh_only, s->now) : CACHE_MISS;

	if (f < found->freshness) {
		found->freshness = f;
		if (!s->peeks)
			shard_touch(e);
		take(e, s->now, found);
		found->refresh = f == CACHE_FRESH && !s->peeks && should_refresh(c, e, s->now);
	}
	unlock(c, k);
}

/* Not inlined, so that who finds what it looks for has no key of a name on its stack. */
__attribute__((noinline)) static void look_for_name(
	struct cache *c, const struct key *k, const struct search *s, struct found *found)
{
	struct key name;

	key_of_name(&name, &c->key, k);
	look(c, &name, true, s, found);
}

static void find_best(
	struct cache *c, const struct key *k, const struct search *s, struct found *found)
{
	found->freshness = CACHE_MISS;
	look(c, k, false, s, found);
	if (found->freshness != CACHE_FRESH)
		look_for_name(c, k, s, found);
}

void cache_find(struct cache *c, const struct key *k, int64_t now_ms, struct found *found)
{
	const struct search s = { .now = now_ms };

	find_best(c, k, &s, found);
}

void cache_peek(struct cache *c, const struct key *k, int64_t now_ms, struct found *found)
{
	const struct search s = { .now = now_ms, .peeks = true };

	find_best(c, k, &s, found);
}

static bool is_fresh(struct cache *c, const struct key *k, bool of_name, int64_t now)
{
	const struct entry *e = lock(c, k, of_name);
	bool fresh = e && freshness_of(c, e, false, now) == CACHE_FRESH;

	unlock(c, k);
	return fresh;
}

bool cache_is_fresh(struct cache *c, const struct key *k, int64_t now_ms)
{
	struct key name;

	key_of_name(&name, &c->key, k);
	return is_fresh(c, k, false, now_ms) || is_fresh(c, &name, true, now_ms);
}

/* True: it is ours to refresh. *there: there is an entry. */
static bool claim(struct cache *c, const struct key *k, bool of_name, bool *there)
{
	struct entry *e = lock(c, k, of_name);
	bool claimed = e && !e->refreshing;

	if (claimed)
		e->refreshing = true;
	*there = e;
	unlock(c, k);
	return claimed;
}

bool cache_claim_refresh(struct cache *c, const struct key *k)
{
	struct key name;
	bool there;

	bool claimed = claim(c, k, false, &there);

	if (there)
		return claimed;
	key_of_name(&name, &c->key, k);
	return claim(c, &name, true, &there);
}

/* ---- storing ---- */

static void fill(struct entry *e, const struct key *k, const struct packed *p, int64_t since_ms)
{
	struct packed moved = *p;

	packed_move(&moved, e->bytes);
	e->since_ms = since_ms;
	e->lifetime_s = p->lifetime_s;
	e->message_len = (uint16_t)p->message.len;
	e->ttl_count = p->ttl_count;
	e->errors_len = (uint16_t)p->errors.len;
	e->rcode = p->rcode;
	e->holds = p->holds;
	e->worth = (uint8_t)p->worth;
	memcpy(e->bytes + 2 * e->ttl_count + DNS_HEADER, k->question, k->len);
}

/* The new entry; NULL: it is too large, and there is none of this key now. */
static struct entry *put(
	struct shard *s, const struct key *k, const struct packed *p, int64_t since_ms)
{
	struct entry *e = shard_put(s, k, packed_size(p));

	if (e)
		fill(e, k, p, since_ms);
	return e;
}

static void drop(struct cache *c, const struct key *k, bool of_name)
{
	struct entry *e = lock(c, k, of_name);

	if (e)
		shard_kill(&shard_of(c, k->hash)->shard, e);
	unlock(c, k);
}

static bool is_kept(const struct packed *p)
{
	return p->lifetime_s > 0 && p->worth != WORTH_NOTHING && p->worth != WORTH_FAILURE &&
		packed_size(p) <= CACHE_ENTRY_MAX;
}

void cache_store(struct cache *c, const struct key *k, const struct packed *p, int64_t now_ms)
{
	bool of_name = p->worth == WORTH_NXDOMAIN;
	struct key name;

	if (get_u16(p->message.at + 2) & DNS_TC)
		return; /* half an answer is no news */
	key_of_name(&name, &c->key, k);
	drop(c, of_name ? k : &name, !of_name);

	const struct key *at = of_name ? &name : k;
	struct locked_shard *s = shard_of(c, at->hash);

	pthread_mutex_lock(&s->lock);
	if (is_kept(p))
		put(&s->shard, at, p, now_ms);
	s->shard.refused += packed_size(p) > CACHE_ENTRY_MAX;
	pthread_mutex_unlock(&s->lock);
	if (!is_kept(p))
		drop(c, at, of_name);
}

/* Asking for what there is a good answer to has failed. False: there is none. */
static bool note_failure(struct cache *c, const struct key *k, bool of_name, int64_t now)
{
	struct entry *e = lock(c, k, of_name);
	bool good = e && freshness_of(c, e, k->fresh_only, now) < CACHE_FAILURE;

	if (good) {
		e->retry_ms = now + RETRY_STALE_MS;
		e->refreshing = false;
	}
	unlock(c, k);
	return good;
}

/* How long it is remembered that asking has failed so often. */
static int64_t pause_ms(const struct cache *c, unsigned failures)
{
	unsigned doublings = failures <= RETRY_BACK_OFF_MAX ? failures - 1 : RETRY_BACK_OFF_MAX;
	int64_t pause = (int64_t)RETRY_MS << doublings, most = c->failure_ms;

	return pause < most ? pause : most;
}

/* How often in a row it failed before, so lately that the next time is a failure to recover. */
static unsigned failures_before(const struct cache *c, const struct entry *e, int64_t now)
{
	if (!e || e->worth != WORTH_FAILURE || now - e->retry_ms > 2 * (int64_t)c->failure_ms)
		return 0;
	return e->failures;
}

void cache_store_failure(struct cache *c, const struct key *k, const struct packed *p,
	bool server_said, int64_t now_ms)
{
	struct locked_shard *s = shard_of(c, k->hash);
	struct key name;

	key_of_name(&name, &c->key, k);
	if (note_failure(c, k, false, now_ms) || note_failure(c, &name, true, now_ms))
		return;
	pthread_mutex_lock(&s->lock);
	struct entry *e = shard_find(&s->shard, k);
	unsigned failures = failures_before(c, e, now_ms);
	bool remembered = failures > 0 && now_ms < e->retry_ms;

	failures = server_said ? failures + (failures < UINT8_MAX) : 1;
	if (!remembered && (e = put(&s->shard, k, p, now_ms))) {
		e->failures = (uint8_t)failures;
		e->retry_ms = now_ms + pause_ms(c, failures);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- for people ---- */

/* What is done to an entry, its shard locked. */
typedef void step_fn(struct shard *, struct entry *, void *arg);

/* Visits all entries of a shard; the lock is let go now and then. */
static void walk(struct locked_shard *s, step_fn *step, void *arg)
{
	struct shard_walk at = { .position = 0 };
	struct entry *e;

	do {
		pthread_mutex_lock(&s->lock);
		for (int i = 0; i < WALK_STEP && (e = shard_next(&s->shard, &at)); i++)
			step(&s->shard, e, arg);
		pthread_mutex_unlock(&s->lock);
	} while (e);
}

struct counting {
	const struct cache *cache;
	int64_t now_ms;
	struct cache_stats *stats;
};

static void count_expired(struct shard *s, struct entry *e, void *arg)
{
	struct counting *c = arg;

	(void)s;
	c->stats->expired += freshness_of(c->cache, e, false, c->now_ms) == CACHE_STALE;
}

void cache_count(struct cache *c, int64_t now_ms, struct cache_stats *stats)
{
	struct counting counting = { c, now_ms, stats };

	*stats = (struct cache_stats){ .size = c->size };
	for (unsigned i = 0; i < c->count; i++) {
		struct locked_shard *s = &c->shards[i];

		walk(s, count_expired, &counting);
		pthread_mutex_lock(&s->lock);
		stats->used += s->shard.used;
		stats->entries += s->shard.entries;
		stats->evicted += s->shard.evicted;
		stats->refused += s->shard.refused;
		pthread_mutex_unlock(&s->lock);
	}
}

static void show(
	const struct cache *c, const struct entry *e, struct cache_entry *shown, void *memory)
{
	struct key_scope scope = { e->group, e->dnssec_ok, e->checking_disabled };
	struct question q;

	shown->packed = entry_packed(e);
	packed_move(&shown->packed, memory);
	shown->since_ms = e->since_ms;
	shown->hits = e->hits;
	q = packed_question(&shown->packed);
	key_make(&shown->key, &c->key, &q, &scope);
}

int cache_each(struct cache *c, bool (*visit)(void *arg, const struct cache_entry *), void *arg)
{
	struct cache_entry shown;
	void *memory = malloc(PACKED_MAX);
	bool go_on = true;

	if (!memory)
		return -ENOMEM;
	for (unsigned i = 0; i < c->count; i++) {
		struct locked_shard *s = &c->shards[i];
		struct shard_walk at = { .position = 0 };
		struct entry *e;

		do {
			pthread_mutex_lock(&s->lock);
			e = shard_next(&s->shard, &at);
			if (e)
				show(c, e, &shown, memory);
			pthread_mutex_unlock(&s->lock);
			go_on = !e || visit(arg, &shown);
		} while (e && go_on);
		if (!go_on)
			break;
	}
	free(memory);
	return 0;
}

struct flushing {
	const uint8_t *name;
	size_t name_len;
	bool below;
	uint64_t count;
};

static void flush_if_named(struct shard *s, struct entry *e, void *arg)
{
	struct flushing *f = arg;
	const uint8_t *name = entry_question(e);
	size_t len = e->question_len - 4u;

	if (!f->below && len != f->name_len)
		return;
	if (!name_is_below(name, len, f->name, f->name_len))
		return;
	shard_kill(s, e);
	f->count++;
}

uint64_t cache_flush_name(struct cache *c, const uint8_t *name, size_t name_len, bool below)
{
	struct flushing f = { name, name_len, below, 0 };

	atomic_store(&c->flushed, true);
	for (unsigned i = 0; i < c->count; i++)
		walk(&c->shards[i], flush_if_named, &f);
	return f.count;
}

uint64_t cache_flush_all(struct cache *c)
{
	uint64_t count = 0;

	atomic_store(&c->flushed, true);
	for (unsigned i = 0; i < c->count; i++) {
		struct locked_shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		count += s->shard.entries;
		shard_kill_all(&s->shard);
		pthread_mutex_unlock(&s->lock);
	}
	return count;
}

bool cache_restore(struct cache *c, const struct key *k, const struct packed *p, int64_t since_ms)
{
	bool of_name = p->worth == WORTH_NXDOMAIN, kept = false;
	const struct key *at = k;
	struct key name;

	if (!is_kept(p))
		return false;
	if (of_name) {
		key_of_name(&name, &c->key, k);
		at = &name;
	}
	struct locked_shard *s = shard_of(c, at->hash);

	pthread_mutex_lock(&s->lock);
	const struct entry *e = shard_find(&s->shard, at);

	if (!atomic_load(&c->flushed) && (!e || e->worth == WORTH_FAILURE))
		kept = put(&s->shard, at, p, since_ms);
	pthread_mutex_unlock(&s->lock);
	return kept;
}
