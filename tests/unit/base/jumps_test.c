/* Jumps of clocks that are ours to set (they are wrapped), told by a timer that is one; and
 * one jump of the real clock, by a nanosecond. */
#include "base/jumps.h"

#include "case.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int __wrap_clock_gettime(clockid_t clock, struct timespec *);
int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *, struct itimerspec *);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *, struct itimerspec *);

static int64_t wall_ms, monotonic_ms, boot_ms;
static int timer; /* an eventfd in place of the timer; -1: the real one */

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int64_t ms = clock == CLOCK_REALTIME ? wall_ms
		: clock == CLOCK_BOOTTIME    ? boot_ms
					     : monotonic_ms;

	*t = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	return 0;
}

int __wrap_timerfd_create(int clock, int flags)
{
	return timer < 0 ? __real_timerfd_create(clock, flags) : dup(timer);
}

int __wrap_timerfd_settime(
	int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	return timer < 0 ? __real_timerfd_settime(fd, flags, value, old) : 0;
}

struct watcher {
	struct loop *loop;
	struct jumps *jumps;
	struct timer enough;
	int jumps_told, sleeps_told;
};

static void on_jumped(void *arg, bool slept)
{
	struct watcher *w = arg;

	w->jumps_told++;
	w->sleeps_told += slept;
}

static void on_enough(struct timer *t)
{
	loop_stop(container_of(t, struct watcher, enough)->loop);
}

static void begin(struct watcher *w, int descriptor)
{
	timer = descriptor;
	wall_ms = 1800000000 * INT64_C(1000);
	monotonic_ms = 100 * 1000;
	boot_ms = 3600 * 1000; /* it has slept before: that is no news */
	*w = (struct watcher){ .loop = loop_new(), .enough.fire = on_enough };
	EQ(jumps_watch(&w->jumps, w->loop, on_jumped, w), 0);
}

static void end(struct watcher *w)
{
	jumps_unwatch(w->jumps);
	loop_free(w->loop);
	if (timer >= 0)
		close(timer);
}

static void listen_a_while(struct watcher *w)
{
	w->jumps_told = w->sleeps_told = 0;
	timer_start(w->loop, &w->enough, 20);
	loop_run(w->loop);
}

/* The clocks go on by so many seconds, and the kernel cancels the timer. */
static void pass(struct watcher *w, int wall, int monotonic, int boot)
{
	const uint64_t one = 1;

	wall_ms += wall * 1000;
	monotonic_ms += monotonic * 1000;
	boot_ms += boot * 1000;
	EQ(write(timer, &one, sizeof one), sizeof one);
	listen_a_while(w);
}

CASE(a_clock_that_is_set_is_told_in_both_directions)
{
	struct watcher w;

	begin(&w, eventfd(0, EFD_NONBLOCK));
	pass(&w, 7200, 60, 60);
	EQ(w.jumps_told, 1);
	EQ(w.sleeps_told, 0);
	pass(&w, -7200, 60, 60);
	EQ(w.jumps_told, 1);
	EQ(w.sleeps_told, 0);
	end(&w);
}

CASE(a_clock_that_is_set_by_less_than_a_second_is_not_told_until_it_adds_up)
{
	struct watcher w;

	begin(&w, eventfd(0, EFD_NONBLOCK));
	pass(&w, 60, 60, 60);
	EQ(w.jumps_told, 0);
	for (int i = 0; i < 3; i++) {
		wall_ms += 300;
		pass(&w, 60, 60, 60);
		EQ(w.jumps_told, 0);
	}
	wall_ms += 300;
	pass(&w, 60, 60, 60);
	EQ(w.jumps_told, 1);
	end(&w);
}

CASE(a_host_that_slept_is_told_as_such)
{
	struct watcher w;

	begin(&w, eventfd(0, EFD_NONBLOCK));
	pass(&w, 7200, 1, 7200);
	EQ(w.jumps_told, 1);
	EQ(w.sleeps_told, 1);
	pass(&w, 60, 60, 60);
	EQ(w.jumps_told, 0);
	end(&w);
}

CASE(a_nap_counts_as_a_jump_of_the_clock)
{
	struct watcher w;

	begin(&w, eventfd(0, EFD_NONBLOCK));
	pass(&w, 9, 1, 9);
	EQ(w.jumps_told, 1);
	EQ(w.sleeps_told, 0);
	end(&w);
}

CASE(a_sleep_with_the_wall_clock_standing_still_is_a_sleep)
{
	struct watcher w;

	begin(&w, eventfd(0, EFD_NONBLOCK));
	pass(&w, 1, 1, 7200);
	EQ(w.sleeps_told, 1);
	end(&w);
}

/* Sets the kernel's own clock, by what nobody can notice. False: not permitted. */
static bool jump_a_nanosecond(int direction)
{
	/* In nanoseconds, which must not be negative: -1 s and 999,999,999 ns are -1 ns. */
	struct timex by = { .modes = ADJ_SETOFFSET | ADJ_NANO,
		.time = { direction < 0 ? -1 : 0, direction < 0 ? 999999999 : 1 } };

	return adjtimex(&by) >= 0;
}

CASE(the_kernel_tells_each_time_its_clock_is_set)
{
	struct watcher w;

	begin(&w, -1);
	listen_a_while(&w);
	EQ(w.jumps_told, 0);
	if (!jump_a_nanosecond(1)) {
		print_message("the clock may not be set here\n");
		end(&w);
		skip();
	}
	wall_ms += 7200 * 1000;
	listen_a_while(&w);
	EQ(w.jumps_told, 1);
	OK(jump_a_nanosecond(-1));
	wall_ms -= 7200 * 1000;
	listen_a_while(&w);
	EQ(w.jumps_told, 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_clock_that_is_set_is_told_in_both_directions),
		CLAIM(a_clock_that_is_set_by_less_than_a_second_is_not_told_until_it_adds_up),
		CLAIM(a_host_that_slept_is_told_as_such),
		CLAIM(a_nap_counts_as_a_jump_of_the_clock),
		CLAIM(a_sleep_with_the_wall_clock_standing_still_is_a_sleep),
		CLAIM(the_kernel_tells_each_time_its_clock_is_set),
	};

	return RUN(cases);
}
