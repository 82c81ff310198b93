/* Datagrams in a simulated world: nothing is lost, nothing is late. */
#include "net/datagram.h"

#include "base/bug.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct datagram {
	struct list node; /* in world->sockets */
	struct loop *loop;
	struct addr addr;
	datagram_fn *got;
	void *arg;
	bool stopped;
};

/* A message on its way; from the daemon or to it. */
struct letter {
	struct event event;
	struct loop *loop;
	struct addr peer;
	uint16_t port; /* of ours, to which it comes */
	size_t len;
	uint8_t bytes[];
};

static struct letter *post(
	struct loop *l, const struct addr *peer, struct span m, void (*happen)(struct event *))
{
	struct letter *letter = calloc(1, sizeof *letter + m.len);

	MUST(letter);
	letter->event = (struct event){ .owned = true, .happen = happen };
	letter->loop = l;
	letter->peer = *peer;
	letter->len = m.len;
	memcpy(letter->bytes, m.at, m.len);
	event_post(l, &letter->event, loop_now(l));
	return letter;
}

static void on_sent(struct event *e)
{
	struct letter *l = container_of(e, struct letter, event);
	struct world *w = loop_world(l->loop);

	w->peers->datagram(w->arg, &l->peer, (struct span){ l->bytes, l->len });
}

void datagram_send(struct datagram *d, const struct path *to, struct span message)
{
	if (!CHECK(message.len <= DATAGRAM_MAX))
		return;
	post(d->loop, &to->peer, message, on_sent);
}

static struct datagram *find(struct loop *loop, uint16_t port)
{
	list_each_safe (node, &loop_world(loop)->sockets) {
		struct datagram *d = container_of(node, struct datagram, node);

		if (addr_port(&d->addr) == port && !d->stopped)
			return d;
	}
	return NULL;
}

static void on_arrived(struct event *e)
{
	struct letter *l = container_of(e, struct letter, event);
	struct datagram *d = find(l->loop, l->port);
	struct path path = { .peer = l->peer, .local.any.sa_family = AF_UNSPEC };

	if (d)
		d->got(d->arg, &path, (struct span){ l->bytes, l->len });
}

void world_datagram(struct loop *l, const struct addr *from, uint16_t port, struct span message)
{
	post(l, from, message, on_arrived)->port = port;
}

void datagram_on_too_big(struct datagram *d, datagram_shorten_fn *shorten)
{
	(void)d, (void)shorten; /* every link is wide enough */
}

int datagram_open(struct datagram **out, struct loop *l, const struct binding *at,
	enum sharing sharing, datagram_fn *got, void *arg)
{
	struct datagram *d = calloc(1, sizeof *d);

	(void)sharing;
	if (!d)
		return -ENOMEM;
	if (find(l, addr_port(&at->addr))) {
		free(d);
		return -EADDRINUSE;
	}
	d->loop = l;
	d->addr = at->addr;
	d->got = got;
	d->arg = arg;
	list_push(&loop_world(l)->sockets, &d->node);
	*out = d;
	return 0;
}

void datagram_stop(struct datagram *d)
{
	d->stopped = true;
}

void datagram_close(struct datagram *d)
{
	list_remove(&d->node);
	free(d);
}

void datagram_address(const struct datagram *d, struct addr *a)
{
	*a = d->addr;
}

/* ---- what the host has ---- */

bool socket_has_address(const struct addr *a)
{
	(void)a;
	return true;
}
