/* Octets of a client's connection, cut anywhere: the queries that come of them are those of a plain
 * walk over the frames, each begun once and in order, and each answer goes back in its frame.
 *
 * The first octets say how the others are cut. The core is a stand-in that answers after a while;
 * the stream is that of tests/sim.
 */
#include <stdlib.h>
#include <string.h>

#include "../sim/world.h"
#include "dns/octets.h"
#include "fuzz.h"
#include "listen/listener.h"
#include "listen/opening.h"
#include "net/frame.h"

#define CUTS 8
/* Octets, of which one comes in a millisecond at least: none is late. */
#define LEN_MAX 8192
/* Unanswered queries of the connection, so few that it has to pause. */
#define PIPELINE 3

static struct {
	struct loop *loop;
	struct wire *wire;
	struct event next;
	struct span left; /* to be sent */
	const uint8_t *cuts;
	unsigned sent, come;
	struct buf begun, replied, got; /* all as frames */
	bool closed;
} run;

static void put_frame(struct buf *to, struct span m)
{
	uint8_t head[FRAME_HEAD];

	frame_head(head, m.len);
	HOLDS(buf_append(to, (struct span){ head, sizeof head }) && buf_append(to, m));
}

/* ---- the core ---- */

struct asked {
	struct event event;
	struct client *client;
	size_t len;
	uint8_t message[];
};

static void on_answer(struct event *e)
{
	struct asked *q = container_of(e, struct asked, event);
	struct span m = { q->message, q->len };

	put_frame(&run.replied, m);
	q->client->ops->reply(q->client, m);
	q->client->ops->done(q->client);
}

/* Some have to wait. */
bool query_may_come(struct query_env *env, const struct addr *peer)
{
	(void)env, (void)peer;
	return ++run.come % 5 != 0;
}

/* The first octet says when it is answered; some are at once. */
void query_begin(struct query_env *env, struct client *client, struct span m)
{
	struct asked *q = malloc(sizeof *q + m.len);
	unsigned after_ms = m.at[0] % 8;

	(void)env;
	HOLDS(q);
	put_frame(&run.begun, m);
	*q = (struct asked){ .event = { .owned = after_ms > 0, .happen = on_answer },
		.client = client,
		.len = m.len };
	memcpy(q->message, m.at, m.len);
	if (after_ms) {
		event_post(run.loop, &q->event, loop_now(run.loop) + after_ms);
		return;
	}
	on_answer(&q->event);
	free(q);
}

/* ---- the client ---- */

static void on_next(struct event *e)
{
	size_t len = run.cuts[run.sent++ % CUTS] + 1u;
	struct span piece = { run.left.at, len < run.left.len ? len : run.left.len };

	run.left.at += piece.len;
	run.left.len -= piece.len;
	wire_send(run.wire, piece);
	if (run.left.len)
		event_post(run.loop, e, loop_now(run.loop) + 1);
	else
		wire_end(run.wire);
}

static void on_got(void *arg, struct span bytes)
{
	(void)arg;
	HOLDS(buf_append(&run.got, bytes));
}

static void on_closed(void *arg)
{
	(void)arg;
	run.closed = true;
}

static void on_moment_over(void *arg, uint64_t next_ms)
{
	(void)arg, (void)next_ms;
}

static void on_gone(void *arg)
{
	*(bool *)arg = true;
}

/* ---- the model ---- */

static bool same(const struct buf *b, struct span octets)
{
	struct span s = buf_span(b);

	return s.len == octets.len && (s.len == 0 || memcmp(s.at, octets.at, s.len) == 0);
}

/* How many of the octets are whole frames, up to the first that is shorter than a header. */
static size_t whole_frames(struct span s)
{
	size_t at = 0;

	while (s.len - at >= FRAME_HEAD) {
		size_t len = get_u16(s.at + at);

		if (len < DNS_HEADER || len > s.len - at - FRAME_HEAD)
			break;
		at += FRAME_HEAD + len;
	}
	return at;
}

static void play(struct span octets)
{
	static const struct peers peers = { .moment_over = on_moment_over };
	struct metrics metrics = { 0 };
	struct query_env env = { .loop = run.loop, .metrics = &metrics };
	static const struct siphash_key key;
	struct listening shared = { .env = &env,
		.conf = { .connections = 9,
			.connections_per_client = 9,
			.pipeline = PIPELINE,
			.idle_ms = 10000,
			.message_ms = 10000,
			.write_ms = 10000 } };
	struct listener *listener;
	struct addr peer;
	bool gone = false;

	hosts_init(&shared.hosts, &key);
	HOLDS(addr_parse(&peer, "10.0.1.1", 4000));
	loop_world(run.loop)->peers = &peers;
	const struct endpoint at = { .at.addr = peer, .spoken.plain = true };

	HOLDS(on_stream.open(&listener, &shared, &at, BIND_ALONE) == 0);
	run.wire = wire_connect(
		run.loop, &peer, addr_port(&peer), &(struct wire_user){ on_got, on_closed, NULL });
	run.next.happen = on_next;
	event_post(run.loop, &run.next, loop_now(run.loop) + 1);
	loop_run(run.loop);
	on_stream.stop(listener);
	on_stream.close(listener, on_gone, &gone);
	loop_run(run.loop);

	bool talks = opening_of(octets) == OPENING_DNS;
	const struct span whole = { octets.at, talks ? whole_frames(octets) : 0 };

	HOLDS(gone && run.closed && loop_world(run.loop)->streams == 0);
	HOLDS(same(&run.begun, whole));
	if (!talks) /* HTTP is told so, of TLS nothing is taken here */
		return;
	HOLDS(same(&run.got, buf_span(&run.replied)));
	HOLDS(buf_len(&run.got) == whole.len && metrics.clients_refused == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len <= CUTS || len > LEN_MAX)
		return 0;
	memset(&run, 0, sizeof run);
	run.loop = loop_new();
	run.cuts = data;
	run.left = (struct span){ data + CUTS, len - CUTS };
	play(run.left);
	buf_clear(&run.begun);
	buf_clear(&run.replied);
	buf_clear(&run.got);
	loop_free(run.loop);
	return 0;
}
