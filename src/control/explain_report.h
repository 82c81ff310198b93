/* explain_report: the command `explain`: what would become of a query, as an object.
 * docs/control.md tells every key. All functions are as of struct command.
 *
 * It is the first worker that would have it: what it knows of its servers may differ a little from
 * what others know of theirs.
 */
#ifndef CONTROL_EXPLAIN_REPORT_H
#define CONTROL_EXPLAIN_REPORT_H

#include "control/view.h"
#include "control/words.h"

#include <jansson.h>

void *explain_report_begin(const struct view *, const struct words *, const char **why);
void explain_report_visit(void *report, const struct view_worker *);
json_t *explain_report_answer(void *report, const struct view *);
void explain_report_end(void *report);

#endif
