/* cache_report: the commands about the cache: what it holds, in all and of one name, and to forget
 * some of it. docs/control.md tells every key. All functions are as of struct command.
 */
#ifndef CONTROL_CACHE_REPORT_H
#define CONTROL_CACHE_REPORT_H

#include "control/view.h"
#include "control/words.h"

#include <jansson.h>

void *cache_report_stats_begin(const struct view *, const struct words *, const char **why);
void cache_report_stats_visit(void *stats, const struct view_worker *);
void cache_report_stats_work(void *stats, const struct view *);
json_t *cache_report_stats_answer(void *stats, const struct view *);

void *cache_report_lookup_begin(const struct view *, const struct words *, const char **why);
void cache_report_lookup_work(void *lookup, const struct view *);
json_t *cache_report_lookup_answer(void *lookup, const struct view *);
void cache_report_lookup_end(void *lookup);

void *cache_report_flush_begin(const struct view *, const struct words *, const char **why);
void cache_report_flush_work(void *flush, const struct view *);
json_t *cache_report_flush_answer(void *flush, const struct view *);

#endif
