/* worker: one thread's part of the daemon: its loop, its connections to the servers, and its share
 * of the clients.
 */
#ifndef WORKER_H
#define WORKER_H

#include "config/config.h"

struct worker;

/* Builds everything of one worker but its listeners. NULL: out of memory, said in the log. Both
 * are borrowed; limits are divided by the number of workers. */
struct worker *worker_new(const struct config *, const struct query_shared *);
void worker_free(struct worker *);

struct loop *worker_loop(struct worker *);
const struct metrics *worker_metrics(const struct worker *);
const struct upstreams *worker_upstreams(const struct worker *);

/* Tells its servers what happened to the host. */
void worker_changed(struct worker *, enum change);

/* The connections of clients, and the questions to servers over UDP, are no more than that,
 * whatever its share would be. */
void worker_limit_files(struct worker *, size_t clients, size_t askers);

/* Opens every listener: all of them, or, after a line in the log that says why and what to do,
 * none. 0 or -errno. */
int worker_listen(struct worker *, enum sharing);
/* Logs each address that it listens on, for who asked for port 0. */
void worker_say_listening(const struct worker *);

/* Takes no new query, answers those that wait, says goodbye to clients and servers, stops the loop.
 * Takes a struct worker; to be posted to the loop. */
void worker_drain(void *worker);

/* What to do where file descriptors are short, as a hint of a line in the log. */
extern const char worker_more_files[];

#endif
