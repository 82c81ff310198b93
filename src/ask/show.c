#include "ask/show.h"

void show_reply(const struct ask_plan *p, const struct ask_reply *r, FILE *out)
{
	(void)p, (void)r, (void)out;
}

bool show_record(const struct ask_plan *p, struct span m, size_t *at, FILE *out)
{
	(void)p, (void)m, (void)at, (void)out;
	return false;
}
