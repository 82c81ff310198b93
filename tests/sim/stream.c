/* Streams in a simulated world.
 *
 * Bytes out: stream_send -> out -> (the task flush, once a turn) -> the wire -> its far end, a
 * delay later. Bytes in: the wire -> `arrived`, which stands for the kernel's buffer -> in ->
 * events->got. The order of events, and what a user may do in them, are those of src/net/stream.c.
 */
#include "net/stream.h"

#include "base/bug.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long a finished stream waits for the peer's end, as in the real one. */
#define LINGER_MS 500
/* Without descriptors, the next call is taken after this, as in the real one. */
#define BREATH_MS 100

enum state { CONNECTING, OPEN, LINGERING };

struct stream {
	struct loop *loop;
	const struct stream_events *events;
	void *arg;
	unsigned write_ms;
	size_t *unsent, counted;
	enum state state;
	struct wire *wire;
	struct addr local;
	bool tls;
	bool paused, resumed, ended, finishing, shutting, gone;
	bool stuck; /* the wire is full */
	bool fin, reset; /* came over the wire, behind what has arrived */
	struct buf arrived, in, out;
	struct event readable;
	struct timer timer; /* to be open; then to take what was sent; then to linger */
	struct task flush, bury;
};

/* ---- what travels on a wire ---- */

struct flight {
	struct event event;
	struct wire *wire;
	size_t len;
	uint8_t bytes[];
};

static void fly(struct wire *w, unsigned delay_ms, struct span bytes, void (*land)(struct event *))
{
	struct flight *f = calloc(1, sizeof *f + bytes.len);

	MUST(f);
	f->event = (struct event){ .owned = true, .happen = land };
	f->wire = w;
	f->len = bytes.len;
	if (bytes.len)
		memcpy(f->bytes, bytes.at, bytes.len);
	event_post(w->loop, &f->event, loop_now(w->loop) + delay_ms);
}

static struct flight *flight_of(struct event *e)
{
	return container_of(e, struct flight, event);
}

static const struct span nothing = { NULL, 0 };

static void far_gets(struct event *e)
{
	struct flight *f = flight_of(e);

	if (!f->wire->reset)
		f->wire->got(f->wire->arg, (struct span){ f->bytes, f->len });
}

static void far_is_left(struct event *e)
{
	struct wire *w = flight_of(e)->wire;

	if (!w->reset)
		w->closed(w->arg);
}

static void say_end(struct wire *w)
{
	if (w->near_ended)
		return;
	w->near_ended = true;
	fly(w, w->delay_ms, nothing, far_is_left);
}

static void count_untaken(struct stream *s, size_t n)
{
	if (s->unsent)
		*s->unsent += n - s->counted;
	s->counted = n;
}

/* ---- ending ---- */

static void on_bury(struct task *t)
{
	struct stream *s = container_of(t, struct stream, bury);

	buf_clear(&s->arrived);
	buf_clear(&s->in);
	buf_clear(&s->out);
	loop_world(s->loop)->streams--;
	free(s);
}

void stream_close(struct stream *s)
{
	if (!s || s->gone)
		return;
	s->gone = true;
	count_untaken(s, 0);
	timer_stop(s->loop, &s->timer);
	loop_cancel(&s->flush);
	event_cancel(&s->readable);
	say_end(s->wire);
	s->wire->stream = NULL;
	loop_later(s->loop, &s->bury);
}

static void end(struct stream *s, const struct fault *f)
{
	const struct stream_events *events = s->events;
	void *arg = s->arg;

	stream_close(s);
	events->closed(arg, f);
}

static void end_by_errno(struct stream *s, enum phase phase, int error)
{
	struct fault f;

	fault_from_errno(&f, phase, error);
	end(s, &f);
}

static void end_well(struct stream *s)
{
	static const struct fault none = { .phase = PHASE_NONE, .cause = "none", .hint = "" };

	end(s, &none);
}

/* ---- reading ---- */

static void watch(struct stream *s)
{
	bool reads = !s->ended && (s->state == LINGERING || (s->state == OPEN && !s->paused));
	bool ready = buf_len(&s->arrived) || s->fin || s->reset;

	if (reads && ready && !s->readable.waiting)
		event_post(s->loop, &s->readable, loop_now(s->loop));
	else if (!reads)
		event_cancel(&s->readable);
}

