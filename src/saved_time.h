/* saved_time: the date, kept over a restart in the file `clock` of the state folder.
 *
 * A host that loses its clock with its power then at least does not believe that it is 1970
 * (base/clock.h). The file holds seconds since 1970, in digits. What is written is the last date
 * that a verified certificate has confirmed, so that a clock that was wrong once, and ahead, does
 * not spoil the time after it is set right.
 */
#ifndef SAVED_TIME_H
#define SAVED_TIME_H

#include "base/loop.h"

/* Reads the file at start and tells base/clock. state: the folder; NULL: nothing is kept. A missing
 * file is nothing; one that cannot be used is said in a warning, and ignored. */
void saved_time_load(const char *state);

/* Embedded, zeroed. */
struct saved_time {
	struct timer timer;
	struct loop *loop;
	const char *state; /* borrowed */
};

/* Writes the file every hour, in this loop's thread. What cannot be written is said in a warning.
 */
void saved_time_keep(struct saved_time *, struct loop *, const char *state);
/* Writes it for the last time. */
void saved_time_end(struct saved_time *);

#endif
