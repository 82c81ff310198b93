#include "store.h"

#include "base/bug.h"

#include <stdlib.h>

struct store *store_new(uint64_t octets, uint32_t names)
{
	struct store *s = calloc(1, sizeof *s + names * sizeof s->entries[0]);

	MUST(s);
	s->octets = octets;
	for (int i = 0; i < PLACES; i++)
		s->queues[i].oldest = s->queues[i].newest = NOBODY;
	return s;
}

void store_add(struct store *s, enum place place, uint32_t name)
{
	struct queue *q = &s->queues[place];
	struct entry *e = &s->entries[name];

	MUST(e->place == NOWHERE);
	e->place = (uint8_t)place;
	e->older = q->newest;
	e->newer = NOBODY;
	if (q->newest == NOBODY)
		q->oldest = name;
	else
		s->entries[q->newest].newer = name;
	q->newest = name;
	q->octets += trace_size(name);
}

void store_remove(struct store *s, uint32_t name)
{
	struct entry *e = &s->entries[name];
	struct queue *q = &s->queues[e->place];

	MUST(e->place != NOWHERE);
	if (e->older == NOBODY)
		q->oldest = e->newer;
	else
		s->entries[e->older].newer = e->newer;
	if (e->newer == NOBODY)
		q->newest = e->older;
	else
		s->entries[e->newer].older = e->older;
	q->octets -= trace_size(name);
	e->place = NOWHERE;
}
