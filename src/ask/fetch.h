/* fetch: a transfer from a server: records are printed as they come, then how they came. */
#ifndef ASK_FETCH_H
#define ASK_FETCH_H

#include "ask/means.h"

/* Is every question one for a transfer? */
bool fetch_suits(const struct ask_plan *);
/* The exit status: an RCODE or an ask_status; why has been written to standard error. */
int fetch_each(struct means *);

#endif
