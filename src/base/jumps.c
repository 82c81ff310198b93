/* jumps: see jumps.h.
 *
 * The kernel cancels a timer of the wall clock when that clock is set, and when the host wakes up,
 * after which it is set as well. Which of the two it was tells CLOCK_BOOTTIME, which counts sleep,
 * where CLOCK_MONOTONIC does not.
 */
#include "base/jumps.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Clocks of virtual machines are set again and again, by next to nothing. */
#define JUMP_MS  1000
#define SLEEP_MS 10000
/* In the year 2255: the timer is there to be cancelled. */
#define NEVER_S 9000000000

struct jumps {
	struct loop *loop;
	struct watch watch;
	int fd;
	void (*jumped)(void *arg, bool slept);
	void *arg;
	int64_t wall_ms, slept_ms; /* ahead of the loop's clock, when last told */
};

static int64_t ms_of(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_ready(struct watch *w, int events)
{
	struct jumps *j = container_of(w, struct jumps, watch);
	uint64_t expirations;

	(void)events;
	if (read(j->fd, &expirations, sizeof expirations) < 0 && errno != ECANCELED)
		return;
	int64_t base_ms = ms_of(CLOCK_MONOTONIC);
	int64_t wall_ms = ms_of(CLOCK_REALTIME) - base_ms,
		slept_ms = ms_of(CLOCK_BOOTTIME) - base_ms;
	bool slept = slept_ms - j->slept_ms > SLEEP_MS;

	if (!slept && llabs(wall_ms - j->wall_ms) < JUMP_MS)
		return;
	j->wall_ms = wall_ms;
	j->slept_ms = slept_ms;
	j->jumped(j->arg, slept);
}

static int timer_of_the_wall_clock(void)
{
	const struct itimerspec never = { .it_value.tv_sec = NEVER_S };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0)
		return fd;
	int err = -errno;

	close(fd);
	return err;
}

int jumps_watch(
	struct jumps **out, struct loop *loop, void (*jumped)(void *arg, bool slept), void *arg)
{
	struct jumps *j = calloc(1, sizeof *j);
	int64_t base_ms = ms_of(CLOCK_MONOTONIC);
	int err = -ENOMEM;

	if (!j)
		return err;
	j->loop = loop;
	j->jumped = jumped;
	j->arg = arg;
	j->watch.ready = on_ready;
	j->wall_ms = ms_of(CLOCK_REALTIME) - base_ms;
	j->slept_ms = ms_of(CLOCK_BOOTTIME) - base_ms;
	err = j->fd = timer_of_the_wall_clock();
	if (err < 0)
		goto fail;
	err = watch_start(loop, &j->watch, j->fd, LOOP_READ);
	if (err < 0)
		goto fail_fd;
	*out = j;
	return 0;

fail_fd:
	close(j->fd);
fail:
	free(j);
	return err;
}

void jumps_unwatch(struct jumps *j)
{
	if (!j)
		return;
	watch_stop(&j->watch);
	close(j->fd);
	free(j);
}
