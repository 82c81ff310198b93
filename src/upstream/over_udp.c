/* over_udp: exchanges as datagrams, in clear, each through a socket of its own: a fresh random port
 * and a fresh random ID for every question, open no longer than it takes (RFC 5452 §9).
 *
 * What comes counts only with that ID and that question. Anything else is dropped, and the wait
 * goes on: nothing that somebody else could send ends an exchange, be it an ICMP error, a header
 * without a question, or half a message. The first message that is almost right looks like somebody
 * who tries, and the exchange goes on over TCP; so it does when a reply was truncated.
 *
 * Datagrams get lost: a question is sent again after half a second, and after a second more. The
 * server is given up when it owes answers and nothing has come for upstream_conf.silent_ms.
 *
 * The connection is what these exchanges have in common; it stands for as long as the server seems
 * to be there, and nobody at the other end knows of it. It ends once, by finish_off().
 */
#include "upstream/server.h"

#include "base/bug.h"
#include "net/asking.h"
#include "net/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Until it is sent again, and twice as long until the next time. */
#define RESEND_MS 500

struct udp_conn {
	struct conn base;
	struct list waiting; /* exchanges, oldest first */
	struct task open, close, bury;
	bool finishing, ended;
	uint64_t heard_ms; /* the latest reply that counted */
	int network_error; /* what the network said last: 0 or -errno */
	struct fault fault; /* it is closed because of this */
	struct addr local; /* what the kernel would ask from; AF_UNSPEC: from nowhere */
};

/* A question that is out. */
struct asker {
	struct udp_conn *conn;
	struct exchange *exchange;
	struct asking *socket;
	struct timer timer;
	unsigned sends;
	bool late; /* its owner has been told */
	bool chokes; /* the server may not know EDNS */
};

static struct udp_conn *own(struct conn *c)
{
	return container_of(c, struct udp_conn, base);
}

static struct server *server_of(const struct udp_conn *c)
{
	return c->base.lane->server;
}

static struct upstreams *all_of(const struct udp_conn *c)
{
	return server_of(c)->all;
}

static struct loop *loop_of(const struct udp_conn *c)
{
	return all_of(c)->loop;
}

/* ---- ending ---- */

/* The exchange is not in our books any more. */
static void asker_free(struct asker *a)
{
	struct udp_conn *c = a->conn;

	timer_stop(loop_of(c), &a->timer);
	asking_close(a->socket);
	list_remove(&a->exchange->node);
	a->exchange->asker = NULL;
	free(a);
	if (c->finishing && list_empty(&c->waiting))
		loop_later(loop_of(c), &c->close);
}

static void on_bury(struct task *t)
{
	struct udp_conn *c = container_of(t, struct udp_conn, bury);

	conn_gone(&c->base);
	free(c);
}

static void finish_off(struct udp_conn *c, const struct fault *f)
{
	struct list *node;

	if (c->ended)
		return;
	c->ended = true;
	c->finishing = false;
	loop_cancel(&c->open);
	loop_cancel(&c->close);
	loop_later(loop_of(c), &c->bury);
	conn_ended(&c->base, f, f->phase == PHASE_NONE, 0);
	while ((node = list_first(&c->waiting))) {
		struct exchange *e = container_of(node, struct exchange, node);

		asker_free(e->asker);
		exchange_end(e, LOST, NULL);
	}
	lane_pump(c->base.lane);
}

static void on_close(struct task *t)
{
	struct udp_conn *c = container_of(t, struct udp_conn, close);

	finish_off(c, &c->fault);
}

static void lose(struct asker *a)
{
	struct udp_conn *c = a->conn;
	struct exchange *e = a->exchange;

	asker_free(a);
	conn_release(&c->base);
	exchange_end(e, LOST, NULL);
}

/* ---- sending ---- */

