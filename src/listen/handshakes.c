#include "listen/handshakes.h"

/* About two milliseconds' worth. */
#define PER_TURN 8

static void on_turn(struct timer *t)
{
	struct handshakes *all = container_of(t, struct handshakes, turn);

	all->left = PER_TURN;
	while (all->left && !list_empty(&all->line)) {
		struct handshake *h = container_of(all->line.next, struct handshake, node);

		list_remove(&h->node);
		all->left--;
		h->begin(h);
	}
	if (all->left < PER_TURN)
		timer_start(all->loop, t, 0);
}

void handshakes_init(struct handshakes *all, struct loop *loop)
{
	*all = (struct handshakes){ .loop = loop, .turn.fire = on_turn, .left = PER_TURN };
	list_init(&all->line);
}

void handshakes_ask(struct handshakes *all, struct handshake *h)
{
	if (!all->turn.running)
		timer_start(all->loop, &all->turn, 0);
	if (!all->left) {
		list_push(&all->line, &h->node);
		return;
	}
	all->left--;
	h->begin(h);
}

void handshakes_leave(struct handshake *h)
{
	list_remove(&h->node);
}
