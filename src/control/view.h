/* view: what a running daemon shows to those who ask it. */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include "base/loop.h"
#include "base/metrics.h"
#include "cache/cache.h"
#include "listen/listener.h"
#include "rules/ruled.h"
#include "sandbox/sandbox.h"
#include "upstream/upstream.h"

/* What a worker shows of itself; to be read in its own thread only. */
struct view_worker {
	struct loop *loop;
	const struct upstreams *upstreams;
	const struct metrics *metrics;
};

/* What became of the configuration. */
struct view_config {
	int64_t loaded_ms; /* when it was read, by clock_since_boot_ms() */
	const char *fault; /* why a later one was not taken; NULL: there was none, or it was */
	int64_t fault_ms; /* when */
};

/* What became of the rules, and of the files that they are made of. */
struct view_rules {
	struct ruled *ruled; /* those in force */
	int64_t loaded_ms; /* when, by clock_since_boot_ms() */
	const struct ruleset_fault *fault; /* of files that have changed since; NULL: none */
	int64_t fault_ms; /* when */
};

/* What the whole daemon shows. Everything is borrowed. */
struct view {
	int64_t start_ms; /* when it started, by clock_since_boot_ms() */
	struct view_config config;
	const struct view_rules *rules; /* NULL: nothing is told of them */
	const char *file; /* the configuration's; NULL: none */
	const struct listen_conf *listen;
	const struct upstream_conf *upstream;
	struct cache *cache; /* of all workers; NULL: there is none */
	const struct sandbox *sandbox; /* which is entered before anybody can look */
	struct view_worker *workers; /* malloced */
	size_t worker_count; /* at least 1; the first one's loop serves the socket */

	/* Has the configuration read anew. The number of that time: what came of it is told by
	 * control_reloaded(). */
	unsigned (*reload)(void *arg);
	void *reload_arg;
};

#endif
