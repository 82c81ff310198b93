/* load: a question many times, and what became of it: +count, +rate. */
#ifndef ASK_LOAD_H
#define ASK_LOAD_H

#include "ask/means.h"

/* The plan's questions, one after the other, `count` times in all: in their time at `rate`, else
 * each when the one before has its answer. Prints one summary. The exit status: that of the last
 * reply; ASK_SILENCE if any was lost. */
int load_drive(struct means *);

#endif
