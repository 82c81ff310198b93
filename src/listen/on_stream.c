/* on_stream: queries that come in frames over connections (RFC 7766).
 *
 * A connection tells by its first octets what it is (opening.h). If that is TLS, it waits for its
 * turn, has its handshake, and tells once more what is inside; or a relay has it from then on,
 * where TLS is passed through. Then it talks: it is idle (no query waits, no message has begun),
 * reading (a message has begun), or busy (queries wait); only in the first two does its timer run,
 * and may it have to give way to a newcomer. It is held, not read for a moment, when its client
 * asks too much. It ends when its client has ended or gone, or when a limit says so, but not before
 * the answers to what it asked have been sent. Its struct lives until the last of its queries is
 * over, even when the stream is gone.
 *
 * What a proxy opens begins with a header (net/proxy.h), which has as much time as a message; once
 * that is read, the connection is the client's whom it names, and as any other.
 */
#include "listen/listener.h"

#include "base/bug.h"
#include "base/log.h"
#include "listen/discover.h"
#include "listen/opening.h"
#include "listen/proxied.h"
#include "listen/relay.h"
#include "net/frame.h"
#include "net/proxy.h"
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>

/* More unsent answers than this, and nothing more is read until the client has taken them. */
#define UNSENT_MAX (256 * 1024)

struct stream_listener {
	struct listener base;
	struct query_env *env;
	const struct listen_conf *conf;
	struct listening *shared; /* with other listeners */
	struct hosts *hosts; /* of it */
	struct acceptor *acceptor; /* NULL: stopped */
	size_t live; /* with memory */
	struct task gone;
	void (*closed)(void *arg);
	void *closed_arg;
};

enum clock { STOPPED, IDLE, READING, HELD };

enum progress {
	UNNAMED, /* comes from a proxy, which has yet to say whom it is for */
	OPENING, /* what is it? */
	IN_LINE, /* TLS, whose handshake has to wait */
	SHAKING, /* hands */
	TALKING
};

struct stream_conn {
	struct list node; /* in hosts->all */
	struct list quiet; /* in hosts->quiet while nothing waits, and while finishing */
	struct stream_listener *listener;
	struct stream *stream; /* NULL: gone, or the relay's */
	struct relay *relay; /* NULL: it is not passed through */
	struct addr peer; /* the client; of an unnamed one its proxy */
	enum progress progress;
	bool secured; /* TLS is around it */
	struct handshake handshake;
	struct timer timer;
	enum clock clock;
	size_t waiting; /* queries */
	size_t brought; /* queries in all */
	uint64_t ends_ms; /* it has lasted long enough then; UINT64_MAX: never */
	bool paused;
	bool due; /* on_got() is, for what was left when it was paused */
	bool ended; /* by the client: finish when all it sent is answered */
	bool stopped; /* by us: finish when what waits is answered */
	bool finishing; /* nothing waits, or nothing matters */
};

/* Whoever asked one query of a connection. */
struct stream_client {
	struct client base;
	struct stream_conn *conn;
};

/* ---- ending ---- */

static void tell_if_gone(struct stream_listener *l)
{
	if (l->closed && !l->live)
		loop_later(l->env->loop, &l->gone);
}

static void free_if_over(struct stream_conn *c)
{
	struct stream_listener *l = c->listener;

	if (c->stream || c->relay || c->waiting)
		return;
	free(c);
	l->live--;
	tell_if_gone(l);
}

/* The stream is gone; answers to what still waits go nowhere. */
static void detach(struct stream_conn *c)
{
	struct stream_listener *l = c->listener;

	c->stream = NULL;
	handshakes_leave(&c->handshake);
	timer_stop(l->env->loop, &c->timer);
	list_remove(&c->node);
	list_remove(&c->quiet);
	hosts_leave(l->hosts, &c->peer);
	free_if_over(c);
}

/* From now on it gives way before any that may be of use. */
static void finish(struct stream_conn *c)
{
	if (!c->stream || c->finishing)
		return;
	c->finishing = true;
	handshakes_leave(&c->handshake);
	list_remove(&c->quiet);
	list_unshift(&c->listener->hosts->quiet, &c->quiet);
	timer_stop(c->listener->env->loop, &c->timer);
	stream_finish(c->stream);
}

static void set_paused(struct stream_conn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	stream_pause(c->stream, paused);
}

