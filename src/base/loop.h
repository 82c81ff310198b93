/* loop: one thread's turns: what is ready, what is due, what was put off to the end of the turn.
 *
 * A thin face over epoll and libuv, so that the simulated world of tests/sim can stand in for it.
 * Everything here but loop_post() is for the loop's own thread. Callbacks come from loop_run()
 * only, never from the call that asked for them, and never after the matching stop.
 *
 * A turn: file descriptors that are ready; timers that are due; tasks of loop_later(), until none
 * is left. What a turn appends to buffers is written by tasks, hence once per turn.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/list.h"
#include "base/timer.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* NULL: out of memory or of file descriptors. */
struct loop *loop_new(void);
/* Only after loop_run() has returned; runs the tasks still waiting. */
void loop_free(struct loop *);

/* Runs until loop_stop(). */
void loop_run(struct loop *);
void loop_stop(struct loop *);

/* Monotonic milliseconds, read once per turn. */
uint64_t loop_now(const struct loop *);

/* The same clock in microseconds. */
uint64_t loop_now_us(const struct loop *);

/* Milliseconds since the host started, also those that it slept, read once per turn by whoever asks
 * first. */
int64_t loop_since_boot(struct loop *);

/* Starts or moves a timer (embedded in its user's struct, zeroed before the first start). */
void timer_start(struct loop *, struct timer *, uint64_t after_ms);
void timer_stop(struct loop *, struct timer *);

/* A thing to do at the end of this turn. Posting it twice is posting it once; it may be posted
 * again from its own run(). The task is the caller's and must live until it ran or was cancelled.
 */
struct task {
	struct list node;
	bool waiting;
	void (*run)(struct task *);
};
void loop_later(struct loop *, struct task *);
void loop_cancel(struct task *);

/* LOOP_SHARED, beside another one: loops of other threads may watch the same socket, and not all of
 * them are to be woken for what one of them can take. Such a watch is not changed, only stopped. */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_SHARED = 4 };

/* A watched file descriptor (embedded, zeroed before the first use). watch_start() again changes
 * the events. Stop it before the descriptor is closed. */
struct watch {
	void *handle;
	void (*ready)(struct watch *, int events);
};
/* 0 or -errno. */
int watch_start(struct loop *, struct watch *, int fd, int events);
void watch_stop(struct watch *);
/* Stops it and closes the descriptor, which costs a system call less than to do both. */
void watch_close(struct watch *, int fd);

/* Calls handle(arg, signal_number) in the loop when the process gets the signal. 0 or -errno. */
int loop_on_signal(struct loop *, int signal_number, void (*handle)(void *, int), void *arg);

/* A thing to do in another thread, because it may block: to look up a name, to read a small file.
 * Embedded in its owner's struct. run() is called in one of two threads that all loops of the
 * process share, hence may have to wait for its turn, and touches nothing that others touch
 * meanwhile; then done() is called in the loop, once; then the work may be given again.
 *
 * It cannot be cancelled. loop_free() waits for a run() that has begun; one that has not never
 * will; and done() comes no more. So the owner's struct lives until done(), or until loop_free()
 * has returned, and run() should end within seconds. */
struct work {
	void (*run)(struct work *);
	void (*done)(struct work *);
};
/* 0 or -errno. */
int loop_work(struct loop *, struct work *);
/* Has the threads that do it made now, and not when there is something to do. 0; or -errno: there
 * can be none, and loop_work() must not be called. */
int loop_make_helpers(struct loop *);

/* A call to another thread: embedded in its owner's struct, so that it needs no memory when there
 * is none, and zeroed before the first use. It lives until it ran, or until loop_free(), after
 * which it never will. */
struct post {
	struct post *next;
	bool waiting;
	void (*run)(void *arg);
	void *arg;
};
/* From any thread: has run(arg) called in the loop's thread. Posting it again before it ran is
 * posting it once; from its own run() on, it may be posted again. */
void loop_post(struct loop *, struct post *, void (*run)(void *arg), void *arg);

#endif
