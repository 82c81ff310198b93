/* resume: +resume: does the server resume a session on the next connection? */
#ifndef ASK_RESUME_H
#define ASK_RESUME_H

#include "ask/means.h"

/* Asks the plan's questions, each over a connection of its own; a single one is asked twice. The
 * exit status: that of the last reply; ASK_UNMET if a connection after the first was not resumed.
 */
int resume_drive(struct means *);

#endif
