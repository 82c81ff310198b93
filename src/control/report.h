/* report: the status of the daemon as one object: all that `sotto status` knows. docs/control.md
 * tells every key.
 */
#ifndef CONTROL_REPORT_H
#define CONTROL_REPORT_H

#include "control/view.h"
#include "control/words.h"
#include "upstream/status.h"

#include <jansson.h>

/* What all workers know, added up. */
struct report {
	int64_t now_ms; /* since 1970, by this host's clock */
	int64_t uptime_ms; /* whatever that clock says */
	struct metrics metrics;
	size_t count;
	struct server_status servers[]; /* by index in the configuration */
};

/* As of struct command. */
void *report_begin(const struct view *, const struct words *, const char **why);
void report_visit(void *report, const struct view_worker *);
json_t *report_answer(void *report, const struct view *);

#endif
