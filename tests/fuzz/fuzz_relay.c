/* A client and a server with a relay between them, who do what the octets say: send, end, reset, do
 * not take what comes, refuse. What either gets is what the other has sent, in order and nothing
 * else; where nobody was rude, it is all of it. However it ends, it does, once, with nothing left.
 *
 * The choice of a server is a stand-in; the streams are those of tests/sim.
 */
#include "listen/relay.h"

#include <errno.h>
#include <string.h>

#include "../sim/world.h"
#include "fuzz.h"
#include "net/hello.h"

#define STEPS_MAX 256
/* A segment, and what of another one the peer did not take. */
#define SEGMENT     1024
#define WAITING_MAX (2 * SEGMENT)
#define IDLE_MS     1000
/* More than a way to a server takes, when others had to be tried. */
#define CALM_MS  400
#define WRITE_MS 400
#define NAME     "dns.example"
#define PORT     853

/* One end: the client, or the server. */
struct end {
	struct wire *wire;
	struct buf sent, got;
	uint64_t full_ms; /* since when it takes nothing; 0: it does */
	bool ended, is_left; /* is_left: it was told that nothing more comes */
};

static struct {
	struct loop *loop;
	struct listening shared;
	struct query_env env;
	struct metrics metrics;
	struct acceptor *acceptor;
	struct stream *stream; /* of the client, before there is a relay */
	struct relay *relay;
	struct event next;
	const uint8_t *steps;
	size_t left;
	struct end client, server, nobody;
	uint8_t dials; /* two bits for each way, the first ones lowest */
	unsigned tried, lookups, overs;
	uint64_t sent_ms; /* somebody sent something last */
	bool is_rude; /* somebody did what may lose octets */
} run;

/* ---- which server ---- */

enum way { WAY_OPENS, WAY_REFUSES, WAY_VANISHES, WAY_NONE };

static enum way way_at(size_t i)
{
	return (enum way)(run.dials >> 2 * i & 3);
}

int passages_find(struct upstreams *u, const char *name, struct passages *p)
{
	(void)u;
	HOLDS(strcmp(name, NAME) == 0);
	if (run.lookups) {
		run.lookups--;
		return -EAGAIN;
	}
	p->count = 0;
	while (p->count < 3 && way_at(p->count) != WAY_NONE)
		HOLDS(addr_parse(&p->all[p->count++].to, "10.0.2.1", PORT));
	return p->count ? 0 : -EHOSTUNREACH;
}

void passages_clear(struct passages *p)
{
	p->count = 0;
}

const char *passage_text(const struct passages *p, size_t i)
{
	HOLDS(i < p->count);
	return "tls://10.0.2.1";
}

struct stream *passage_open(const struct passages *p, size_t i, struct stream_conf *conf)
{
	HOLDS(i == run.tried && i < p->count);
	conf->open_ms = 100;
	return stream_connect(run.loop, &p->all[i].to, NULL, NULL, conf);
}

void passage_failed(const struct passages *p, size_t i, const struct fault *f)
{
	HOLDS(i < p->count && f->phase == PHASE_CONNECT);
}

/* ---- the two ends ---- */

static void on_got(void *arg, struct span bytes)
{
	struct end *e = arg;

	HOLDS(!e->is_left);
	HOLDS(buf_append(&e->got, bytes));
}

static void on_left(void *arg)
{
	struct end *e = arg;

	e->is_left = true;
}

static void on_dialled(void *arg, const struct addr *to, struct wire *w)
{
	static const enum dial dials[] = { DIAL_OPENS, DIAL_REFUSED, DIAL_VANISHES };

	(void)arg;
	HOLDS(addr_port(to) == PORT);
	w->dial = dials[way_at(run.tried++)];
	w->open_ms = w->delay_ms = 3;
	w->got = on_got;
	w->closed = on_left;
	w->arg = &run.nobody;
	if (w->dial != DIAL_OPENS)
		return;
	w->arg = &run.server;
	run.server.wire = w;
}

