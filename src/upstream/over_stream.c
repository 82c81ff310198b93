/* over_stream: exchanges over a connection of framed messages; over_tls is that with TLS.
 *
 * Many exchanges are in flight on one connection, under random IDs (RFC 7766 §6.2.1.1, RFC 7858
 * §3.3); replies come in any order. An exchange waits in two places at once: in `waiting`, oldest
 * first (or in `stalled`, when the connection has become suspect), and in the bucket of its ID.
 *
 * When the oldest exchange has waited, and nothing was heard, for longer than is usual, either the
 * connection is dead or the question is hard. Where the peer's host has not even acknowledged our
 * bytes, it is dead. Else it is asked an easy question (`. NS`): a reply to that says that the
 * server is there, and the wait goes on; without one, the connection is suspect. It is given up
 * when nothing was heard for upstream_conf.silent_ms.
 *
 * It ends once: by finish_off(), after which its exchanges are LOST and it only waits for its
 * memory to be freed.
 */
#include "upstream/server.h"

#include "base/bug.h"
#include "net/frame.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 1024
/* The check, and the exchange that is being taken out. */
#define CHECK_AND_THIS 2
/* A server that sends more replies than this which match nothing is not worth listening to. */
#define MISMATCHES_MAX 16
/* A peer whose host is there may be silent for so long before it is asked an easy question, and for
 * so long until the next time. */
#define CHECK_FIRST_MS 500
#define CHECK_AGAIN_MS 1000
/* What gets through wherever IPv6 does: its least MTU without the headers of IP and TCP, and some
 * options (RFC 8200 §5). */
#define SHORT_SEGMENT 1200

/* An ID rests for so many others at least before it is sent again on its connection, and for twice
 * as many at most. Longer than any reply is late. */
#define IDS_REST 16384
/* So many draws find one that is free, of any ID. */
#define ID_DRAWS 32

struct ids {
	uint8_t bits[65536 / 8];
};

struct stream_conn {
	struct conn base;
	struct stream *stream; /* NULL: it has ended */
	struct timer timer; /* silence, or idleness */
	struct task bury;
	uint64_t heard_ms, used_ms;
	bool finishing; /* ends when nothing is in flight */
	bool useless; /* whatever it did before: it is of no use now */
	unsigned mismatches;
	struct ids used[2]; /* sent here of late, and before that: see free_id() */
	size_t used_count; /* in the first */
	unsigned used_turns; /* after two, any may have been before that */
	struct list waiting, stalled;
	struct exchange check; /* the easy question */
	unsigned checks; /* since it was idle */
	unsigned check_at_ms; /* after so long a wait it was asked */
	struct exchange *by_id[BUCKETS];
};

static struct stream_conn *own(struct conn *c)
{
	return container_of(c, struct stream_conn, base);
}

static struct server *server_of(const struct stream_conn *c)
{
	return c->base.lane->server;
}

static struct upstreams *all_of(const struct stream_conn *c)
{
	return server_of(c)->all;
}

static struct loop *loop_of(const struct stream_conn *c)
{
	return all_of(c)->loop;
}

/* ---- exchanges by ID ---- */

static struct exchange **place(struct stream_conn *c, uint16_t id)
{
	struct exchange **e = &c->by_id[id % BUCKETS];

	while (*e && (*e)->id != id)
		e = &(*e)->next_of_id;
	return e;
}

static bool has_id(const struct ids *ids, uint16_t id)
{
	return ids->bits[id / 8] & 1u << id % 8;
}

static bool was_used_of_late(const struct stream_conn *c, uint16_t id)
{
	return has_id(&c->used[0], id) || has_id(&c->used[1], id);
}

/* With more than so many in flight, there may be none that does not rest. */
static bool is_free(struct stream_conn *c, uint16_t id)
{
	return !*place(c, id) && (c->base.in_flight > IDS_REST || !was_used_of_late(c, id));
}

/* One that was sent rests: the reply to an exchange that was given up, or a second one, could be
 * taken for that of another one with the same question and other flags. */
static uint16_t free_id(struct stream_conn *c)
{
	uint16_t id = rand_u16(all_of(c)->rand);

	for (int i = 1; i < ID_DRAWS && !is_free(c, id); i++)
		id = rand_u16(all_of(c)->rand);
	while (!is_free(c, id))
		id++;
	return id;
}