static void take_bytes(struct stream *s)
{
	struct span bytes = buf_span(&s->arrived);
	size_t segment = loop_world(s->loop)->segment;

	if (segment && bytes.len > segment)
		bytes.len = segment;
	if (s->state != LINGERING && world_denies(s->loop, NEED_MEMORY) < 0) {
		end_by_errno(s, PHASE_READ, ENOMEM);
		return;
	}
	if (s->state != LINGERING)
		MUST(buf_append(&s->in, bytes));
	buf_drop(&s->arrived, bytes.len);
	if (s->state != LINGERING)
		s->events->got(s->arg, &s->in);
}

static void take_end(struct stream *s)
{
	s->ended = true;
	if (s->state == LINGERING)
		end_well(s);
	else
		s->events->ended(s->arg);
}

static void on_readable(struct event *e)
{
	struct stream *s = container_of(e, struct stream, readable);

	if (buf_len(&s->arrived))
		take_bytes(s);
	else if (s->reset)
		end_by_errno(s, PHASE_READ, ECONNRESET);
	else if (s->fin)
		take_end(s);
	if (!s->gone)
		watch(s);
}

/* ---- writing ---- */

/* Gives the wire what it takes. */
static void push(struct stream *s)
{
	s->stuck = false;
	if (!buf_len(&s->out))
		return;
	if (s->wire->full) {
		s->stuck = true;
		if (s->state == OPEN && !s->timer.running)
			timer_start(s->loop, &s->timer, s->write_ms);
		return;
	}
	fly(s->wire, s->wire->delay_ms, buf_span(&s->out), far_gets);
	buf_drop(&s->out, buf_len(&s->out));
	if (s->state == OPEN)
		timer_stop(s->loop, &s->timer);
}

static void linger(struct stream *s)
{
	s->state = LINGERING;
	say_end(s->wire);
	if (s->ended)
		end_well(s);
	else
		timer_start(s->loop, &s->timer, LINGER_MS);
}

static void on_flush(struct task *t)
{
	struct stream *s = container_of(t, struct stream, flush);

	if (s->state == CONNECTING) {
		if (s->finishing)
			end_well(s);
		return;
	}
	if (s->resumed) {
		s->resumed = false;
		s->events->got(s->arg, &s->in);
		if (s->gone)
			return;
	}
	if (s->reset && buf_len(&s->out)) {
		end_by_errno(s, PHASE_WRITE, ECONNRESET);
		return;
	}
	bool was_stuck = s->stuck;

	push(s);
	count_untaken(s, buf_len(&s->out));
	if (was_stuck && !s->stuck && s->events->drained)
		s->events->drained(s->arg);
	if (s->gone)
		return;
	if (s->shutting && !buf_len(&s->out))
		say_end(s->wire);
	if (s->finishing && s->state == OPEN && !buf_len(&s->out))
		linger(s);
	if (!s->gone)
		watch(s);
}

bool stream_send(struct stream *s, struct span head, struct span body)
{
	bool denied = world_denies(s->loop, NEED_MEMORY) < 0;
	uint8_t *room = denied ? NULL : buf_room(&s->out, head.len + body.len);

	if (!room)
		return false;
	if (s->tls && s->state == CONNECTING)
		loop_world(s->loop)->early += head.len + body.len;
	memcpy(room, head.at, head.len);
	memcpy(room + head.len, body.at, body.len);
	buf_grow(&s->out, head.len + body.len);
	loop_later(s->loop, &s->flush);
	return true;
}

size_t stream_unsent(const struct stream *s)
{
	return buf_len(&s->out);
}

size_t stream_untaken(const struct stream *s)
{
	return s->counted;
}

bool stream_is_acked(const struct stream *s)
{
	return !s->wire->vanished && !buf_len(&s->out);
}

void stream_shut(struct stream *s)
{
	s->shutting = true;
	loop_later(s->loop, &s->flush);
}

void stream_finish(struct stream *s)
{
	s->finishing = true;
	loop_later(s->loop, &s->flush);
}

void stream_retarget(struct stream *s, const struct stream_events *events, void *arg)
{
	s->events = events;
	s->arg = arg;
	s->resumed = true;
	loop_later(s->loop, &s->flush);
}

void stream_pause(struct stream *s, bool paused)
{
	if (s->paused == paused)
		return;
	s->resumed = !paused;
	s->paused = paused;
	loop_later(s->loop, &s->flush);
}

bool stream_local(const struct stream *s, struct addr *a)
{
	*a = s->local;
	return a->any.sa_family != AF_UNSPEC;
}