/* Takes no more queries. */
static void stop_taking(struct stream_conn *c)
{
	if (c->relay) {
		relay_stop(c->relay);
		return;
	}
	c->stopped = true;
	set_paused(c, true);
	timer_stop(c->listener->env->loop, &c->timer);
	if (!c->waiting)
		finish(c);
}

static void close_now(struct stream_conn *c)
{
	relay_close(c->relay);
	c->relay = NULL;
	stream_close(c->stream);
	detach(c);
}

/* Of the state, not of the client, so that many say it no more often than one. */
static void say_full(const char *msg, size_t most, const char *hint)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, msg);
	log_count(&l, "limit_of_worker", most);
	log_str(&l, "hint", hint);
	log_end(&l);
}

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
	set_paused(c, false);
	c->due = true;
	return true;
}

static void start_clock(struct stream_conn *c, enum clock clock)
{
	const struct listen_conf *conf = c->listener->conf;
	const unsigned after_ms[] = {
		[IDLE] = conf->idle_ms, [READING] = conf->message_ms, [HELD] = QUERY_HOLD_MS
	};
	struct loop *loop = c->listener->env->loop;
	uint64_t now = loop_now(loop), left_ms = c->ends_ms > now ? c->ends_ms - now : 0;

	c->clock = clock;
	if (clock == STOPPED)
		timer_stop(loop, &c->timer);
	else
		timer_start(loop, &c->timer, left_ms < after_ms[clock] ? left_ms : after_ms[clock]);
}

static size_t untaken(const struct stream_conn *c)
{
	return c->relay ? relay_untaken(c->relay) : stream_untaken(c->stream);
}

/* Who has left most answers untaken. */
static struct stream_conn *find_worst(const struct hosts *hosts)
{
	struct stream_conn *worst = NULL;

	for (struct list *node = hosts->all.next; node != &hosts->all; node = node->next) {
		struct stream_conn *c = container_of(node, struct stream_conn, node);

		if (!worst || untaken(c) > untaken(worst))
			worst = c;
	}
	return worst;
}

/* All clients together have left too much. The search goes through all connections, but each costs
 * one of those who have us search its connection. */
static void on_relief(struct task *t)
{
	struct listening *all = container_of(t, struct listening, relief);
	struct stream_conn *worst;

	while (all->hosts.unsent > all->conf.unsent && (worst = find_worst(&all->hosts))) {
		say_full("clients do not take their answers: who left most is disconnected",
			all->conf.unsent, "raise limits.unsent");
		all->env->metrics->clients_unread++;
		close_now(worst);
	}
}

/* Somebody is slow: it is looked at when what this turn sends is out. */
static void look_at_unsent(struct stream_listener *l)
{
	if (l->hosts->unsent)
		loop_later(l->env->loop, &l->shared->relief);
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
		finish(c); /* no memory for an answer */
	look_at_unsent(l);
}

static void done(struct client *base)
{
	struct stream_client *client = container_of(base, struct stream_client, base);
	struct stream_conn *c = client->conn;

	free(client);
	c->waiting--;
	if (!c->stream) {
		free_if_over(c);
		return;
	}
	if (c->finishing)
		return;
	if (!c->waiting)
		list_push(&c->listener->hosts->quiet, &c->quiet);
	if (resume(c) || ((c->due || c->clock == HELD) && !c->stopped))
		return;
	if (!c->waiting && (c->stopped || c->ended))
		finish(c);
	else if (!c->waiting && c->clock == STOPPED)
		start_clock(c, IDLE);
}

static void tell(const struct client *base, struct discovery *d)
{
	const struct stream_conn *c =
		container_of(base, const struct stream_client, base)->conn;
	struct addr at;

	if (!stream_local(c->stream, &at))
		at.any.sa_family = AF_UNSPEC;
	discover(c->listener->shared, &at, d);
}

static const struct client_ops client_ops = { reply, done, tell };

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
		start_clock(c, READING);
	else if (!partial && c->waiting)
		start_clock(c, STOPPED);
	else if (!partial)
		start_clock(c, IDLE);
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
			stop_taking(c); /* whoever frames like this will not do better */
			return;
		}
		if (!query_may_come(c->listener->env, &c->peer)) {
			set_paused(c, true);
			start_clock(c, HELD);
			return;
		}
		*took_some = true;
		if (!begin_query(c, m)) {
			stop_taking(c); /* so that its client asks again, and elsewhere */
			return;
		}
		frame_drop(in, m);
		c->brought++;
		if (c->stream && !c->finishing && is_used_up(c)) {
			stop_taking(c);
			return;
		}
	}
}

