/* clock: what day it is, as far as this host can tell.
 *
 * A host whose clock has no battery wakes up in 1970 or on the day it was made, and to be told the
 * time it needs DNS. So dates are judged by the latest of three: the system's clock; the day this
 * program was built; a day that an earlier run knew it to be, and the time since
 * (docs/decisions/005-clocks.md).
 *
 * This is the state of the process. What sets it is called at start, before there are threads; the
 * rest from any thread. Dates are seconds since 1970.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* By now it is at least this late. 0: nothing is known. */
void clock_set_floor(int64_t date_s);
/* Whether a clock that the kernel calls unsynchronised is a reason for doubt; at first it is not.
 */
void clock_await_synchronisation(bool);

/* The date that dates are judged by. */
int64_t clock_date_s(void);

/* What the system's clock says, right or wrong: milliseconds since 1970. */
int64_t clock_system_ms(void);
/* Milliseconds since the host started: counts on while it sleeps, whoever sets the clock. */
int64_t clock_since_boot_ms(void);

/* The system's clock is more than a day behind what is known. */
bool clock_is_behind(void);
/* Nobody has set the clock, or not for a long time: the kernel calls it unsynchronised
 * (adjtimex(2), STA_UNSYNC). A kernel that does not say is believed. */
bool clock_is_unsynchronised(void);

/* Why a date that does not fit may be the clock's fault. */
struct clock_doubt {
	char reason[128]; /* half a sentence: "the system clock says ..." */
	const char *hint; /* a constant: what to do about it */
};
bool clock_is_doubtful(struct clock_doubt *);

/* The date fits: somebody else's signature says that it is about this late. */
void clock_confirm(void);
/* When that was last, by clock_date_s(); 0: never. */
int64_t clock_confirmed_s(void);

/* "2026-11-20", in UTC. */
#define CLOCK_DAY 16
const char *clock_print_day(int64_t date_s, char text[CLOCK_DAY]);

#endif
