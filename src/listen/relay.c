/* relay: see relay.h.
 *
 *	READING     the ClientHello is not whole yet         -> whole: CHOOSING
 *	CHOOSING    the client waits, unread: a server is    -> open: PASSING; none: ENDING
 *	            connected to, or its address looked up
 *	PASSING     octets go both ways                      -> both have ended, or one is gone:
 *	                                                        ENDING
 *	ENDING      what was sent goes out                   -> both are gone: over
 */
#include "listen/relay.h"

#include "base/log.h"
#include "net/hello.h"

#include <errno.h>
#include <stdlib.h>

/* The addresses of servers are waited for so long, and looked for so often. */
#define NAMES_MS       2000
#define NAMES_AGAIN_MS 50
/* After relay_stop(): an answer that is under way comes within this. */
#define GRACE_MS 1000
/* Of a server: a whole record. */
#define READ_SIZE (16 * 1024)

enum state { READING, CHOOSING, PASSING, ENDING };

struct side {
	struct relay *relay;
	struct side *other;
	struct stream *stream; /* NULL: it is gone, or not there yet */
	bool ended; /* it sends no more */
};

struct relay {
	struct listening *shared;
	enum state state;
	bool stopping;
	struct side client, server;
	struct hello hello;
	struct passages ways;
	size_t way; /* that is tried */
	uint64_t chosen_by_ms;
	struct timer timer;
	struct task bury;
	const struct relay_events *events; /* NULL: nobody is told any more */
	void *arg;
};

static const struct span nothing = { (const uint8_t *)"", 0 };

static struct loop *loop_of(const struct relay *r)
{
	return r->shared->env->loop;
}

/* ---- ending ---- */

static void on_bury(struct task *t)
{
	struct relay *r = container_of(t, struct relay, bury);
	const struct relay_events *told = r->events;
	void *arg = r->arg;

	free(r);
	if (told)
		told->over(arg);
}

static void bury(struct relay *r)
{
	timer_stop(loop_of(r), &r->timer);
	passages_clear(&r->ways);
	loop_later(loop_of(r), &r->bury);
}

/* Both sides get what was sent to them, and end. */
static void finish(struct relay *r)
{
	r->state = ENDING;
	timer_stop(loop_of(r), &r->timer);
	if (r->client.stream)
		stream_finish(r->client.stream);
	if (r->server.stream)
		stream_finish(r->server.stream);
	if (!r->client.stream && !r->server.stream)
		bury(r);
}

void relay_close(struct relay *r)
{
	if (!r)
		return;
	stream_close(r->client.stream);
	stream_close(r->server.stream);
	r->events = NULL;
	bury(r);
}

void relay_stop(struct relay *r)
{
	r->stopping = true;
	if (r->state == PASSING)
		timer_start(loop_of(r), &r->timer, GRACE_MS);
	else
		finish(r);
}

static size_t untaken(const struct side *s)
{
	return s->stream ? stream_untaken(s->stream) : 0;
}

size_t relay_untaken(const struct relay *r)
{
	return untaken(&r->client) + untaken(&r->server);
}

/* ---- passing ---- */

static void touch(struct relay *r)
{
	if (!r->stopping)
		timer_start(loop_of(r), &r->timer, r->shared->conf.idle_ms);
}

static void pass(struct side *s, struct buf *in)
{
	struct stream *to = s->other->stream;

	touch(s->relay);
	s->relay->events->passed(s->relay->arg);
	if (!stream_send(to, nothing, buf_span(in))) {
		finish(s->relay);
		return;
	}
	buf_drop(in, buf_len(in));
	if (stream_untaken(to))
		stream_pause(s->stream, true);
}

/* It has taken all: there is room for what the other one sends. */
static void on_drained(void *arg)
{
	struct side *s = arg;

	if (s->relay->state == PASSING)
		stream_pause(s->other->stream, false);
}

/* Not while a server is being chosen: nothing is read then. */
static void on_ended(void *arg)
{
	struct side *s = arg;
	struct relay *r = s->relay;

	s->ended = true;
	if (r->state == PASSING && !s->other->ended)
		stream_shut(s->other->stream);
	else
		finish(r);
}

/* ---- choosing a server ---- */

