/* on_udp: queries that come as datagrams.
 *
 * What a proxy sends has a header in front that names the client. The answer goes back to the
 * proxy, without one.
 */
#include "listen/listener.h"

#include "base/bug.h"
#include "listen/discover.h"
#include "listen/proxied.h"
#include "net/datagram.h"
#include "net/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct udp_listener {
	struct listener base;
	struct query_env *env;
	const struct listen_conf *conf;
	struct listening *shared; /* with other listeners */
	struct datagram *socket;
	struct pool clients;
	struct task gone;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Whoever sent one query; lives as long as that. */
struct udp_client {
	struct client base;
	struct udp_listener *listener;
	struct path path; /* of the answer */
	struct addr named; /* by the proxy that it goes to */
};

static void reply(struct client *base, struct span message)
{
	struct udp_client *c = container_of(base, struct udp_client, base);

	datagram_send(c->listener->socket, &c->path, message);
}

static void tell_if_gone(struct udp_listener *l)
{
	if (l->closed && !l->clients.live)
		loop_later(l->env->loop, &l->gone);
}

static void done(struct client *base)
{
	struct udp_client *c = container_of(base, struct udp_client, base);
	struct udp_listener *l = c->listener;

	pool_put(&l->clients, c);
	tell_if_gone(l);
}

static void find_asked_at(const struct udp_client *c, struct addr *at)
{
	*at = c->path.local;
	if (c->base.peer == &c->named)
		at->any.sa_family = AF_UNSPEC; /* it knows the address of its proxy, not ours */
	else if (at->any.sa_family == AF_UNSPEC)
		datagram_address(c->listener->socket, at);
}

static void tell(const struct client *base, struct discovery *d)
{
	const struct udp_client *c = container_of(base, const struct udp_client, base);
	struct addr at;

	find_asked_at(c, &at);
	discover(c->listener->shared, &at, d);
}

static void facts(const struct client *base, struct client_facts *f)
{
	const struct udp_client *c = container_of(base, const struct udp_client, base);
	const struct endpoint *e = c->listener->base.endpoint;

	f->identity = NULL;
	f->listener = e ? e->text : NULL;
	find_asked_at(c, &f->asked_at);
}

static const struct client_ops client_ops = { reply, done, tell, facts };

static void take_query(struct udp_listener *l, const struct path *path, const struct addr *named,
	struct span message)
{
	struct udp_client *c = pool_get(&l->clients);

	l->env->metrics->queries_udp++;
	if (!c) {
		l->env->metrics->dropped++;
		return;
	}
	c->path = *path;
	c->listener = l;
	c->base = (struct client){ .ops = &client_ops, .peer = &c->path.peer };
	if (named) {
		c->named = *named;
		c->base.peer = &c->named;
	}
	query_begin(l->env, &c->base, message);
}

static void on_proxied(struct udp_listener *l, const struct path *path, struct span datagram)
{
	struct proxy_header h;

	if (!proxy_parse_datagram(&h, datagram)) {
		proxied_refuse(l->env->metrics);
		return;
	}
	const struct addr *named = h.source.any.sa_family == AF_UNSPEC ? NULL : &h.source;

	take_query(l, path, named, (struct span){ datagram.at + h.len, datagram.len - h.len });
}

static void on_message(void *arg, const struct path *path, struct span message)
{
	struct udp_listener *l = arg;

	if (acl_has(&l->conf->proxies, &path->peer))
		on_proxied(l, path, message);
	else
		take_query(l, path, NULL, message);
}

/* The link is too narrow: the question and our OPT, with TC, so that the client comes over TCP. */
static size_t shorten(uint8_t *m, size_t len)
{
	struct reply r;

	if (!reply_parse((struct span){ m, len }, &r))
		return 0;
	size_t opt_len = r.has_opt ? r.opt_end - r.opt : 0;

	if (opt_len)
		memmove(m + r.question_end, m + r.opt, opt_len);
	put_u16(m + 2, r.flags | DNS_TC);
	put_u16(m + 6, 0);
	put_u16(m + 8, 0);
	put_u16(m + 10, r.has_opt);
	return r.question_end + opt_len;
}

static void on_gone(struct task *t)
{
	struct udp_listener *l = container_of(t, struct udp_listener, gone);
	void (*closed)(void *) = l->closed;
	void *arg = l->closed_arg;

	datagram_close(l->socket);
	pool_clear(&l->clients);
	free(l);
	closed(arg);
}

static bool udp_serves(const struct endpoint *e)
{
	return e->datagrams;
}

static int udp_open(struct listener **out, struct listening *shared, const struct endpoint *e,
	enum sharing sharing)
{
	struct query_env *env = shared->env;
	struct udp_listener *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->base.ops = &on_udp;
	l->env = env;
	l->conf = &shared->conf;
	l->shared = shared;
	l->gone.run = on_gone;
	/* Each lives as long as its query, of which there is a bound (limits.queries). */
	pool_init(&l->clients, sizeof(struct udp_client), SIZE_MAX);
	int err = datagram_open(&l->socket, env->loop, &e->at, sharing, on_message, l);

	if (err < 0) {
		free(l);
		return err;
	}
	datagram_on_too_big(l->socket, shorten);
	*out = &l->base;
	return 0;
}

static void udp_address(const struct listener *base, struct addr *a)
{
	datagram_address(container_of(base, const struct udp_listener, base)->socket, a);
}

static void udp_stop(struct listener *base)
{
	datagram_stop(container_of(base, struct udp_listener, base)->socket);
}

static void udp_close(struct listener *base, void (*closed)(void *arg), void *arg)
{
	struct udp_listener *l = container_of(base, struct udp_listener, base);

	l->closed = closed;
	l->closed_arg = arg;
	tell_if_gone(l);
}

const struct listener_ops on_udp = { .name = "udp",
	.serves = udp_serves,
	.open = udp_open,
	.address = udp_address,
	.stop = udp_stop,
	.close = udp_close };
