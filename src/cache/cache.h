/* cache: packed answers by question, for all workers.
 *
 * Everything is in memory that was asked for once, cache_conf.size octets of it: answers, tables,
 * and what is needed to choose who has to go (S3-FIFO, docs/decisions/007-the-cache.md). It is cut
 * into shards, each with a lock that is held for as long as one answer takes to be copied, and
 * never over a system call; no other file sees the locks. Every function may be called from any
 * thread.
 *
 * Time is in milliseconds since the host started, by a clock that goes on while it sleeps
 * (loop_since_boot()), never the wall clock's.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/key.h"
#include "dns/pack.h"

/* Below this there is no cache. */
#define CACHE_SIZE_MIN (256 * 1024)
/* An answer that takes more than this is relayed, not kept. */
#define CACHE_ENTRY_MAX (64 * 1024)

struct cache_conf {
	uint64_t size; /* octets, everything counted; 0: no cache */
	unsigned ttl_min_ms, ttl_max_ms, negative_max_ms; /* bounds of TTLs; whole seconds count */
	unsigned
		stale_ms; /* for so long, what has expired is of use when there is nothing better */
	unsigned stale_after_ms; /* a client that could have it waits for better for so long */
	unsigned failure_ms; /* the longest that a failure is remembered (RFC 9520 §3.2) */
	bool prefetch; /* what is popular is asked for again before it expires */
};

struct cache;

/* NULL: out of memory, or size is below CACHE_SIZE_MIN. Nothing is borrowed; the key is that of all
 * hashes. */
struct cache *cache_new(const struct cache_conf *, const struct siphash_key *);
/* NULL is nothing. */
void cache_free(struct cache *);

/* Other bounds hold from here on, but for the size. In any thread, also while others use it. */
void cache_tune(struct cache *, const struct cache_conf *);

/* What they say of the TTLs of answers. */
struct pack_limits cache_limits(const struct cache_conf *);

const struct siphash_key *cache_siphash_key(const struct cache *);

/* The best first. */
enum freshness {
	CACHE_FRESH,
	CACHE_STALE, /* expired, but less than cache_conf.stale_ms ago */
	CACHE_FAILURE, /* asking failed a moment ago, and there is nothing better */
	CACHE_MISS
};

struct found {
	void *memory; /* given by the caller, as of pack_reply() */
	enum freshness freshness;
	struct packed packed; /* unless CACHE_MISS; in that memory */
	uint32_t age_s; /* since its TTLs were right */
	bool refresh; /* FRESH: it is time to ask for it again */
	bool failed; /* STALE: asking failed a moment ago, so there is no use in trying now */
};

/* Finds what is best known: an answer to the question, or that its name does not exist, when the
 * type of the packed question is another one. */
void cache_find(struct cache *, const struct key *, int64_t now_ms, struct found *);

/* The same for who only wants to know: it is no request for it, and it is no time to refresh. */
void cache_peek(struct cache *, const struct key *, int64_t now_ms, struct found *);

/* Would that be CACHE_FRESH? It is no request for it. */
bool cache_is_fresh(struct cache *, const struct key *, int64_t now_ms);
/* Who was told to refresh asks for it, unless somebody does already: false. */
bool cache_claim_refresh(struct cache *, const struct key *);

/* Keeps an answer, if it is worth it, instead of what there was of its question; of an existing
 * name, also instead of its not existing; of one that does not exist, instead of what there was of
 * this type. */
void cache_store(struct cache *, const struct key *, const struct packed *, int64_t now_ms);

/* Remembers that asking has failed: beside a good answer if there is one, for half a minute; else
 * with the answer that clients got (packed as WORTH_FAILURE), for a second, which doubles each time
 * that a server_said so again, to cache_conf.failure_ms at most. A store ends it. */
void cache_store_failure(struct cache *, const struct key *, const struct packed *,
	bool server_said, int64_t now_ms);

/* ---- for people ---- */

struct cache_stats {
	uint64_t size, used; /* octets: of all memory; of what is kept */
	uint64_t entries, expired; /* kept; of these: only of use as stale */
	uint64_t evicted, refused; /* since the start: gave way to others; too large to be kept */
};
void cache_count(struct cache *, int64_t now_ms, struct cache_stats *);

/* One entry, as a visitor sees it. */
struct cache_entry {
	struct key key; /* of the question; its hash is set */
	struct packed packed;
	int64_t since_ms; /* when its TTLs were right */
	unsigned hits; /* since it was stored, up to 255 */
};

/* Calls visit(arg, entry) for every entry, in the calling thread; *entry is valid during the call,
 * and no lock is held. Entries that come or move meanwhile may be missed, or visited twice. Ends
 * early when visit() returns false. Not for a loop's thread: it takes its time.
 * -ENOMEM: no memory to copy entries into. */
int cache_each(struct cache *, bool (*visit)(void *arg, const struct cache_entry *), void *arg);

/* Forgets a name (uncompressed, in lower case), of all types and groups; and, with below, all names
 * below it. The number of entries. Takes its time, too. */
uint64_t cache_flush_name(struct cache *, const uint8_t *name, size_t name_len, bool below);
/* Forgets everything. The number of entries. */
uint64_t cache_flush_all(struct cache *);

/* Keeps an entry of an earlier run, as old as since_ms says, unless there is an answer already, or
 * something was flushed since the start, which may be it. False: it was not kept. since_ms is
 * negative if that was before the host started. */
bool cache_restore(struct cache *, const struct key *, const struct packed *, int64_t since_ms);

#endif
