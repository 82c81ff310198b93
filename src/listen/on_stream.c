/* on_stream: queries that come in frames over connections (RFC 7766).
 *
 * What a connection is, is told first (greeting.h). Then it talks: it is idle (no query waits, no
 * message has begun), reading (a message has begun), or busy (queries wait); only in the first two
 * does its timer run, and may it have to give way to a newcomer. It is held, not read for a moment,
 * when its client asks too much. It ends when its client has ended or gone, or when a limit says
 * so, but not before the answers to what it asked have been sent.
 */
#include "listen/conn.h"

#include "base/bug.h"
#include "base/log.h"
#include "listen/discover.h"
#include "listen/door.h"
#include "listen/greeting.h"
#include "net/frame.h"

#include <errno.h>
#include <stdlib.h>

/* More unsent answers than this, and nothing more is read until the client has taken them. */
#define UNSENT_MAX (256 * 1024)

/* Whoever asked one query of a connection. */
struct stream_client {
	struct client base;
	struct stream_conn *conn;
};

/* ---- answers ---- */

static bool is_full(const struct stream_conn *c)
{
	return c->waiting >= c->listener->conf->pipeline || stream_unsent(c->stream) > UNSENT_MAX;
}

/* Is read again if nothing is against it any more; on_got() comes then, and goes on. */
static bool resume(struct stream_conn *c)
{
	if (!c->paused || c->progress != TALKING || c->clock == HELD || c->stopped ||
		c->finishing || is_full(c))
		return false;
	conn_set_paused(c, false);
	c->due = true;
	return true;
}

static void reply(struct client *base, struct span message)
{
	struct stream_conn *c = container_of(base, struct stream_client, base)->conn;
	struct stream_listener *l = c->listener;
	uint8_t head[FRAME_HEAD];

	if (!c->stream || c->finishing)
		return; /* the client has gone (RFC 7766 §6.2.4) */
	frame_head(head, message.len);
	if (!stream_send(c->stream, (struct span){ head, sizeof head }, message))
		conn_finish(c); /* no memory for an answer */
	door_look_at_unsent(l);
}

static void done(struct client *base)
{
	struct stream_client *client = container_of(base, struct stream_client, base);
	struct stream_conn *c = client->conn;

	free(client);
	c->waiting--;
	if (!c->stream) {
		conn_free_if_over(c);
		return;
	}
	if (c->finishing)
		return;
	if (!c->waiting)
		list_push(&c->listener->hosts->quiet, &c->quiet);
	if (resume(c) || ((c->due || c->clock == HELD) && !c->stopped))
		return;
	if (!c->waiting && (c->stopped || c->ended))
		conn_finish(c);
	else if (!c->waiting && c->clock == STOPPED)
		conn_start_clock(c, IDLE);
}

/* Who comes through a proxy knows its address, not ours. */
static void find_asked_at(const struct stream_conn *c, struct addr *at)
{
	if (c->named || !c->stream || !stream_local(c->stream, at))
		*at = (struct addr){ .any.sa_family = AF_UNSPEC };
}

static void tell(const struct client *base, struct discovery *d)
{
	const struct stream_conn *c = container_of(base, const struct stream_client, base)->conn;
	struct addr at;

	find_asked_at(c, &at);
	discover(c->listener->shared, &at, d);
}

/* Of who has gone there is no more to know; nor does it hear what is said. */
static void facts(const struct client *base, struct client_facts *f)
{
	const struct stream_conn *c = container_of(base, const struct stream_client, base)->conn;
	const struct tls_facts *tls = c->stream ? stream_tls_facts(c->stream) : NULL;
	const struct endpoint *e = c->listener->base.endpoint;

	f->identity = tls ? tls->client : NULL;
	f->listener = e ? e->text : NULL;
	find_asked_at(c, &f->asked_at);
}

static const struct client_ops client_ops = { reply, done, tell, facts };

/* ---- queries ---- */

static void count_message(const struct stream_conn *c)
{
	struct metrics *m = c->listener->env->metrics;

	if (c->secured)
		m->queries_tls++;
	else
		m->queries_tcp++;
}