/* Octets that are told from all others near them. */
static void send_some(struct end *e, size_t len)
{
	uint8_t *room = buf_room(&e->sent, len);

	if (!e->wire || !e->wire->open || e->ended)
		return;
	HOLDS(room);
	for (size_t i = 0; i < len; i++) {
		size_t at = buf_len(&e->sent) + i;

		room[i] = (uint8_t)(at ^ at >> 8 ^ (e == &run.client));
	}
	wire_send(e->wire, (struct span){ room, len });
	buf_grow(&e->sent, len);
	run.sent_ms = loop_now(run.loop);
}

static void end(struct end *e)
{
	if (!e->wire || !e->wire->open)
		return;
	e->ended = true;
	wire_end(e->wire);
}

static void reset(struct end *e)
{
	if (!e->wire || !e->wire->open)
		return;
	run.is_rude = e->ended = true;
	wire_reset(e->wire);
}

static void take(struct end *e, bool takes)
{
	uint64_t now = loop_now(run.loop);

	if (!e->wire || !e->wire->open || takes == !e->full_ms)
		return;
	run.is_rude |= takes && now - e->full_ms >= WRITE_MS;
	e->full_ms = takes ? 0 : now;
	wire_take(e->wire, takes);
}

static void play_step(uint8_t step)
{
	struct end *e = step & 1 ? &run.client : &run.server;
	size_t n = step >> 4;

	switch (step >> 1 & 7) {
	case 0:
	case 1:
		send_some(e, n * n + 1);
		break;
	case 2:
		send_some(e, n * 700 + 1);
		break;
	case 3:
		end(e);
		break;
	case 4:
		if (n == 0)
			reset(e);
		break;
	case 5:
		take(e, n & 1);
		break;
	case 6:
		if (n == 0 && run.relay) {
			relay_stop(run.relay);
			run.is_rude = true;
		}
		break;
	case 7:
		break; /* a while */
	}
}

/* Nobody has done anything for a while: what one has sent, and its end, are with the other. */
static void judge_direction(const struct end *from, const struct end *to)
{
	HOLDS(buf_len(&to->got) == buf_len(&from->sent));
	HOLDS(to->is_left == from->ended);
}

static void on_calm(struct event *e)
{
	(void)e;
	if (run.is_rude || !run.metrics.clients_passed)
		return;
	judge_direction(&run.client, &run.server);
	judge_direction(&run.server, &run.client);
	HOLDS(run.overs == (run.client.ended && run.server.ended));
}

static void on_next(struct event *e)
{
	run.is_rude |= loop_now(run.loop) - run.sent_ms >= IDLE_MS - CALM_MS;
	if (!run.left) {
		take(&run.client, true);
		take(&run.server, true);
		e->happen = on_calm;
		event_post(run.loop, e, loop_now(run.loop) + CALM_MS);
		return;
	}
	play_step(*run.steps);
	event_post(run.loop, e, loop_now(run.loop) + (*run.steps++ >> 4));
	run.left--;
}

/* ---- the listener ---- */

static void on_over(void *arg)
{
	(void)arg;
	run.overs++;
	run.relay = NULL;
}

static void on_passed(void *arg)
{
	(void)arg;
	HOLDS(run.relay && run.overs == 0);
}

static void on_first_octets(void *arg, struct buf *in)
{
	static const struct relay_events relay_events = { on_passed, on_over };

	(void)arg, (void)in;
	run.relay = relay_begin(&run.shared, run.stream, &relay_events, NULL);
	HOLDS(run.relay);
}

static void on_early_end(void *arg)
{
	(void)arg;
	stream_close(run.stream);
	run.overs++;
}

static void on_early_close(void *arg, const struct fault *f)
{
	(void)arg, (void)f;
	run.overs++;
}

static void on_client(void *arg, const struct addr *peer)
{
	static const struct stream_events events = {
		.got = on_first_octets, .ended = on_early_end, .closed = on_early_close
	};
	struct stream_conf conf = { .events = &events, .write_ms = WRITE_MS };

	(void)arg, (void)peer;
	run.stream = stream_accept(run.acceptor, &conf);
	HOLDS(run.stream);
}

/* ---- the whole ---- */

