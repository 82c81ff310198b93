/* report: a question is settled: what came is shown, and makes an exit status. */
#ifndef ASK_REPORT_H
#define ASK_REPORT_H

#include "ask/show.h"

/* status: what came of the question, 0 or an ask_status. Shows the reply, if there is one, and
 * returns the exit status: of a good reply its RCODE, unless what was asked of it did not hold. */
int report(const struct ask_plan *, const struct ask_reply *, int status);

#endif