/* False: there is no memory for it. */
static bool begin_query(struct stream_conn *c, struct span message)
{
	struct stream_client *client = malloc(sizeof *client);
	struct query_env *env = c->listener->env;

	count_message(c);
	if (!client) {
		env->metrics->dropped++;
		return false;
	}
	client->base = (struct client){
		.ops = &client_ops, .peer = &c->peer, .stream = true, .encrypted = c->secured
	};
	client->conn = c;
	c->waiting++;
	list_remove(&c->quiet);
	query_begin(env, &client->base, message);
	return true;
}

/* The timer of a message runs from its first octet to its last, whatever drips in between. */
static void set_clock(struct stream_conn *c, bool partial, bool took_some)
{
	if (partial && (c->clock != READING || took_some))
		conn_start_clock(c, READING);
	else if (!partial && c->waiting)
		conn_start_clock(c, STOPPED);
	else if (!partial)
		conn_start_clock(c, IDLE);
}

/* The connection has been of use for long enough: what it has brought is answered, and no more
 * taken. */
static bool is_used_up(const struct stream_conn *c)
{
	const struct listen_conf *conf = c->listener->conf;
	struct metrics *m = c->listener->env->metrics;
	bool asked_all = conf->queries_before_close && c->brought >= conf->queries_before_close;
	bool old = !asked_all && loop_now(c->listener->env->loop) >= c->ends_ms;

	m->clients_asked_all += asked_all;
	m->clients_old += old;
	return asked_all || old;
}

static void take_queries(struct stream_conn *c, struct buf *in, bool *took_some)
{
	struct span m;

	while (c->stream && !c->finishing && !is_full(c) && frame_first(in, &m)) {
		if (m.len < DNS_HEADER) {
			count_message(c);
			c->listener->env->metrics->dropped++;
			conn_stop_taking(c); /* whoever frames like this will not do better */
			return;
		}
		if (!query_may_come(c->listener->env, &c->peer)) {
			conn_set_paused(c, true);
			conn_start_clock(c, HELD);
			return;
		}
		*took_some = true;
		if (!begin_query(c, m)) {
			conn_stop_taking(c); /* so that its client asks again, and elsewhere */
			return;
		}
		frame_drop(in, m);
		c->brought++;
		if (c->stream && !c->finishing && is_used_up(c)) {
			conn_stop_taking(c);
			return;
		}
	}
}

/* ---- what comes ---- */

static void on_opened(void *arg)
{
	greeting_secured(arg);
}

static void on_got(void *arg, struct buf *in)
{
	struct stream_conn *c = arg;
	bool took_some = false;

	c->due = false;
	if (c->stopped || c->finishing || !greeting_take(c, in))
		return;
	take_queries(c, in, &took_some);
	if (!c->stream || c->finishing || c->stopped || c->clock == HELD)
		return;
	if (is_full(c)) {
		conn_set_paused(c, true);
		conn_start_clock(c, STOPPED);
	} else if (!c->ended) {
		set_clock(c, buf_len(in) > 0, took_some);
	} else if (!c->waiting) {
		conn_finish(c);
	}
}

static void on_ended(void *arg)
{
	struct stream_conn *c = arg;

	c->ended = true;
	if (!c->paused && !c->waiting && !c->due)
		conn_finish(c);
	else if (c->clock != HELD)
		conn_start_clock(c, STOPPED);
}

/* The client has taken its answers. */
static void on_drained(void *arg)
{
	resume(arg);
}

static void note_failure(const struct stream_conn *c, const struct fault *f)
{
	char text[ADDR_TEXT];
	struct log_line l;

	c->listener->env->metrics->clients_tls_failed++;
	log_begin(&l, LOG_DEBUG, "a client's TLS handshake failed");
	log_str(&l, "client", addr_print(&c->peer, text));
	log_str(&l, "cause", f->cause);
	log_str(&l, "reason", f->reason);
	log_end(&l);
}

static void on_closed(void *arg, const struct fault *f)
{
	struct stream_conn *c = arg;

	if (f->phase == PHASE_WRITE) {
		c->listener->env->metrics->clients_late++;
		c->listener->env->metrics->clients_late_write++;
	}
	if (c->progress == SHAKING && f->phase != PHASE_NONE)
		note_failure(c, f);
	conn_detach(c);
}

static const struct stream_events events = { .opened = on_opened,
	.got = on_got,
	.ended = on_ended,
	.drained = on_drained,
	.closed = on_closed };

