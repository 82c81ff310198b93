#include "listen/greeting.h"

#include "base/log.h"
#include "listen/door.h"
#include "listen/opening.h"
#include "listen/proxied.h"
#include "listen/relay.h"
#include "net/proxy.h"

/* ---- whom it is for ---- */

/* Whoever is named is the client from here on; if nobody is, that is the proxy. */
static bool take_name(struct stream_conn *c, const struct addr *named)
{
	struct stream_listener *l = c->listener;

	if (named->any.sa_family == AF_UNSPEC)
		return true;
	if (!door_enter_client(l, named, l->conf->connections_per_client)) {
		l->env->metrics->clients_refused++;
		return false;
	}
	hosts_leave(l->hosts, &c->peer);
	c->peer = *named;
	c->named = true;
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
		conn_stop_taking(c);
		return false;
	}
	buf_drop(in, h.len);
	c->progress = OPENING;
	conn_start_clock(c, IDLE);
	return true;
}

/* ---- what it is ---- */

/* What is spoken here is not taken here, and gets no answer (RFC 7858 §3.1). */
static void turn_away(struct stream_conn *c)
{
	c->listener->env->metrics->clients_unwelcome++;
	conn_finish(c);
}

/* False: there is no memory for it, or no certificate. */
static bool secure(struct stream_conn *c)
{
	struct listening *shared = c->listener->shared;
	struct tls_server *server = shown_server(shared->shown, &shared->tls);
	struct addr at;
	const bool known = conn_address(c, &at);

	return server &&
		stream_secure(c->stream, server, known ? &at : NULL, shared->conf.handshake_ms);
}

void greeting_on_turn(struct handshake *h)
{
	struct stream_conn *c = container_of(h, struct stream_conn, handshake);

	c->progress = SHAKING;
	conn_start_clock(c, STOPPED); /* the stream has its own */
	conn_set_paused(c, false);
	if (!secure(c))
		conn_finish(c);
}

static void wait_for_turn(struct stream_conn *c)
{
	c->progress = IN_LINE;
	conn_start_clock(c, READING);
	conn_set_paused(c, true);
	handshakes_ask(&c->listener->shared->handshakes, &c->handshake);
}

static void on_passed(void *arg)
{
	struct stream_conn *c = arg;

	list_remove(&c->quiet);
	list_push(&c->listener->hosts->quiet, &c->quiet);
	door_look_at_unsent(c->listener);
}

static void on_relay_over(void *arg)
{
	struct stream_conn *c = arg;

	c->relay = NULL;
	conn_detach(c);
}

static const struct relay_events relay_events = { on_passed, on_relay_over };

static void pass_through(struct stream_conn *c)
{
	c->relay = relay_begin(c->listener->shared, c->stream, &relay_events, c);
	if (!c->relay) {
		conn_finish(c);
		return;
	}
	c->stream = NULL;
	conn_start_clock(c, LASTING); /* the relay has its own of the others */
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
	conn_finish(c);
}

/* Only what has TLS around it, or need not have, is looked into. True: it talks. */
static bool open_up(struct stream_conn *c, struct buf *in)
{
	const struct spoken *spoken = &c->listener->base.spoken;
	bool open = c->secured || spoken->plain;

	switch (opening_of(buf_span(in))) {
	case OPENING_UNKNOWN:
		if (c->clock != READING && buf_len(in))
			conn_start_clock(c, READING);
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

static void say_secured(const struct stream_conn *c, const struct tls_facts *facts)
{
	char text[ADDR_TEXT];
	struct log_line l;

	log_begin(&l, LOG_DEBUG, "a client has come over TLS");
	log_str(&l, "client", addr_print(&c->peer, text));
	if (facts->client)
		log_str(&l, "proved", facts->client);
	log_str(&l, "tls", facts->version);
	log_str(&l, "cipher", facts->cipher);
	log_str(&l, "resumed", facts->resumed ? "yes" : "no");
	log_end(&l);
}

void greeting_secured(struct stream_conn *c)
{
	const struct tls_facts *facts = stream_tls_facts(c->stream);
	struct metrics *m = c->listener->env->metrics;

	c->secured = true;
	c->progress = OPENING;
	m->clients_tls++;
	m->clients_tls_resumed += facts->resumed;
	if (log_on(LOG_DEBUG))
		say_secured(c, facts);
	if (!c->stopped)
		conn_start_clock(c, IDLE);
}

bool greeting_take(struct stream_conn *c, struct buf *in)
{
	if (c->progress == UNNAMED && !take_header(c, in))
		return false;
	if (c->progress == OPENING)
		return open_up(c, in);
	return c->progress == TALKING;
}
