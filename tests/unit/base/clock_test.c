/* The kernel's clocks are ours here: the linker sends the calls to the functions below. */
#include "base/clock.h"

#include "case.h"

#include <string.h>
#include <sys/timex.h>
#include <time.h>

#define DAY_S  86400
#define YEAR_S (365 * DAY_S)

static int64_t system_s, up_s; /* what the kernel says: the date, and for how long it has run */
static int kernel_status, kernel_says; /* of adjtimex(2) */

int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_adjtimex(struct timex *);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	*now = (struct timespec){ .tv_sec = id == CLOCK_REALTIME ? system_s : up_s };
	return 0;
}

int __wrap_adjtimex(struct timex *state)
{
	state->status = kernel_status;
	return kernel_says;
}

/* The host has started; the program learns what an earlier run has saved. */
static void start(int64_t date_s, int64_t saved_s)
{
	system_s = date_s;
	up_s = 10;
	kernel_status = STA_UNSYNC;
	kernel_says = TIME_ERROR;
	clock_set_floor(saved_s);
	clock_await_synchronisation(false);
}

static int64_t built_s(void)
{
	start(0, 0);
	return clock_date_s();
}

static const char *doubt(void)
{
	static struct clock_doubt d;

	return clock_is_doubtful(&d) ? d.reason : "none";
}

CASE(a_clock_later_than_what_is_known_is_believed)
{
	int64_t now = built_s() + YEAR_S;

	start(now, now - DAY_S);
	EQ(clock_date_s(), now);
	OK(!clock_is_behind());
	STR(doubt(), "none");
}

CASE(no_date_is_before_this_program_was_built)
{
	OK(built_s() > 1700000000);
	start(0, 0);
	OK(clock_is_behind());
	OK(strstr(doubt(), "the system clock says 1970-01-01, older than this build (20"));
	start(0, built_s() - YEAR_S);
	EQ(clock_date_s(), built_s());
}

CASE(no_date_is_before_one_that_was_saved)
{
	start(0, 1893456000); /* 2030 */
	EQ(clock_date_s(), 1893456000);
	OK(clock_is_behind());
	STR(doubt(),
		"the system clock says 1970-01-01, but an earlier run has saved that it is 2030-01-01");
}

CASE(time_passes_even_where_the_clock_is_behind)
{
	start(0, 1893456000);
	system_s += 40 * DAY_S;
	up_s += 40 * DAY_S;
	EQ(clock_date_s(), 1893456000 + 40 * DAY_S);
}

CASE(a_clock_that_is_set_right_is_believed_at_once)
{
	start(0, 1893456000);
	system_s = 1893456000 + 2 * DAY_S;
	EQ(clock_date_s(), system_s);
	OK(!clock_is_behind());
}

CASE(a_clock_that_is_set_back_by_minutes_is_no_news)
{
	int64_t now = built_s() + YEAR_S;

	start(now - 600, now);
	EQ(clock_date_s(), now);
	OK(!clock_is_behind());
	STR(doubt(), "none");
}

CASE(an_unsynchronised_clock_is_doubted_where_it_is_awaited)
{
	start(1893456000, 0);
	OK(clock_is_unsynchronised());
	STR(doubt(), "none");
	clock_await_synchronisation(true);
	STR(doubt(), "the system clock says 2030-01-01 and is not synchronised yet");
	kernel_status = STA_PLL;
	kernel_says = TIME_OK;
	OK(!clock_is_unsynchronised());
	STR(doubt(), "none");
}

CASE(a_kernel_that_does_not_say_is_believed)
{
	start(1893456000, 0);
	clock_await_synchronisation(true);
	kernel_says = -1;
	OK(!clock_is_unsynchronised());
	STR(doubt(), "none");
}

CASE(what_was_confirmed_is_the_date_that_was_judged_by)
{
	EQ(clock_confirmed_s(), 0);
	start(0, 1893456000);
	clock_confirm();
	EQ(clock_confirmed_s(), 1893456000);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_clock_later_than_what_is_known_is_believed),
		CLAIM(no_date_is_before_this_program_was_built),
		CLAIM(no_date_is_before_one_that_was_saved),
		CLAIM(time_passes_even_where_the_clock_is_behind),
		CLAIM(a_clock_that_is_set_right_is_believed_at_once),
		CLAIM(a_clock_that_is_set_back_by_minutes_is_no_news),
		CLAIM(an_unsynchronised_clock_is_doubted_where_it_is_awaited),
		CLAIM(a_kernel_that_does_not_say_is_believed),
		CLAIM(what_was_confirmed_is_the_date_that_was_judged_by),
	};

	return RUN(cases);
}