static void on_timer(struct timer *t)
{
	struct stream_conn *c = container_of(t, struct stream_conn, timer);
	struct metrics *m = c->listener->env->metrics;
	bool old = loop_now(c->listener->env->loop) >= c->ends_ms;

	if (c->clock == HELD && !old) {
		c->clock = STOPPED;
		resume(c);
		return;
	}
	if (old)
		m->clients_old++;
	else if (c->clock == READING)
		m->clients_late++;
	else
		m->clients_idle++;
	conn_stop_taking(c);
}

/* ---- connections ---- */

static uint64_t ends_at(const struct stream_listener *l)
{
	return l->conf->lifetime_ms ? loop_now(l->env->loop) + l->conf->lifetime_ms : UINT64_MAX;
}

static void on_client(void *arg, const struct addr *peer)
{
	struct stream_listener *l = arg;
	struct stream_conf conf = {
		.events = &events, .write_ms = l->conf->write_ms, .unsent = &l->hosts->unsent
	};
	/* Of a proxy, each counts for the client that it is for. */
	const bool unnamed = acl_has(&l->conf->proxies, peer);
	struct stream_conn *c;

	if (!door_enter(l, peer, unnamed ? SIZE_MAX : l->conf->connections_per_client)) {
		l->env->metrics->clients_refused++;
		return;
	}
	c = calloc(1, sizeof *c);
	if (!c)
		goto fail;
	c->listener = l;
	c->peer = *peer;
	c->progress = unnamed ? UNNAMED : OPENING;
	c->timer.fire = on_timer;
	c->ends_ms = ends_at(l);
	c->handshake.begin = greeting_on_turn;
	list_init(&c->handshake.node);
	conf.arg = c;
	c->stream = stream_accept(l->acceptor, &conf);
	if (!c->stream)
		goto fail;
	list_push(&l->hosts->all, &c->node);
	list_push(&l->hosts->quiet, &c->quiet);
	l->live++;
	conn_start_clock(c, unnamed ? READING : IDLE);
	return;

fail:
	l->env->metrics->clients_refused++;
	l->env->metrics->clients_refused_memory++;
	free(c);
	hosts_leave(l->hosts, peer);
}

/* ---- the listener ---- */

static void on_gone(struct task *t)
{
	struct stream_listener *l = container_of(t, struct stream_listener, gone);
	void (*closed)(void *) = l->closed;
	void *arg = l->closed_arg;

	free(l);
	closed(arg);
}

static bool serves(const struct endpoint *e)
{
	(void)e;
	return true;
}

static int open_stream(struct listener **out, struct listening *shared, const struct endpoint *e,
	enum sharing sharing)
{
	struct stream_listener *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->base = (struct listener){ .ops = &on_stream, .spoken = e->spoken };
	l->env = shared->env;
	l->conf = &shared->conf;
	l->shared = shared;
	l->hosts = &shared->hosts;
	l->gone.run = on_gone;
	shared->relief.run = door_on_relief;
	int err = acceptor_open(&l->acceptor, l->env->loop, &e->at, sharing, on_client, l);

	if (err < 0) {
		free(l);
		return err;
	}
	*out = &l->base;
	return 0;
}

static void bound_address(const struct listener *base, struct addr *a)
{
	acceptor_address(container_of(base, const struct stream_listener, base)->acceptor, a);
}

/* More queries of one connection may wait than before. */
static void renew(struct listener *base)
{
	struct stream_listener *l = container_of(base, struct stream_listener, base);

	for (struct list *node = l->hosts->all.next; node != &l->hosts->all; node = node->next) {
		struct stream_conn *c = container_of(node, struct stream_conn, node);

		if (c->listener == l)
			resume(c);
	}
}

static void stop_all(struct listener *base)
{
	struct stream_listener *l = container_of(base, struct stream_listener, base);

	acceptor_close(l->acceptor);
	l->acceptor = NULL;
	list_each_safe (node, &l->hosts->all) {
		struct stream_conn *c = container_of(node, struct stream_conn, node);

		if (c->listener == l)
			conn_stop_taking(c);
	}
}

static void close_all(struct listener *base, void (*closed)(void *arg), void *arg)
{
	struct stream_listener *l = container_of(base, struct stream_listener, base);

	l->closed = closed;
	l->closed_arg = arg;
	conn_tell_if_gone(l);
}

const struct listener_ops on_stream = { .name = "tcp",
	.serves = serves,
	.open = open_stream,
	.address = bound_address,
	.renew = renew,
	.stop = stop_all,
	.close = close_all };
