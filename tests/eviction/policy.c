#include "policy.h"

double policy_play(const struct policy *p, const struct trace *t, uint64_t octets)
{
	void *cache = p->open(p, octets, t->names);
	uint32_t hits = 0, asked = t->recipe->asked;

	for (uint32_t i = 0; i < asked; i++)
		hits += p->ask(cache, t->asked[i]);
	p->close(cache);
	return (double)hits / asked;
}
