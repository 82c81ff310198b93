#include "query/waiters.h"

void waiters_init(struct waiters *ws)
{
	list_init(&ws->list);
	ws->count = 0;
}

static struct waiter *waiter_of(struct list *node)
{
	return container_of(node, struct waiter, node);
}

void waiters_add(struct waiters *ws, struct waiter *w)
{
	struct list *after = ws->list.prev;

	while (after != &ws->list && waiter_of(after)->deadline_ms > w->deadline_ms)
		after = after->prev;
	list_push(after->next, &w->node); /* behind `after` */
	ws->count++;
}

uint64_t waiters_deadline(const struct waiters *ws)
{
	return waiter_of(ws->list.next)->deadline_ms;
}

static void wake_first(struct waiters *ws, const struct result *r)
{
	struct waiter *w = waiter_of(ws->list.next);

	list_remove(&w->node);
	ws->count--;
	w->wake(w, r);
}

void waiters_dismiss(struct waiters *ws, uint64_t now_ms, const struct result *r)
{
	while (ws->count && waiters_deadline(ws) <= now_ms)
		wake_first(ws, r);
}

bool waiters_wake(struct waiters *ws, size_t most, const struct result *r)
{
	while (ws->count && most--)
		wake_first(ws, r);
	return ws->count == 0;
}
