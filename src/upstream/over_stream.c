/* over_stream: exchanges over a connection of framed messages; over_tls is that with TLS.
 *
 * Many exchanges are in flight on one connection, under random IDs (RFC 7766 §6.2.1.1, RFC 7858
 * §3.3); replies come in any order. An exchange waits in two places at once: in `waiting`, oldest
 * first, and in the bucket of its ID.
 *
 * A connection ends once: by conn_end(), after which its exchanges are LOST and it only waits for
 * its memory to be freed, or by conn_finish(), after which it takes no exchange and ends with its
 * stream.
 */
#include "upstream/server.h"

#include "base/bug.h"
#include "net/frame.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 1024
/* A server that sends more replies than this which match nothing is not worth listening to. */
#define MISMATCHES_MAX 16

struct conn {
	struct list node; /* in server->conns */
	struct server *server;
	struct stream *stream; /* NULL: it has ended */
	struct timer timer; /* silence, or idleness */
	struct task bury;
	uint64_t heard_ms, used_ms;
	bool answered; /* at least once */
	unsigned mismatches;
	uint8_t used[65536 /
		8]; /* IDs that were sent here: what comes under them later is only late */
	unsigned idle_ms;
	size_t in_flight;
	struct list waiting;
	struct exchange *by_id[BUCKETS];
};

static struct loop *loop_of(const struct conn *c)
{
	return c->server->all->loop;
}

/* ---- exchanges by ID ---- */

static struct exchange **place(struct conn *c, uint16_t id)
{
	struct exchange **e = &c->by_id[id % BUCKETS];

	while (*e && (*e)->id != id)
		e = &(*e)->next_of_id;
	return e;
}

static uint16_t free_id(struct conn *c)
{
	uint16_t id;

	do {
		id = rand_u16(c->server->all->rand);
	} while (*place(c, id));
	return id;
}

static void put_in(struct conn *c, struct exchange *e)
{
	struct exchange **bucket = &c->by_id[e->id % BUCKETS];

	e->next_of_id = *bucket;
	*bucket = e;
	list_push(&c->waiting, &e->node);
	c->used[e->id / 8] |= (uint8_t)(1u << e->id % 8);
	c->in_flight++;
}

static void take_out(struct conn *c, struct exchange *e)
{
	struct exchange **at = place(c, e->id);

	MUST(*at == e);
	*at = e->next_of_id;
	list_remove(&e->node);
	c->in_flight--;
	c->used_ms = loop_now(loop_of(c));
}

static bool was_used(const struct conn *c, uint16_t id)
{
	return c->used[id / 8] & 1u << id % 8;
}

/* ---- ending ---- */

static void on_bury(struct task *t)
{
	struct conn *c = container_of(t, struct conn, bury);
	struct server *s = c->server;

	list_remove(&c->node);
	free(c);
	server_conn_freed(s);
}

/* New exchanges go to another connection. */
static void retire(struct conn *c)
{
	if (c->server->conn == c)
		c->server->conn = NULL;
}

static void conn_end(struct conn *c, const struct fault *f)
{
	struct list *node;

	if (!c->stream)
		return;
	bool useless = !c->answered && (f->phase != PHASE_NONE || !list_empty(&c->waiting));

	stream_close(c->stream);
	c->stream = NULL;
	timer_stop(loop_of(c), &c->timer);
	retire(c);
	loop_later(loop_of(c), &c->bury);
	if (c->answered && c->in_flight)
		c->server->all->metrics->connections_lost++;
	server_lost(c->server, f, useless);
	while ((node = list_first(&c->waiting))) {
		struct exchange *e = container_of(node, struct exchange, node);

		take_out(c, e);
		exchange_end(e, LOST, NULL);
	}
}

static void conn_finish(struct conn *c)
{
	retire(c);
	if (c->stream)
		stream_finish(c->stream);
}

/* ---- replies ---- */

/* The wait goes on: what cannot be read cannot be matched. */
static void on_malformed(struct conn *c)
{
	struct fault f;

	c->server->all->metrics->replies_malformed++;
	fault_set(&f, PHASE_PARSE, "malformed",
		"the server is broken: use another, or tell its operator",
		"the server sent a reply that is not a DNS message");
	server_complain(c->server, &f);
}

/* How long the server keeps an idle connection (RFC 7828 §3.4); we are gone before. */
static void learn_idle_time(struct conn *c, unsigned keepalive)
{
	unsigned ms = keepalive * 90, most = c->server->all->conf->idle_ms;

	c->idle_ms = ms < most ? ms : most;
	if (!c->in_flight)
		timer_start(loop_of(c), &c->timer, c->idle_ms);
}

/* Servers without EDNS may send a header with FORMERR or NOTIMP and nothing else (RFC 6891 §7). */
static void on_header_only(struct conn *c, struct exchange *e, const struct reply *r)
{
	if (e->edns && (r->rcode == RCODE_FORMERR || r->rcode == RCODE_NOTIMP))
		server_shuns_edns(c->server);
	take_out(c, e);
	exchange_end(e, LOST, NULL);
}

/* No such exchange, or another question. Duplicates, and late replies to what was given up, do no
 * harm. */
