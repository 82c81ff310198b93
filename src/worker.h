/* worker: one thread with its loop, its connections to the servers, and its share of the clients.
 */
#ifndef WORKER_H
#define WORKER_H

#include "config/config.h"

struct worker;

/* Builds everything of one worker but its listeners. NULL: out of memory, said in the log. conf is
 * borrowed; its limits are divided by its number of workers. */
struct worker *worker_new(const struct config *conf);
void worker_free(struct worker *);

struct loop *worker_loop(struct worker *);
const struct metrics *worker_metrics(const struct worker *);

/* Opens every listener: all of them, or, after a line in the log that says why and what to do,
 * none. 0 or -errno. */
int worker_listen(struct worker *, enum sharing);

/* Takes no new query, answers those that wait, says goodbye to clients and servers, stops the loop.
 * Takes a struct worker; to be posted to the loop. */
void worker_drain(void *worker);

/* Runs the whole daemon: every worker, in a thread each but the first, until SIGTERM or SIGINT,
 * which drain; a second one ends at once. ready() is called when all listeners serve. The exit
 * status. */
int workers_run(const struct config *, void (*ready)(void *arg), void *arg);

#endif