/* ---- whom it is for ---- */

/* Counts one connection more of a client. */
static bool enter_client(struct stream_listener *l, const struct addr *client, size_t most)
{
	struct metrics *m = l->env->metrics;
	int err = hosts_enter(l->hosts, client, most);

	m->clients_refused_own += err == -EUSERS;
	m->clients_refused_memory += err == -ENOMEM;
	if (err == -EUSERS)
		say_full("a client has all the connections it may have: more are refused", most,
			"raise limits.connections-per-client");
	return err == 0;
}

/* Whoever is named is the client from here on; if nobody is, that is the proxy. */
static bool take_name(struct stream_conn *c, const struct addr *named)
{
	struct stream_listener *l = c->listener;

	if (named->any.sa_family == AF_UNSPEC)
		return true;
	if (!enter_client(l, named, l->conf->connections_per_client)) {
		l->env->metrics->clients_refused++;
		return false;
	}
	hosts_leave(l->hosts, &c->peer);
	c->peer = *named;
	return true;
}

/* The header of a proxy. True: it is read, and what stands behind it is the client's. */
static bool take_header(struct stream_conn *c, struct buf *in)
{
	struct proxy_header h;
	const enum proxy_found found = proxy_parse(&h, buf_span(in));

	if (found == PROXY_MORE)
		return false;
	if (found == PROXY_NONE)
		proxied_refuse(c->listener->env->metrics);
	if (found == PROXY_NONE || !take_name(c, &h.source)) {
		stop_taking(c);
		return false;
	}
	buf_drop(in, h.len);
	c->progress = OPENING;
	start_clock(c, IDLE);
	return true;
}

/* ---- what it is ---- */

/* What is spoken here is not taken here, and gets no answer (RFC 7858 §3.1). */
static void turn_away(struct stream_conn *c)
{
	c->listener->env->metrics->clients_unwelcome++;
	finish(c);
}

/* False: there is no memory for it, or no certificate. */
static bool secure(struct stream_conn *c)
{
	struct listening *shared = c->listener->shared;
	struct tls_server *server = shown_server(shared->shown, &shared->tls);

	return server && stream_secure(c->stream, server, shared->conf.handshake_ms);
}

static void on_turn(struct handshake *h)
{
	struct stream_conn *c = container_of(h, struct stream_conn, handshake);

	c->progress = SHAKING;
	start_clock(c, STOPPED); /* the stream has its own */
	set_paused(c, false);
	if (!secure(c))
		finish(c);
}

static void wait_for_turn(struct stream_conn *c)
{
	c->progress = IN_LINE;
	start_clock(c, READING);
	set_paused(c, true);
	handshakes_ask(&c->listener->shared->handshakes, &c->handshake);
}

static void on_passed(void *arg)
{
	struct stream_conn *c = arg;

	list_remove(&c->quiet);
	list_push(&c->listener->hosts->quiet, &c->quiet);
	look_at_unsent(c->listener);
}

static void on_relay_over(void *arg)
{
	struct stream_conn *c = arg;

	c->relay = NULL;
	detach(c);
}

static const struct relay_events relay_events = { on_passed, on_relay_over };

static void pass_through(struct stream_conn *c)
{
	c->relay = relay_begin(c->listener->shared, c->stream, &relay_events, c);
	if (!c->relay) {
		finish(c);
		return;
	}
	c->stream = NULL;
	start_clock(c, STOPPED);
}

