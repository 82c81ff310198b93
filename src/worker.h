/* worker: one thread's part of the daemon: its loop, its connections to the servers, and its share
 * of the clients.
 */
#ifndef WORKER_H
#define WORKER_H

#include "config/config.h"

struct worker;

/* What all workers have in common. */
struct worker_shared {
	struct query_shared query;
	struct shown shown;
};

/* Builds everything of one worker but its listeners. NULL: out of memory, said in the log. It is an
 * owner of the configuration from here on, and borrows what is shared; limits are divided by the
 * number of workers. */
struct worker *worker_new(struct config *, struct worker_shared *);
void worker_free(struct worker *);

struct loop *worker_loop(struct worker *);
const struct metrics *worker_metrics(const struct worker *);
const struct upstreams *worker_upstreams(const struct worker *);
const struct query_env *worker_env(const struct worker *);

/* Tells its servers what happened to the host. */
void worker_changed(struct worker *, enum change);

/* File descriptors of one worker: connections of clients, and questions to servers over UDP, are no
 * more than that, whatever its share would be. */
struct worker_files {
	size_t clients, askers;
};
void worker_limit_files(struct worker *, const struct worker_files *);

/* How the worker in that place, of so many, binds what all of them bind. */
enum sharing worker_sharing(unsigned place, unsigned count);

/* Opens every listener: all of them, or, after a line in the log that says why and what to do,
 * none. 0 or -errno. */
int worker_listen(struct worker *, enum sharing);
/* Logs each address that it listens on, for who asked for port 0. */
void worker_say_listening(const struct worker *);

/* Another configuration, in three steps, each in the worker's own thread. Prepared, it changes
 * nothing yet, but that addresses which are new are listened on; then it is swapped in, which
 * cannot fail, or forgotten. What cannot be had is said in the log and in why; then nothing is
 * prepared. 0 or -errno. */
#define WORKER_WHY 256
int worker_prepare(struct worker *, struct config *, enum sharing, char why[WORKER_WHY]);
void worker_swap(struct worker *, const struct worker_files *);
void worker_forget(struct worker *);

/* Takes no new query, answers those that wait, says goodbye to clients and servers, stops the loop.
 * Takes a struct worker; to be posted to the loop. */
void worker_drain(void *worker);

/* What to do where file descriptors are short, as a hint of a line in the log. */
extern const char worker_more_files[];

#endif
