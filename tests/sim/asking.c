/* Sockets that ask, in a simulated world. Each has a port of its own, which no other one had
 * before.
 */
#include "net/asking.h"

#include "base/bug.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 20000

struct asking {
	struct list node; /* in world->askings */
	struct loop *loop;
	struct addr to, local;
	void (*got)(void *arg, struct span message);
	void (*failed)(void *arg, int error);
	void *arg;
};

/* A message on its way, or what the network says of one. */
struct packet {
	struct event event;
	struct loop *loop;
	struct addr from, to;
	int error; /* 0: it is a message */
	size_t len;
	uint8_t bytes[];
};

static struct packet *packet_new(
	struct loop *l, const struct addr *from, const struct addr *to, struct span m)
{
	struct packet *p = calloc(1, sizeof *p + m.len);

	MUST(p);
	p->event.owned = true;
	p->loop = l;
	p->from = *from;
	p->to = *to;
	p->len = m.len;
	if (m.len)
		memcpy(p->bytes, m.at, m.len);
	return p;
}

/* ---- to the daemon ---- */

/* The socket that is connected just so, if it is still open: the kernel drops everything else. */
static struct asking *find(const struct packet *p)
{
	struct list *askings = &loop_world(p->loop)->askings;

	for (struct list *node = askings->next; node != askings; node = node->next) {
		struct asking *a = container_of(node, struct asking, node);

		if (addr_equal(&a->to, &p->from) && addr_equal(&a->local, &p->to))
			return a;
	}
	return NULL;
}

static void on_arrived(struct event *e)
{
	struct packet *p = container_of(e, struct packet, event);
	struct asking *a = find(p);

	if (a && p->error)
		a->failed(a->arg, p->error);
	else if (a)
		a->got(a->arg,
			(struct span){ p->bytes, p->len < ASKING_MAX ? p->len : ASKING_MAX });
}

static void deliver(struct packet *p, unsigned delay_ms)
{
	p->event.happen = on_arrived;
	event_post(p->loop, &p->event, loop_now(p->loop) + delay_ms);
}

void world_reply(struct loop *l, const struct addr *from, const struct addr *to,
	struct span message, unsigned delay_ms)
{
	deliver(packet_new(l, from, to, message), delay_ms);
}

void world_icmp(struct loop *l, const struct addr *from, const struct addr *to, int error,
	unsigned delay_ms)
{
	struct packet *p = packet_new(l, from, to, (struct span){ NULL, 0 });

	p->error = error;
	deliver(p, delay_ms);
}

/* ---- from the daemon ---- */

static void on_sent(struct event *e)
{
	struct packet *p = container_of(e, struct packet, event);
	struct world *w = loop_world(p->loop);

	w->peers->asked(w->arg, &p->to, &p->from, (struct span){ p->bytes, p->len });
}

int asking_send(struct asking *a, struct span message)
{
	struct packet *p = packet_new(a->loop, &a->local, &a->to, message);

	p->event.happen = on_sent;
	event_post(a->loop, &p->event, loop_now(a->loop));
	return 0;
}

int asking_open(
	struct asking **out, struct loop *l, const struct addr *to, const struct asking_conf *conf)
{
	struct world *w = loop_world(l);
	struct addr local;
	int denied = world_denies(l, NEED_ASK), err = denied ? denied : world_source(l, to, &local);
	struct asking *a = err ? NULL : calloc(1, sizeof *a);

	if (!a)
		return err ? err : -ENOMEM;
	MUST(w->asked < UINT16_MAX - FIRST_PORT);
	a->loop = l;
	a->to = *to;
	a->local = conf->source && conf->source->any.sa_family != AF_UNSPEC ? *conf->source : local;
	addr_set_port(&a->local, (uint16_t)(FIRST_PORT + w->asked++));
	a->got = conf->got;
	a->failed = conf->failed;
	a->arg = conf->arg;
	list_push(&w->askings, &a->node);
	*out = a;
	return 0;
}

void asking_close(struct asking *a)
{
	if (!a)
		return;
	list_remove(&a->node);
	free(a);
}