const struct tls_facts *stream_tls_facts(const struct stream *s)
{
	static const struct tls_facts facts = { "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519",
		.verified = true };

	return s->tls && s->state >= OPEN ? &facts : NULL;
}

/* ---- connecting ---- */

static void on_timer(struct timer *t)
{
	struct stream *s = container_of(t, struct stream, timer);

	if (s->state == LINGERING)
		end_well(s);
	else
		end_by_errno(s, s->state == CONNECTING ? PHASE_CONNECT : PHASE_WRITE, ETIMEDOUT);
}

static struct stream *stream_new(struct wire *w, const struct stream_conf *conf)
{
	struct stream *s = world_denies(w->loop, NEED_MEMORY) < 0 ? NULL : calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = w->loop;
	s->wire = w;
	s->events = conf->events;
	s->arg = conf->arg;
	s->write_ms = conf->write_ms;
	s->unsent = conf->unsent;
	s->readable.happen = on_readable;
	s->timer.fire = on_timer;
	s->flush.run = on_flush;
	s->bury.run = on_bury;
	w->stream = s;
	loop_world(w->loop)->streams++;
	return s;
}

static void near_is_open(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	if (!s)
		return;
	s->state = OPEN;
	s->wire->open = true;
	timer_stop(s->loop, &s->timer);
	s->events->opened(s->arg);
	if (!s->gone)
		loop_later(s->loop, &s->flush);
}

static void near_is_refused(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	if (s)
		end_by_errno(s, PHASE_CONNECT, ECONNREFUSED);
}

static void near_is_unverified(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;
	struct fault f;

	fault_set(&f, PHASE_VERIFY, "wrong-name", "", "the certificate is for somebody else");
	if (s)
		end(s, &f);
}

static void near_has_no_socket(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	if (s)
		end_by_errno(s, PHASE_CONNECT, EMFILE);
}

static void near_is_unreachable(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	if (s)
		end_by_errno(s, PHASE_CONNECT, ENETUNREACH);
}

static struct wire *wire_new(struct loop *l)
{
	struct wire *w = calloc(1, sizeof *w);

	MUST(w);
	w->loop = l;
	list_push(&loop_world(l)->wires, &w->node);
	return w;
}

struct stream *stream_connect(struct loop *loop, const struct addr *to, struct tls_client *client,
	struct tls_identity *identity, const struct stream_conf *conf)
{
	struct wire *w = wire_new(loop);
	struct stream *s = stream_new(w, conf);
	struct addr local;

	if (!s)
		return NULL;
	w->identity = identity;
	s->tls = w->tls = client != NULL;
	timer_start(loop, &s->timer, conf->open_ms);
	if (world_denies(loop, NEED_CONNECT) < 0) {
		w->reset = true;
		fly(w, 0, nothing, near_has_no_socket);
		return s;
	}
	if (world_source(loop, to, &local) < 0) {
		w->reset = true; /* nobody is at the other end */
		fly(w, 0, nothing, near_is_unreachable);
		return s;
	}
	s->local = conf->source && conf->source->any.sa_family != AF_UNSPEC ? *conf->source : local;
	loop_world(loop)->peers->dialled(loop_world(loop)->arg, to, w);
	if (w->dial == DIAL_OPENS)
		fly(w, w->open_ms, nothing, near_is_open);
	else if (w->dial == DIAL_REFUSED)
		fly(w, w->open_ms, nothing, near_is_refused);
	else if (w->dial == DIAL_UNVERIFIED)
		fly(w, w->open_ms, nothing, near_is_unverified);
	return s;
}

/* ---- the far end ---- */

static void near_gets(struct event *e)
{
	struct flight *f = flight_of(e);
	struct wire *w = f->wire;
	struct stream *s = w->stream;

	if (w->near_ended && (!s || s->state == LINGERING))
		return;
	MUST(buf_append(s ? &s->arrived : &w->early, (struct span){ f->bytes, f->len }));
	if (s)
		watch(s);
}

static void end_in_handshake(struct stream *s)
{
	struct fault f;

	fault_set(&f, PHASE_HANDSHAKE, "closed", "",
		"the server closed the connection during the TLS handshake");
	end(s, &f);
}

static void near_is_ended(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	flight_of(e)->wire->early_end = !s;
	if (!s)
		return;
	s->fin = true;
	if (s->state == CONNECTING)
		end_in_handshake(s);
	else
		watch(s);
}

static void near_is_reset(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	flight_of(e)->wire->early_reset = !s;
	if (!s)
		return;
	s->reset = true;
	if (s->state == CONNECTING)
		end_by_errno(s, PHASE_HANDSHAKE, ECONNRESET);
	else
		watch(s);
}