static int transmit(struct asker *a)
{
	const struct exchange *e = a->exchange;
	uint8_t message[BUILD_QUERY_MAX];
	struct query_form form = { .id = e->id,
		.flags = e->ask.flags,
		.question = *e->ask.question,
		.edns = e->edns,
		.dnssec_ok = e->ask.dnssec_ok };
	size_t len = build_query(message, &form);

	a->sends++;
	return asking_send(a->socket, (struct span){ message, len });
}

/* Whoever waits may ask another server as well. May end the exchange. */
static void tell_late(struct asker *a)
{
	struct exchange *e = a->exchange;

	if (a->late)
		return;
	a->late = true;
	if (a->conn->heard_ms <= e->sent_us / 1000)
		server_is_late(server_of(a->conn));
	if (e->on_stalled)
		e->on_stalled(e);
}

static void send_again(struct asker *a)
{
	struct exchange *e = a->exchange;

	e->sent++;
	if (a->chokes)
		e->edns = false;
	all_of(a->conn)->metrics->exchanges++;
	all_of(a->conn)->metrics->exchanges_retried++;
	server_of(a->conn)->known.requests++;
	server_of(a->conn)->known.retries++;
	transmit(a); /* an error is as good as a loss */
}

/* ---- time ---- */

static bool may_send_again(const struct asker *a)
{
	return a->exchange->sent_before + a->sends < SENDS_PER_SERVER;
}

static void start_timer(struct asker *a, uint64_t waited_ms)
{
	unsigned silent_ms = all_of(a->conn)->conf->silent_ms;
	uint64_t left = silent_ms - waited_ms, next = (uint64_t)RESEND_MS << (a->sends - 1);

	timer_start(loop_of(a->conn), &a->timer, may_send_again(a) && next < left ? next : left);
}

/* Others may have been answered meanwhile: then it is this question that the server cannot answer.
 */
static void on_silence(struct asker *a)
{
	struct udp_conn *c = a->conn;
	struct fault f;

	if (c->heard_ms > a->exchange->sent_us / 1000) {
		lose(a);
		return;
	}
	fault_set(&f, PHASE_READ, "silent",
		"check the address, and the network between here and the server",
		c->network_error
			? "the server owes %zu answers and says nothing; the network says: %s"
			: "the server owes %zu answers and says nothing",
		c->base.in_flight, strerror(-c->network_error));
	finish_off(c, &f);
}

static void on_timer(struct timer *t)
{
	struct asker *a = container_of(t, struct asker, timer);
	uint64_t waited = loop_now(loop_of(a->conn)) - a->exchange->sent_us / 1000;

	if (waited >= all_of(a->conn)->conf->silent_ms) {
		on_silence(a);
		return;
	}
	if (may_send_again(a))
		send_again(a);
	start_timer(a, waited);
	tell_late(a);
}

/* ---- what comes ---- */

static void on_near_miss(struct asker *a)
{
	all_of(a->conn)->metrics->replies_unmatched++;
	server_of(a->conn)->known.unmatched++;
	exchange_move(a->exchange, LANE_TCP);
}

/* Servers without EDNS may send such a header (RFC 6891 §7), and so may anybody: at most, the next
 * message goes without. */
static void on_header_only(struct asker *a, const struct reply *r)
{
	all_of(a->conn)->metrics->replies_unmatched++;
	server_of(a->conn)->known.unmatched++;
	if (a->exchange->edns && (r->rcode == RCODE_FORMERR || r->rcode == RCODE_NOTIMP))
		a->chokes = true;
}

static void on_reply(struct asker *a, const struct reply *r)
{
	struct udp_conn *c = a->conn;
	struct exchange *e = a->exchange;

	c->heard_ms = loop_now(loop_of(c));
	c->network_error = 0;
	if (r->flags & DNS_TC) {
		if (!exchange_move(e, LANE_TCP))
			lose(a);
		return;
	}
	if (a->chokes && !e->edns)
		server_shuns_edns(e->server);
	asker_free(a);
	conn_replied(&c->base, e, r);
}