static void on_mismatch(struct conn *c, const struct reply *r, bool is_waited_for)
{
	struct fault f;

	c->server->all->metrics->replies_unmatched++;
	if (!is_waited_for && was_used(c, r->id))
		return;
	if (++c->mismatches <= MISMATCHES_MAX)
		return;
	fault_set(&f, PHASE_PARSE, "mismatch", "the server or something before it is broken",
		"the server sent %u replies that match no question", c->mismatches);
	c->answered = false;
	conn_end(c, &f);
}

static void on_message(struct conn *c, struct span m)
{
	struct reply reply;

	if (!reply_parse(m, &reply)) {
		on_malformed(c);
		return;
	}
	struct exchange *e = *place(c, reply.id);

	if (e && reply.flags & DNS_QR && !reply.count[0] && reply.rcode != RCODE_NOERROR &&
		reply.rcode != RCODE_NXDOMAIN) {
		on_header_only(c, e, &reply);
	} else if (!e || !reply_answers(&reply, e->question)) {
		on_mismatch(c, &reply, e != NULL);
	} else {
		take_out(c, e);
		c->answered = true;
		server_answered(c->server);
		if (reply.edns.has_keepalive)
			learn_idle_time(c, reply.edns.keepalive);
		exchange_end(e, REPLIED, &reply);
	}
}

/* ---- events of the stream ---- */

static void on_opened(void *arg)
{
	struct conn *c = arg;

	c->heard_ms = loop_now(loop_of(c));
	server_connected(c->server, stream_tls_facts(c->stream));
}

static void on_got(void *arg, struct buf *in)
{
	struct conn *c = arg;
	struct span m;

	c->heard_ms = loop_now(loop_of(c));
	while (c->stream && frame_first(in, &m)) {
		on_message(c, m);
		frame_drop(in, m);
	}
}

static void on_closed(void *arg, const struct fault *f)
{
	conn_end(arg, f);
}

static void on_ended(void *arg)
{
	static const struct fault none = { .phase = PHASE_NONE, .cause = "none", .hint = "" };

	conn_end(arg, &none);
}

static const struct stream_events events = {
	.opened = on_opened, .got = on_got, .ended = on_ended, .closed = on_closed
};

/* ---- silence and idleness ---- */

static void on_silence(struct conn *c)
{
	struct fault f;

	fault_set(&f, PHASE_READ, "silent",
		"check the network between here and the server; queries go elsewhere meanwhile",
		"the server owes %zu answers and says nothing", c->in_flight);
	c->answered = false; /* whatever it did before: it is no use now */
	conn_end(c, &f);
}

static void on_timer(struct timer *t)
{
	struct conn *c = container_of(t, struct conn, timer);
	const struct upstream_conf *conf = c->server->all->conf;
	struct list *oldest = list_first(&c->waiting);
	uint64_t now = loop_now(loop_of(c)), since = c->used_ms, limit = c->idle_ms;

	if (oldest) {
		since = container_of(oldest, struct exchange, node)->sent_ms;
		if (since < c->heard_ms)
			since = c->heard_ms;
		limit = conf->silent_ms;
	}
	if (now - since < limit)
		timer_start(loop_of(c), t, since + limit - now);
	else if (oldest)
		on_silence(c);
	else
		conn_finish(c);
}

/* ---- the transport ---- */

static struct conn *tls_open(struct server *s)
{
	struct upstreams *u = s->all;
	struct conn *c = calloc(1, sizeof *c);
	struct stream_conf conf = { .events = &events,
		.arg = c,
		.open_ms = u->conf->connect_ms,
		.write_ms = u->conf->silent_ms };

	if (!c)
		return NULL;
	c->server = s;
	c->timer.fire = on_timer;
	c->bury.run = on_bury;
	list_init(&c->waiting);
	c->used_ms = loop_now(u->loop);
	c->idle_ms = u->conf->idle_ms;
	c->stream = stream_connect(u->loop, &s->conf->addr, s->tls, &s->identity, &conf);
	if (!c->stream) {
		free(c);
		return NULL;
	}
	list_push(&s->conns, &c->node);
	s->conn = c;
	return c;
}

static int stream_transport_send(struct conn *c, struct exchange *e, const struct ask *ask)
{
	const struct upstream_conf *conf = c->server->all->conf;
	uint8_t head[FRAME_HEAD], message[BUILD_QUERY_MAX];

	if (c->in_flight >= conf->in_flight)
		return -EAGAIN;
	e->id = free_id(c);
	struct query_form form = { .id = e->id,
		.flags = ask->flags,
		.question = *ask->question,
		.edns = e->edns,
		.dnssec_ok = ask->dnssec_ok,
		.keepalive = true,
		.pad = true };
	size_t len = build_query(message, &form);

	frame_head(head, len);
	if (!stream_send(
		    c->stream, (struct span){ head, sizeof head }, (struct span){ message, len }))
		return -ENOMEM;
	if (!c->in_flight)
		timer_start(loop_of(c), &c->timer, conf->silent_ms);
	put_in(c, e);
	return 0;
}

const struct transport over_tls = { .name = "tls",
	.open = tls_open,
	.send = stream_transport_send,
	.forget = take_out,
	.finish = conn_finish };
