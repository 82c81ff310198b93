#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

/* Clocks that are set back a little are no news. */
#define TOLERANCE_S (24 * 60 * 60)

static int64_t booted_s; /* no earlier than this did the host start, by what is known */
static bool saved; /* and that is from an earlier run */
static _Atomic bool awaited; /* synchronisation is */
static _Atomic int64_t confirmed_s;

static int64_t read_clock_ms(clockid_t id)
{
	struct timespec now = { 0 };

	clock_gettime(id, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t read_clock(clockid_t id)
{
	return read_clock_ms(id) / 1000;
}

int64_t clock_system_ms(void)
{
	return read_clock_ms(CLOCK_REALTIME);
}

int64_t clock_since_boot_ms(void)
{
	return read_clock_ms(CLOCK_BOOTTIME);
}

static int64_t since_boot_s(void)
{
	return clock_since_boot_ms() / 1000;
}

static int64_t floor_s(void)
{
	int64_t s = booted_s + since_boot_s();

	return s > SOTTO_BUILT_S ? s : SOTTO_BUILT_S;
}

void clock_set_floor(int64_t date_s)
{
	saved = date_s > SOTTO_BUILT_S;
	booted_s = (saved ? date_s : SOTTO_BUILT_S) - since_boot_s();
}

void clock_await_synchronisation(bool await)
{
	awaited = await;
}

int64_t clock_date_s(void)
{
	int64_t now = read_clock(CLOCK_REALTIME), least = floor_s();

	return now > least ? now : least;
}

bool clock_is_behind(void)
{
	return read_clock(CLOCK_REALTIME) < floor_s() - TOLERANCE_S;
}

bool clock_is_unsynchronised(void)
{
	struct timex state = { 0 };

	return adjtimex(&state) >= 0 && state.status & STA_UNSYNC;
}

const char *clock_print_day(int64_t date_s, char text[CLOCK_DAY])
{
	time_t t = date_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, CLOCK_DAY, "%Y-%m-%d", &tm))
		snprintf(text, CLOCK_DAY, "no date");
	return text;
}

bool clock_is_doubtful(struct clock_doubt *d)
{
	char now[CLOCK_DAY], known[CLOCK_DAY];

	clock_print_day(read_clock(CLOCK_REALTIME), now);
	if (clock_is_behind() && saved) {
		snprintf(d->reason, sizeof d->reason,
			"the system clock says %s, but an earlier run has saved that it is %s", now,
			clock_print_day(floor_s(), known));
		d->hint =
			"set this host's clock; if it is right, delete the file clock in the state folder";
		return true;
	}
	if (clock_is_behind()) {
		snprintf(d->reason, sizeof d->reason,
			"the system clock says %s, older than this build (%s)", now,
			clock_print_day(SOTTO_BUILT_S, known));
		d->hint = "set this host's clock; nothing needs a restart";
		return true;
	}
	if (awaited && clock_is_unsynchronised()) {
		snprintf(d->reason, sizeof d->reason,
			"the system clock says %s and is not synchronised yet", now);
		d->hint = "wait, or set this host's clock; nothing needs a restart";
		return true;
	}
	return false;
}

void clock_confirm(void)
{
	atomic_store_explicit(&confirmed_s, clock_date_s(), memory_order_relaxed);
}

int64_t clock_confirmed_s(void)
{
	return atomic_load_explicit(&confirmed_s, memory_order_relaxed);
}