static void on_got(void *arg, struct span m)
{
	struct asker *a = arg;
	struct reply r;

	if (!reply_parse(m, &r))
		all_of(a->conn)->metrics->replies_malformed++;
	else if (r.id == a->exchange->id && r.flags & DNS_QR && !r.count[SECTION_QUESTION])
		on_header_only(a, &r);
	else if (r.id != a->exchange->id || !reply_answers(&r, a->exchange->ask.question))
		on_near_miss(a);
	else
		on_reply(a, &r);
}

/* Anybody can say so; another server may be asked as well. */
static void on_network_error(void *arg, int error)
{
	struct asker *a = arg;

	a->conn->network_error = error;
	tell_late(a);
}

/* ---- the transport ---- */

static void on_open(struct task *t)
{
	conn_opened(&container_of(t, struct udp_conn, open)->base, NULL);
}

static struct conn *udp_open(struct lane *l, const struct addr *to)
{
	const struct server_conf *conf = l->server->conf;
	struct udp_conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->open.run = on_open;
	c->close.run = on_close;
	c->bury.run = on_bury;
	c->fault = (struct fault){ .phase = PHASE_NONE, .cause = "none", .hint = "" };
	list_init(&c->waiting);
	if (route_source(to, &conf->source, conf->interface, &c->local) < 0)
		c->local = (struct addr){ 0 };
	conn_init(&c->base, l, to);
	loop_later(l->server->all->loop, &c->open);
	return &c->base;
}

/* What the server cannot help: another one would fail in the same way. */
static bool is_our_own(int err)
{
	return err == -ENOMEM || err == -ENOBUFS || err == -EMFILE || err == -ENFILE ||
		err == -EAGAIN;
}

/* The question does not even leave this host. Callers up the stack are at work on the lane. */
static int fail_to_send(struct udp_conn *c, struct asker *a, int err)
{
	asking_close(a->socket);
	free(a);
	if (is_our_own(err))
		return -EAGAIN;
	fault_from_errno(&c->fault, PHASE_WRITE, -err);
	loop_later(loop_of(c), &c->close);
	return err;
}

static int udp_send(struct conn *base, struct exchange *e)
{
	struct udp_conn *c = own(base);
	const struct server_conf *conf = server_of(c)->conf;
	struct asker *a = calloc(1, sizeof *a);
	struct asking_conf how = { .source = &conf->source,
		.interface = conf->interface,
		.got = on_got,
		.failed = on_network_error,
		.arg = a };

	if (!a)
		return -ENOMEM;
	a->conn = c;
	a->exchange = e;
	a->timer.fire = on_timer;
	e->id = rand_u16(all_of(c)->rand);
	int err = asking_open(&a->socket, loop_of(c), &base->to, &how);

	if (!err)
		err = transmit(a);
	if (err)
		return fail_to_send(c, a, err);
	e->asker = a;
	list_push(&c->waiting, &e->node);
	start_timer(a, 0);
	return 0;
}

static void udp_forget(struct conn *base, struct exchange *e)
{
	(void)base;
	asker_free(e->asker);
}

static void udp_finish(struct conn *base)
{
	struct udp_conn *c = own(base);

	c->finishing = true;
	if (!c->ended && list_empty(&c->waiting))
		loop_later(loop_of(c), &c->close);
}

static void udp_end(struct conn *base, const struct fault *f)
{
	finish_off(own(base), f);
}

static bool udp_is_from(const struct conn *base, struct addr *local)
{
	*local = container_of(base, struct udp_conn, base)->local;
	return local->any.sa_family != AF_UNSPEC;
}

const struct transport over_udp = { .name = "udp",
	.open = udp_open,
	.send = udp_send,
	.forget = udp_forget,
	.finish = udp_finish,
	.end = udp_end,
	.local = udp_is_from };
