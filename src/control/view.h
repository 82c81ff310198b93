/* view: what a running daemon shows to those who ask it. */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include "base/loop.h"
#include "base/metrics.h"
#include "cache/cache.h"
#include "listen/listener.h"
#include "sandbox/sandbox.h"
#include "upstream/upstream.h"

/* What a worker shows of itself; to be read in its own thread only. */
struct view_worker {
	struct loop *loop;
	const struct upstreams *upstreams;
	const struct metrics *metrics;
};

/* What the whole daemon shows. Everything is borrowed. */
struct view {
	int64_t start_ms; /* when it started, by clock_since_boot_ms() */
	const char *file; /* the configuration's; NULL: none */
	const struct listen_conf *listen;
	const struct upstream_conf *upstream;
	struct cache *cache; /* of all workers; NULL: there is none */
	const struct sandbox *sandbox; /* which is entered before anybody can look */
	struct view_worker *workers; /* malloced */
	size_t worker_count; /* at least 1; the first one's loop serves the socket */
};

#endif
