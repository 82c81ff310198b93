#include "base/metrics.h"

void metrics_add(struct metrics *sum, const struct metrics *m)
{
#define X(name, help) sum->name += m->name;
	COUNTERS(X)
#undef X
}

void metrics_each(const struct metrics *m,
	void (*each)(void *arg, const char *name, const char *help, uint64_t value), void *arg)
{
#define X(name, help) each(arg, #name, help, m->name);
	COUNTERS(X)
#undef X
}