static void note_id(struct stream_conn *c, uint16_t id)
{
	if (c->used_count == IDS_REST) {
		c->used[1] = c->used[0];
		c->used[0] = (struct ids){ 0 };
		c->used_count = 0;
		c->used_turns++;
	}
	c->used[0].bits[id / 8] |= (uint8_t)(1u << id % 8);
	c->used_count++;
}

static void put_in(struct stream_conn *c, struct exchange *e)
{
	struct exchange **bucket = &c->by_id[e->id % BUCKETS];

	e->next_of_id = *bucket;
	*bucket = e;
	list_push(&c->waiting, &e->node);
	note_id(c, e->id);
}

static bool is_idle(const struct stream_conn *c)
{
	return list_empty(&c->waiting) && list_empty(&c->stalled);
}

static void take_out(struct stream_conn *c, struct exchange *e)
{
	struct exchange **at = place(c, e->id);

	MUST(*at == e);
	*at = e->next_of_id;
	list_remove(&e->node);
	c->used_ms = loop_now(loop_of(c));
	if (!c->stream)
		return;
	if (c->check.conn && c->base.in_flight == CHECK_AND_THIS && e != &c->check)
		exchange_cancel(&c->check); /* nobody waits for what it would tell */
	if (!is_idle(c))
		return;
	c->checks = 0;
	if (c->finishing)
		stream_finish(c->stream);
	else
		timer_start(loop_of(c), &c->timer, conn_idle_ms(&c->base));
}

/* What comes under it is only late. */
static bool was_used(const struct stream_conn *c, uint16_t id)
{
	return c->used_turns > 1 || was_used_of_late(c, id);
}

/* ---- ending ---- */

static void on_bury(struct task *t)
{
	struct stream_conn *c = container_of(t, struct stream_conn, bury);

	conn_gone(&c->base);
	free(c);
}

static struct exchange *oldest(const struct stream_conn *c)
{
	struct list *node = list_first(&c->stalled);

	if (!node)
		node = list_first(&c->waiting);
	return node ? container_of(node, struct exchange, node) : NULL;
}

static void finish_off(struct stream_conn *c, const struct fault *f)
{
	bool wanted = f->phase != PHASE_NONE || !is_idle(c);
	bool useful = !c->useless && (c->base.replies || !wanted);
	uint64_t idle_ms = loop_now(loop_of(c)) - c->used_ms;
	bool was_open = c->base.open;
	struct exchange *e;

	if (!c->stream)
		return;
	stream_close(c->stream);
	c->stream = NULL;
	c->finishing = false;
	timer_stop(loop_of(c), &c->timer);
	loop_later(loop_of(c), &c->bury);
	conn_ended(&c->base, f, useful, (unsigned)idle_ms);
	while ((e = oldest(c))) {
		struct exchange **at = place(c, e->id);

		*at = e->next_of_id;
		list_remove(&e->node);
		exchange_end(e, LOST, NULL);
	}
	if (was_open || !lane_is_dialling(c->base.lane))
		lane_pump(c->base.lane); /* else the others are waited for */
}

/* When nothing is in flight any more. */
static void conn_finish(struct conn *base)
{
	struct stream_conn *c = own(base);

	c->finishing = true;
	if (c->stream && is_idle(c))
		stream_finish(c->stream);
}

/* ---- replies ---- */

/* The wait goes on: what cannot be read cannot be matched. */
static void on_malformed(struct stream_conn *c)
{
	struct fault f;

	all_of(c)->metrics->replies_malformed++;
	fault_set(&f, PHASE_PARSE, "malformed",
		"the server is broken: use another, or tell its operator",
		"the server sent a reply that is not a DNS message");
	server_complain(server_of(c), &c->base.to, &f);
}

/* Servers without EDNS may send a header with FORMERR or NOTIMP and nothing else (RFC 6891 §7). */
static void on_header_only(struct stream_conn *c, struct exchange *e, const struct reply *r)
{
	if (e->edns && (r->rcode == RCODE_FORMERR || r->rcode == RCODE_NOTIMP))
		server_shuns_edns(e->server);
	take_out(c, e);
	conn_release(&c->base);
	exchange_end(e, LOST, NULL);
}

