/* stroll: a zone walked, with time between two questions. */
#ifndef ASK_STROLL_H
#define ASK_STROLL_H

#include "ask/means.h"

bool stroll_suits(const struct ask_plan *);
/* The exit status: an RCODE or an ask_status; why has been written to standard error. */
int stroll_each(struct means *);

#endif