/* Somebody who has taken us for a web server. */
static void answer_http(struct stream_conn *c)
{
	static const char head[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
				   "Content-Length: 46\r\nConnection: close\r\n\r\n";
	static const char body[] = "This is a DNS server; it does not speak HTTP.\n";

	c->listener->env->metrics->clients_unwelcome++;
	stream_send(c->stream, (struct span){ (const uint8_t *)head, sizeof head - 1 },
		(struct span){ (const uint8_t *)body, sizeof body - 1 });
	finish(c);
}

/* Only what has TLS around it, or need not have, is looked into. True: it talks. */
static bool open_up(struct stream_conn *c, struct buf *in)
{
	const struct spoken *spoken = &c->listener->base.spoken;
	bool open = c->secured || spoken->plain;

	switch (opening_of(buf_span(in))) {
	case OPENING_UNKNOWN:
		if (c->clock != READING && buf_len(in))
			start_clock(c, READING);
		return false;
	case OPENING_TLS:
		if (c->secured || spoken->tls == TLS_REFUSE)
			turn_away(c);
		else if (spoken->tls == TLS_PASSTHROUGH)
			pass_through(c);
		else
			wait_for_turn(c);
		return false;
	case OPENING_HTTP:
		if (open)
			answer_http(c);
		else
			turn_away(c);
		return false;
	default:
		c->progress = TALKING;
		if (!open)
			turn_away(c);
		return open;
	}
}

static void on_opened(void *arg)
{
	struct stream_conn *c = arg;
	struct metrics *m = c->listener->env->metrics;

	c->secured = true;
	c->progress = OPENING;
	m->clients_tls++;
	m->clients_tls_resumed += stream_tls_facts(c->stream)->resumed;
	if (!c->stopped)
		start_clock(c, IDLE);
}

/* ---- what comes ---- */

static void on_got(void *arg, struct buf *in)
{
	struct stream_conn *c = arg;
	bool took_some = false;

	c->due = false;
	if (c->stopped || c->finishing || c->progress == IN_LINE || c->progress == SHAKING)
		return;
	if (c->progress == UNNAMED && !take_header(c, in))
		return;
	if (c->progress == OPENING && !open_up(c, in))
		return;
	take_queries(c, in, &took_some);
	if (!c->stream || c->finishing || c->stopped || c->clock == HELD)
		return;
	if (is_full(c)) {
		set_paused(c, true);
		start_clock(c, STOPPED);
	} else if (!c->ended) {
		set_clock(c, buf_len(in) > 0, took_some);
	} else if (!c->waiting) {
		finish(c);
	}
}

static void on_ended(void *arg)
{
	struct stream_conn *c = arg;

	c->ended = true;
	if (!c->paused && !c->waiting && !c->due)
		finish(c);
	else if (c->clock != HELD)
		start_clock(c, STOPPED);
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
	detach(c);
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
	stop_taking(c);
}

/* ---- connections ---- */

/* Who is finishing, or has been quiet longest, and has been sent every answer; NULL: nobody. */
static struct stream_conn *quietest(struct hosts *h)
{
	list_each_safe (node, &h->quiet) {
		struct stream_conn *c = container_of(node, struct stream_conn, quiet);

		if (!(c->relay ? relay_untaken(c->relay) : stream_unsent(c->stream)))
			return c;
	}
	return NULL;
}

/* Counts a newcomer. In a full table, who has been quiet longest gives way (RFC 9210 §4.2). */
static bool enter(struct stream_listener *l, const struct addr *peer, size_t most)
{
	if (!enter_client(l, peer, most))
		return false;
	if (l->hosts->connections <= l->conf->connections)
		return true;
	say_full("clients have all the connections they may have: quiet ones give way to new ones",
		l->conf->connections, l->shared->more_connections);
	struct stream_conn *quiet = quietest(l->hosts);

	if (!quiet) {
		hosts_leave(l->hosts, peer);
		return false;
	}
	l->env->metrics->clients_gave_way++;
	close_now(quiet);
	return true;
}

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

	if (!enter(l, peer, unnamed ? SIZE_MAX : l->conf->connections_per_client)) {
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
	c->handshake.begin = on_turn;
	list_init(&c->handshake.node);
	conf.arg = c;
	c->stream = stream_accept(l->acceptor, &conf);
	if (!c->stream)
		goto fail;
	list_push(&l->hosts->all, &c->node);
	list_push(&l->hosts->quiet, &c->quiet);
	l->live++;
	start_clock(c, unnamed ? READING : IDLE);
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
	l->base = (struct listener){ &on_stream, e->spoken };
	l->env = shared->env;
	l->conf = &shared->conf;
	l->shared = shared;
	l->hosts = &shared->hosts;
	l->gone.run = on_gone;
	shared->relief.run = on_relief;
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
			stop_taking(c);
	}
}

static void close_all(struct listener *base, void (*closed)(void *arg), void *arg)
{
	struct stream_listener *l = container_of(base, struct stream_listener, base);

	l->closed = closed;
	l->closed_arg = arg;
	tell_if_gone(l);
}

const struct listener_ops on_stream = { .name = "tcp",
	.serves = serves,
	.open = open_stream,
	.address = bound_address,
	.renew = renew,
	.stop = stop_all,
	.close = close_all };
