#include "control/command.h"

#include "control/cache_report.h"
#include "control/explain_report.h"
#include "control/report.h"

#include <stdlib.h>
#include <string.h>

const struct command commands[] = {
	{ "status", report_begin, report_visit, NULL, report_answer, free },
	{ "cache stats", cache_report_stats_begin, cache_report_stats_visit,
		cache_report_stats_work, cache_report_stats_answer, free },
	{ "cache lookup", cache_report_lookup_begin, NULL, cache_report_lookup_work,
		cache_report_lookup_answer, cache_report_lookup_end },
	{ "cache flush", cache_report_flush_begin, NULL, cache_report_flush_work,
		cache_report_flush_answer, free },
	{ "explain", explain_report_begin, explain_report_visit, NULL, explain_report_answer,
		explain_report_end },
	{ .name = "reload" },
	{ 0 },
};

const struct command *command_find(char *line, char **rest)
{
	for (const struct command *c = commands; c->name; c++) {
		size_t len = strlen(c->name);

		if (strncmp(line, c->name, len) == 0 && (!line[len] || line[len] == ' ')) {
			*rest = line + len;
			return c;
		}
	}
	return NULL;
}
