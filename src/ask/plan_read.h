/* plan_read: the command line made a plan. */
#ifndef ASK_PLAN_READ_H
#define ASK_PLAN_READ_H

#include "ask/plan.h"

#include <stdio.h>

/* Reads the words behind `sotto query`, up to NULL. False: what is wrong has been written to err,
 * all of it. plan_clear() is owed either way. */
bool plan_read(struct ask_plan *, const char *const *words, FILE *err);
void plan_clear(struct ask_plan *);

#endif
