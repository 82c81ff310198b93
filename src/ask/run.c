#include "ask/run.h"

#include "ask/plan.h"

int ask_run(const char *const *words)
{
	(void)words;
	return ASK_USAGE;
}
