#include "control/command.h"

#include "control/report.h"

const struct command commands[] = {
	{ "status", report_begin, report_visit, report_answer },
	{ 0 },
};
