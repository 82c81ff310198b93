/* reload: the configuration is read anew, checked, and swapped in while everything runs.
 *
 * It is read from the same sources as at the start, in a thread that serves nobody. Each worker
 * then prepares it in its own thread, and only when all have, each swaps it in; whatever goes wrong
 * before that, nothing has changed. Reloads that are asked for while one is under way are one more,
 * afterwards.
 *
 * Everything here is for the first worker's thread.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "config/changed.h"
#include "worker.h"

/* What came of a reload. */
struct reload_result {
	unsigned number;
	const char *fault; /* why nothing has changed; NULL: it is in force */
	const char *hint; /* what to do about it, which ends the fault as well; NULL: nothing */
	const char *problems; /* what is wrong with the configuration, for people; NULL: nothing */
	const struct changed *changed;
	int64_t at_ms; /* when, by clock_since_boot_ms() */
};

/* What the owner has to do with it. */
struct reload_owner {
	/* What is left of file descriptors for a worker under that configuration. NULL; or why it
	 * cannot be taken. */
	const char *(*admit)(void *arg, struct config *next, struct worker_files *);
	/* What to do about that fault. NULL: nothing that would be worth a word. */
	const char *(*hint)(void *arg, const char *fault);
	/* Before a swap: calls go() as soon as nobody looks at the workers. NULL: nobody does. */
	void (*hold)(void *arg, void (*go)(void *), void *go_arg);
	/* One begins, the first of several perhaps. */
	void (*begun)(void *arg);
	/* One is over; *now is in force. */
	void (*over)(void *arg, const struct reload_result *, const struct config *now);
	void *arg;
};

struct reload {
	struct work work;
	struct post post; /* to the worker that is next */
	const struct config_sources *sources; /* borrowed */
	const struct reload_owner *owner;
	struct worker **workers; /* borrowed */
	unsigned worker_count;
	struct cache *cache; /* NULL: there is none */

	struct config *now; /* in force */
	unsigned number; /* of the latest */
	enum { RELOAD_IDLE, RELOAD_READING, RELOAD_HOLDING, RELOAD_VISITING } phase;
	bool again; /* another one was asked for meanwhile */
	void (*stopped)(void *arg); /* NULL: not stopping */
	void *stopped_arg;

	/* Of the one under way. */
	struct config *next; /* NULL: it could not be read */
	char *problems;
	struct changed changed;
	struct worker_files files;
	void (*visit)(struct reload *, struct worker *); /* what is done in each worker */
	void (*home)(struct reload *); /* afterwards, in the first one's thread */
	unsigned visited, prepared;
	bool failed;
	char why[WORKER_WHY], fault[2 * WORKER_WHY]; /* the latter with a hint */
};

/* Zeroed before; sources, owner, workers, their number, cache and now are filled in. It takes
 * `now`, of which it is an owner. */
void reload_init(struct reload *);

/* Has it done, now or after the one that is under way. The number of the one that will tell. */
unsigned reload_ask(struct reload *);

/* Begins none any more; stopped() is called, now or later, when no worker is visited. */
void reload_stop(struct reload *, void (*stopped)(void *arg), void *arg);

/* When all loops are freed. */
void reload_clear(struct reload *);

#endif