void wire_send(struct wire *w, struct span bytes)
{
	if (!w->ended && !w->reset)
		fly(w, w->delay_ms, bytes, near_gets);
}

void wire_end(struct wire *w)
{
	if (w->ended || w->reset)
		return;
	w->ended = true;
	fly(w, w->delay_ms, nothing, near_is_ended);
}

void wire_reset(struct wire *w)
{
	if (w->reset)
		return;
	w->reset = true;
	fly(w, w->delay_ms, nothing, near_is_reset);
}

static void near_may_write(struct event *e)
{
	struct stream *s = flight_of(e)->wire->stream;

	if (s)
		loop_later(s->loop, &s->flush);
}

void wire_take(struct wire *w, bool takes)
{
	w->full = !takes;
	if (takes)
		fly(w, 0, nothing, near_may_write);
}

/* ---- listening ---- */

struct acceptor {
	struct list node; /* in world->acceptors */
	struct loop *loop;
	struct addr addr;
	acceptor_fn *got_client;
	void *arg;
	struct wire *accepted; /* not yet decided about; NULL: none */
};

struct call {
	struct event event;
	struct wire *wire;
	struct addr from;
	uint16_t port; /* of ours */
};

static void post_call(const struct call *call, unsigned delay_ms);

static struct acceptor *find_acceptor(struct loop *loop, uint16_t port)
{
	list_each_safe (node, &loop_world(loop)->acceptors) {
		struct acceptor *a = container_of(node, struct acceptor, node);

		if (addr_port(&a->addr) == port)
			return a;
	}
	return NULL;
}

static void on_call(struct event *e)
{
	struct call *call = container_of(e, struct call, event);
	struct loop *l = call->wire->loop;
	struct acceptor *a = find_acceptor(l, call->port);

	if (a && world_denies(l, NEED_ACCEPT) < 0) {
		post_call(call, BREATH_MS);
		return;
	}
	if (a) {
		a->accepted = call->wire;
		a->got_client(a->arg, &call->from);
		a->accepted = NULL;
	}
	if (!call->wire->stream)
		say_end(call->wire);
}

/* The kernel keeps who calls until the daemon takes the call. */
static void post_call(const struct call *call, unsigned delay_ms)
{
	struct loop *l = call->wire->loop;
	struct call *again = malloc(sizeof *again);

	MUST(again);
	*again = *call;
	again->event = (struct event){ .owned = true, .happen = on_call };
	event_post(l, &again->event, loop_now(l) + delay_ms);
}

struct wire *wire_connect(
	struct loop *l, const struct addr *from, uint16_t port, const struct wire_user *user)
{
	struct wire *w = wire_new(l);
	struct call call = { .wire = w, .from = *from, .port = port };

	w->got = user->got;
	w->closed = user->closed;
	w->arg = user->arg;
	post_call(&call, 0);
	return w;
}

struct stream *stream_accept(struct acceptor *a, const struct stream_conf *conf)
{
	struct stream *s = stream_new(a->accepted, conf);

	if (s) {
		s->state = OPEN;
		s->wire->open = true;
		s->arrived = s->wire->early;
		s->wire->early = (struct buf){ 0 };
		s->fin = s->wire->early_end;
		s->reset = s->wire->early_reset;
		watch(s);
	}
	return s;
}

/* In no world a client comes over TLS. */
bool stream_secure(
	struct stream *s, struct tls_server *server, const struct addr *at, unsigned within_ms)
{
	(void)s, (void)server, (void)at, (void)within_ms;
	return false;
}

int acceptor_open(struct acceptor **out, struct loop *loop, const struct binding *at,
	enum sharing sharing, acceptor_fn *got_client, void *arg)
{
	struct acceptor *a = calloc(1, sizeof *a);

	(void)sharing;
	if (!a)
		return -ENOMEM;
	if (find_acceptor(loop, addr_port(&at->addr))) {
		free(a);
		return -EADDRINUSE;
	}
	a->loop = loop;
	a->addr = at->addr;
	a->got_client = got_client;
	a->arg = arg;
	list_push(&loop_world(loop)->acceptors, &a->node);
	*out = a;
	return 0;
}

void acceptor_close(struct acceptor *a)
{
	list_remove(&a->node);
	free(a);
}

void acceptor_address(const struct acceptor *a, struct addr *addr)
{
	*addr = a->addr;
}
