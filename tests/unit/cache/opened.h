/* A cache that is open for one case, and what was found in it last. */
#ifndef OPENED_H
#define OPENED_H

#include "cache/cache.h"

#include <string.h>

#include "answers.h"

static struct cache_conf conf;
static struct cache *cache;
static struct said one;
static struct found found;
static _Alignas(uint16_t) uint8_t memory[PACKED_MAX]; /* where that is */

static void open_with(struct cache_conf wanted)
{
	conf = wanted;
	cache = cache_new(&conf, &secret);
	OK(cache);
}

static void close_cache(void)
{
	cache_free(cache);
}

static enum freshness find_key(const struct key *k, int64_t now_ms)
{
	memset(memory, 0xa5, sizeof memory);
	found = (struct found){ .memory = memory };
	cache_find(cache, k, now_ms, &found);
	return found.freshness;
}

#endif
