#include "base/timer.h"

#include <stddef.h>

/* The later of two roots becomes the first child of the other. Either may be NULL. */
static struct timer *join(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->at_ms < a->at_ms) {
		struct timer *earlier = b;

		b = a;
		a = earlier;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	a->next = a->prev = NULL;
	return a;
}

/* Joins siblings to one root: in pairs from the left, then the pairs from the right. */
static struct timer *join_siblings(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = join(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = join(root, pair);
	}
	return root;
}

void timers_add(struct timers *h, struct timer *t, uint64_t at_ms)
{
	timers_remove(h, t);
	t->at_ms = at_ms;
	t->child = t->next = t->prev = NULL;
	t->running = true;
	h->earliest = join(h->earliest, t);
}

void timers_remove(struct timers *h, struct timer *t)
{
	if (!t->running)
		return;
	t->running = false;
	if (t == h->earliest) {
		h->earliest = join_siblings(t->child);
		return;
	}
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	h->earliest = join(h->earliest, join_siblings(t->child));
}

struct timer *timers_take_due(struct timers *h, uint64_t now_ms)
{
	struct timer *t = h->earliest;

	if (!t || t->at_ms > now_ms)
		return NULL;
	timers_remove(h, t);
	return t;
}
