#include "control/command.h"

#include "control/report.h"

#include <stdlib.h>
#include <string.h>

const struct command commands[] = {
	{ "status", report_begin, report_visit, NULL, report_answer, free },
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