static void refuse(struct relay *r)
{
	static const struct span internal_error = { (const uint8_t *)"\x15\3\3\0\2\2\x50", 7 };

	r->shared->env->metrics->clients_not_passed++;
	stream_send(r->client.stream, nothing, internal_error);
	finish(r);
}

static void say_passed(const struct relay *r)
{
	char addr[ADDR_TEXT];
	struct log_line l;

	log_begin(&l, LOG_DEBUG, "TLS passed through");
	log_str(&l, "server_name", *r->hello.server_name ? r->hello.server_name : "none");
	log_str(&l, "upstream", passage_text(&r->ways, r->way));
	log_str(&l, "addr", addr_print(&r->ways.all[r->way].to, addr));
	log_end(&l);
}

static void on_opened(void *arg)
{
	struct relay *r = ((struct side *)arg)->relay;

	if (r->state != CHOOSING)
		return; /* it was told to end in the same turn */
	r->shared->env->metrics->clients_passed++;
	say_passed(r);
	passages_clear(&r->ways);
	r->state = PASSING;
	touch(r);
	stream_pause(r->client.stream, false); /* its ClientHello comes once more */
}

static void on_got(void *arg, struct buf *in);
static void on_closed(void *arg, const struct fault *);

static const struct stream_events events = { .opened = on_opened,
	.got = on_got,
	.ended = on_ended,
	.drained = on_drained,
	.closed = on_closed };

static void connect_to_way(struct relay *r)
{
	struct stream_conf conf = { .events = &events,
		.arg = &r->server,
		.write_ms = r->shared->conf.write_ms,
		.unsent = &r->shared->hosts.unsent,
		.read_size = READ_SIZE };

	if (r->way < r->ways.count)
		r->server.stream = passage_open(&r->ways, r->way, &conf);
	if (!r->server.stream)
		refuse(r);
}

static void choose(struct relay *r)
{
	int err = passages_find(r->shared->env->upstreams, r->hello.server_name, &r->ways);

	if (err == -EAGAIN && loop_now(loop_of(r)) < r->chosen_by_ms)
		timer_start(loop_of(r), &r->timer, NAMES_AGAIN_MS);
	else if (err)
		refuse(r);
	else
		connect_to_way(r);
}

/* ---- the ClientHello ---- */

/* It stays in the buffer until there is a server to send it to. */
static void read_hello(struct relay *r, struct span octets)
{
	switch (hello_read(octets, &r->hello)) {
	case HELLO_PART:
		return;
	case HELLO_NONE:
		r->shared->env->metrics->clients_not_passed++;
		finish(r);
		return;
	case HELLO_WHOLE:
		timer_stop(loop_of(r), &r->timer);
		stream_pause(r->client.stream, true);
		r->state = CHOOSING;
		r->chosen_by_ms = loop_now(loop_of(r)) + NAMES_MS;
		choose(r);
	}
}

/* ---- events of both sides ---- */

static void on_got(void *arg, struct buf *in)
{
	struct side *s = arg;

	if (s->relay->state == READING)
		read_hello(s->relay, buf_span(in));
	else if (s->relay->state == PASSING && buf_len(in))
		pass(s, in);
}

static void on_closed(void *arg, const struct fault *f)
{
	struct side *s = arg;
	struct relay *r = s->relay;

	s->stream = NULL;
	if (s == &r->client && f->phase == PHASE_WRITE)
		r->shared->env->metrics->clients_late++;
	if (s == &r->server && r->state == CHOOSING) {
		passage_failed(&r->ways, r->way++, f);
		connect_to_way(r);
		return;
	}
	finish(r);
}

static void on_timer(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, timer);

	if (r->state == CHOOSING) {
		choose(r);
		return;
	}
	if (r->state == READING)
		r->shared->env->metrics->clients_late++;
	finish(r);
}

/* ---- life ---- */

struct relay *relay_begin(
	struct listening *shared, struct stream *client, const struct relay_events *e, void *arg)
{
	struct relay *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->shared = shared;
	r->client = (struct side){ .relay = r, .other = &r->server, .stream = client };
	r->server = (struct side){ .relay = r, .other = &r->client };
	r->timer.fire = on_timer;
	r->bury.run = on_bury;
	r->events = e;
	r->arg = arg;
	timer_start(loop_of(r), &r->timer, shared->conf.message_ms);
	stream_retarget(client, &events, &r->client);
	return r;
}