static void on_moment_over(void *arg, uint64_t next_ms)
{
	const struct end *ends[] = { &run.client, &run.server };

	(void)arg, (void)next_ms;
	for (size_t i = 0; i < 2; i++)
		if (ends[i]->wire && ends[i]->wire->stream)
			HOLDS(stream_unsent(ends[i]->wire->stream) <= WAITING_MAX);
}

/* A ClientHello without anything but a name. */
static void send_hello(unsigned cut)
{
	static const uint8_t hello[] = "\x16\x03\x01\x00\x43\x01\x00\x00\x3f\x03\x03"
				       "0123456789abcdef0123456789abcdef\x00\x00\x02\x13\x01\x01"
				       "\x00\x00\x14\x00\x00\x00\x10\x00\x0e\x00\x00\x0b" NAME;
	size_t len = sizeof hello - 1, first = cut % len;

	HOLDS(buf_append(&run.client.sent, (struct span){ hello, len }));
	if (first)
		wire_send(run.client.wire, (struct span){ hello, first });
	wire_send(run.client.wire, (struct span){ hello + first, len - first });
}

static bool is_prefix(const struct buf *a, const struct buf *b)
{
	size_t len = buf_len(a);

	return len <= buf_len(b) && (!len || memcmp(buf_span(a).at, buf_span(b).at, len) == 0);
}

static void judge(void)
{
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 80 };
	bool is_passed = run.metrics.clients_passed == 1;

	HOLDS(run.overs == 1 && !run.relay && loop_world(run.loop)->streams == 0);
	HOLDS(loop_timers(run.loop) == 0 && loop_tasks(run.loop) == 0);
	HOLDS(run.client.is_left || run.client.wire->reset);
	if (!is_passed) {
		HOLDS(buf_len(&run.server.got) == 0);
		HOLDS(run.is_rude || run.metrics.clients_not_passed == 1);
		HOLDS(run.is_rude ||
			(buf_len(&run.client.got) == sizeof alert &&
				memcmp(buf_span(&run.client.got).at, alert, sizeof alert) == 0));
		return;
	}
	HOLDS(run.metrics.clients_not_passed == 0);
	HOLDS(run.server.is_left || run.server.wire->reset);
	HOLDS(is_prefix(&run.server.got, &run.client.sent));
	HOLDS(is_prefix(&run.client.got, &run.server.sent));
	if (run.is_rude)
		return;
	HOLDS(buf_len(&run.server.got) == buf_len(&run.client.sent));
	HOLDS(buf_len(&run.client.got) == buf_len(&run.server.sent));
}

static void play(uint8_t cut)
{
	static const struct peers peers = { .dialled = on_dialled, .moment_over = on_moment_over };
	struct addr peer;

	run.env = (struct query_env){ .loop = run.loop, .metrics = &run.metrics };
	run.shared = (struct listening){ .env = &run.env,
		.conf = { .idle_ms = IDLE_MS, .message_ms = IDLE_MS, .write_ms = WRITE_MS } };
	run.sent_ms = loop_now(run.loop);
	loop_world(run.loop)->peers = &peers;
	loop_world(run.loop)->segment = SEGMENT;
	HOLDS(addr_parse(&peer, "10.0.1.1", 4000));
	HOLDS(acceptor_open(&run.acceptor, run.loop, &(struct binding){ .addr = peer }, BIND_ALONE,
		      on_client, NULL) == 0);
	run.client.wire = wire_connect(run.loop, &peer, addr_port(&peer),
		&(struct wire_user){ on_got, on_left, &run.client });
	run.client.wire->delay_ms = 2;
	send_hello(cut);
	run.next.happen = on_next;
	event_post(run.loop, &run.next, loop_now(run.loop) + 1);
	loop_run(run.loop);
	acceptor_close(run.acceptor);
	judge();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 3 || len > STEPS_MAX)
		return 0;
	memset(&run, 0, sizeof run);
	run.loop = loop_new();
	run.dials = data[0];
	run.lookups = data[1] >> 6;
	run.steps = data + 2;
	run.left = len - 2;
	play(data[1]);
	buf_clear(&run.client.sent);
	buf_clear(&run.client.got);
	buf_clear(&run.server.sent);
	buf_clear(&run.server.got);
	loop_free(run.loop);
	return 0;
}