/* No such exchange, or another question. Duplicates, and late replies to what was given up, do no
 * harm. */
static void on_mismatch(struct stream_conn *c, const struct reply *r, bool is_waited_for)
{
	struct fault f;

	all_of(c)->metrics->replies_unmatched++;
	server_of(c)->known.unmatched++;
	if (!is_waited_for && was_used(c, r->id))
		return;
	if (++c->mismatches <= MISMATCHES_MAX)
		return;
	fault_set(&f, PHASE_PARSE, "mismatch", "the server or something before it is broken",
		"the server sent %u replies that match no question", c->mismatches);
	c->useless = true;
	finish_off(c, &f);
}

/* So long may nothing be heard without anything being wrong. */
static unsigned suspect_ms(const struct stream_conn *c)
{
	unsigned patience = c->checks ? CHECK_AGAIN_MS : CHECK_FIRST_MS;
	unsigned ms = rtt_suspect_ms(&server_of(c)->known.rtt);

	return ms < patience && !stream_is_acked(c->stream) ? ms : patience;
}

static void on_message(struct stream_conn *c, struct span m)
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
	} else if (!e || !reply_answers(&reply, e->ask.question)) {
		on_mismatch(c, &reply, e != NULL);
	} else {
		if (reply.edns.has_keepalive) /* in 100 ms; we are gone before (RFC 7828 §3.4) */
			conn_keepalive(&c->base, reply.edns.keepalive * 90u);
		take_out(c, e);
		if (c->base.suspect &&
			!is_idle(c)) /* it is not any more, and may become so again */
			timer_start(loop_of(c), &c->timer, suspect_ms(c));
		conn_replied(&c->base, e, &reply);
	}
}

/* ---- events of the stream ---- */

static void on_opened(void *arg)
{
	struct stream_conn *c = arg;

	c->heard_ms = c->used_ms = loop_now(loop_of(c));
	timer_start(loop_of(c), &c->timer, conn_idle_ms(&c->base));
	conn_opened(&c->base, stream_tls_facts(c->stream));
}

static void on_got(void *arg, struct buf *in)
{
	struct stream_conn *c = arg;
	struct span m;

	/* Octets of a message that never ends are nothing (RFC 7766 §6.2.3). */
	while (c->stream && frame_first(in, &m)) {
		c->heard_ms = loop_now(loop_of(c));
		on_message(c, m);
		frame_drop(in, m);
	}
}

static void on_closed(void *arg, const struct fault *f)
{
	finish_off(arg, f);
}

static void on_ended(void *arg)
{
	static const struct fault none = { .phase = PHASE_NONE, .cause = "none", .hint = "" };

	finish_off(arg, &none);
}

static const struct stream_events events = {
	.opened = on_opened, .got = on_got, .ended = on_ended, .closed = on_closed
};

/* ---- silence and idleness ---- */

static void on_silence(struct stream_conn *c)
{
	struct fault f;

	fault_set(&f, PHASE_READ, "silent",
		"check the network between here and the server; queries go elsewhere meanwhile",
		"the server owes %zu answers and says nothing", c->base.in_flight);
	/* A server that answers on another connection meanwhile has not failed. */
	c->useless = server_of(c)->answered_ms <= c->heard_ms;
	finish_off(c, &f);
}

/* Those that wait are told, and may ask elsewhere as well. */
static void become_suspect(struct stream_conn *c)
{
	struct list *node;

	conn_suspected(&c->base);
	while ((node = list_first(&c->waiting))) {
		struct exchange *e = container_of(node, struct exchange, node);

		list_remove(node);
		list_push(&c->stalled, node);
		e->stalled = true;
		if (e->on_stalled)
			e->on_stalled(e);
	}
}

/* What became of it is told by what was heard. */
static void on_checked(struct exchange *e, enum outcome outcome, const struct reply *r)
{
	(void)e;
	(void)outcome;
	(void)r;
}

static bool ask_easy_question(struct stream_conn *c)
{
	if (c->check.conn || !stream_is_acked(c->stream))
		return false;
	c->check.done = on_checked;
	if (!conn_ask(&c->base, &c->check, &server_easy_question))
		return false;
	c->checks++;
	return true;
}

