/* saved_cache: the answers of the cache, kept over a restart in the file `cache` of the state
 * folder.
 *
 * The file is replaced in one step, so that a crash leaves the old one or the new one; nobody else
 * may read it, as it holds the names that people asked for. It is read when clients are already
 * served, by another thread, and checked whole before anything of it counts (cache/image.h). An
 * answer is back if the group of servers that it is from still has the same name and servers. It
 * has aged by the time between: within one start of the host, by a clock that nobody sets; else by
 * the wall clock, unless that is in doubt.
 */
#ifndef SAVED_CACHE_H
#define SAVED_CACHE_H

#include "base/loop.h"
#include "cache/image.h"
#include "config/config.h"
#include "query/shared.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/* What of a configuration counts for the file. */
struct saved_facts {
	size_t group_count;
	struct {
		uint32_t number; /* as of group_conf */
		uint64_t fingerprint; /* of its name and its servers */
	} groups[IMAGE_GROUPS];
	struct pack_limits limits;
	unsigned stale_ms;
};

/* Embedded; lives until its loop is freed. */
struct saved_cache {
	struct work work;
	struct timer timer;
	char boot[IMAGE_BOOT];
	struct loop *loop;
	bool working; /* the file is being read or written, or will be */
	const struct query_shared *shared; /* borrowed; NULL: nothing is kept */
	char path[PATH_MAX];
	unsigned every_ms; /* it is written so often; 0: only at the end */
	pthread_mutex_t lock; /* for who reads or writes the file */
	pthread_mutex_t facts_lock; /* held only to copy them */
	struct saved_facts facts; /* of the configuration that is in force */
	bool loaded; /* with the lock: the file has been read */
	atomic_bool ending;
};

/* Reads what the kernel calls itself since it started, which a sandbox may hide later. */
void saved_cache_init(struct saved_cache *);
/* Has the file read now, and written every cache.save-every, if there is a cache and it is wanted.
 * A missing file is nothing; one that cannot be used, or written, is said in a warning. What is
 * shared lives until the loop is freed, too. */
void saved_cache_keep(struct saved_cache *, struct loop *, const struct query_shared *,
	const struct config *conf);
/* Another configuration is in force. */
void saved_cache_renew(struct saved_cache *, const struct config *);
/* Writes it for the last time, in this thread, when nobody stores any more. Waits until it has been
 * read. */
void saved_cache_end(struct saved_cache *);

#endif