/* So long nothing was heard of the oldest exchange. */
static void on_waiting(struct stream_conn *c, uint64_t waited)
{
	unsigned silent = all_of(c)->conf->silent_ms, usual = suspect_ms(c);

	if (waited >= silent) {
		on_silence(c);
		return;
	}
	if (c->check.conn) /* as long as it may take */
		usual = c->check_at_ms + rtt_dial_ms(&server_of(c)->known.rtt);
	if (c->base.suspect || usual > silent)
		usual = silent;
	if (waited < usual) {
		timer_start(loop_of(c), &c->timer, usual - waited);
	} else if (ask_easy_question(c)) {
		c->check_at_ms = (unsigned)waited;
		timer_start(loop_of(c), &c->timer, rtt_dial_ms(&server_of(c)->known.rtt));
	} else {
		timer_start(loop_of(c), &c->timer, silent - waited);
		become_suspect(c);
	}
}

static void on_timer(struct timer *t)
{
	struct stream_conn *c = container_of(t, struct stream_conn, timer);
	const struct exchange *e = oldest(c);
	uint64_t now = loop_now(loop_of(c)), since = c->used_ms;
	unsigned idle_ms = conn_idle_ms(&c->base);

	if (e) {
		since = e->sent_us / 1000 > c->heard_ms ? e->sent_us / 1000 : c->heard_ms;
		on_waiting(c, now > since ? now - since : 0);
	} else if (now - since < idle_ms) {
		timer_start(loop_of(c), t, since + idle_ms - now);
	} else {
		timer_start(loop_of(c), t, idle_ms);
		conn_idle(&c->base);
	}
}

/* ---- the transport ---- */

static struct conn *stream_open(struct lane *l, const struct addr *to)
{
	struct server *s = l->server;
	struct stream_conn *c = calloc(1, sizeof *c);
	struct stream_conf conf = { .events = &events,
		.arg = c,
		.open_ms = s->all->conf->connect_ms,
		.write_ms = s->all->conf->silent_ms,
		.source = &s->conf->source,
		.interface = s->conf->interface,
		.segment = l->careful ? SHORT_SEGMENT : 0 };

	if (!c)
		return NULL;
	c->timer.fire = on_timer;
	c->bury.run = on_bury;
	list_init(&c->waiting);
	list_init(&c->stalled);
	server_aim(s, to);
	c->stream = stream_connect(s->all->loop, to, s->tls, &s->identity, &conf);
	if (!c->stream) {
		free(c);
		return NULL;
	}
	c->used_ms = loop_now(s->all->loop);
	conn_init(&c->base, l, to);
	return &c->base;
}

static int stream_transport_send(struct conn *base, struct exchange *e)
{
	struct stream_conn *c = own(base);
	uint8_t head[FRAME_HEAD], message[BUILD_QUERY_MAX];

	e->id = free_id(c);
	struct query_form form = { .id = e->id,
		.flags = e->ask.flags,
		.question = *e->ask.question,
		.edns = e->edns,
		.dnssec_ok = e->ask.dnssec_ok,
		.keepalive = true,
		.pad = server_of(c)->tls != NULL };
	size_t len = build_query(message, &form);

	frame_head(head, len);
	if (!stream_send(
		    c->stream, (struct span){ head, sizeof head }, (struct span){ message, len }))
		return -ENOMEM;
	if (is_idle(c))
		timer_start(loop_of(c), &c->timer, suspect_ms(c));
	put_in(c, e);
	return 0;
}

static void stream_forget(struct conn *base, struct exchange *e)
{
	take_out(own(base), e);
}

static void stream_end(struct conn *base, const struct fault *f)
{
	struct stream_conn *c = own(base);

	if (c->stream)
		finish_off(c, f);
}

static bool stream_is_from(const struct conn *base, struct addr *local)
{
	const struct stream_conn *c = container_of(base, struct stream_conn, base);

	return c->stream && stream_local(c->stream, local);
}

#define OVER_STREAM(scheme)                                                                        \
	{                                                                                          \
		.name = scheme, .connects = true, .open = stream_open,                             \
		.send = stream_transport_send, .forget = stream_forget, .finish = conn_finish,     \
		.end = stream_end, .local = stream_is_from                                         \
	}

const struct transport over_tls = OVER_STREAM("tls"), over_tcp = OVER_STREAM("tcp");
