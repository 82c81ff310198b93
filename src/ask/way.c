/* way: see way.h. UDP is a socket that hears strangers, too (net/asking): what comes from another
 * address or port is told, and not taken. */
#include "ask/way.h"

#include "net/asking.h"
#include "net/frame.h"

#include <errno.h>
#include <stdlib.h>

struct way {
	struct loop *loop;
	const struct way_events *events;
	void *arg;
	struct asking *asking; /* over UDP */
	struct stream *stream; /* over TCP or TLS */
	struct task opened, buried, failed;
	struct fault fault;
	bool gone; /* closed: the memory lives until the task `buried` runs */
};

/* ---- life ---- */

static void on_buried(struct task *t)
{
	free(container_of(t, struct way, buried));
}

void way_close(struct way *w)
{
	if (!w || w->gone)
		return;
	w->gone = true;
	loop_cancel(&w->opened);
	loop_cancel(&w->failed);
	asking_close(w->asking);
	w->asking = NULL;
	stream_close(w->stream);
	w->stream = NULL;
	loop_later(w->loop, &w->buried); /* callers up the stack still hold it */
}

static void tell_end(struct way *w, const struct fault *f)
{
	if (!w->gone)
		w->events->closed(w->arg, f);
}

/* ---- UDP ---- */

static void on_udp_opened(struct task *t)
{
	struct way *w = container_of(t, struct way, opened);

	w->events->opened(w->arg, NULL);
}

static void on_udp_failed(struct task *t)
{
	struct way *w = container_of(t, struct way, failed);

	tell_end(w, &w->fault);
}

static void on_datagram(void *arg, struct span message)
{
	struct way *w = arg;

	w->events->got(w->arg, message);
}

static void on_stray(void *arg, const struct addr *from, struct span message)
{
	struct way *w = arg;

	w->events->strayed(w->arg, from, message);
}

/* What the network says is an end here: whoever asks may begin anew, and can tell why. */
static void fail_udp(struct way *w, int error)
{
	if (w->failed.waiting)
		return;
	fault_from_errno(&w->fault, PHASE_CONNECT, -error);
	loop_later(w->loop, &w->failed);
}

static void on_icmp(void *arg, int error)
{
	fail_udp(arg, error);
}

static int open_udp(struct way *w, const struct way_conf *conf)
{
	struct asking_conf how = { .source = &conf->server->source,
		.interface = conf->server->interface,
		.got = on_datagram,
		.strayed = on_stray,
		.failed = on_icmp,
		.arg = w };
	int err = asking_open(&w->asking, w->loop, &conf->server->addr, &how);

	if (err == 0)
		loop_later(w->loop, &w->opened);
	return err;
}

/* ---- streams ---- */

static void on_opened(void *arg)
{
	struct way *w = arg;

	w->events->opened(w->arg, stream_tls_facts(w->stream));
}

static void on_got(void *arg, struct buf *in)
{
	struct way *w = arg;
	struct span m;

	while (w->stream && frame_first(in, &m)) {
		w->events->got(w->arg, m);
		if (w->stream)
			frame_drop(in, m);
	}
}

/* Nobody waits for more than the server has to say. */
static void on_ended(void *arg)
{
	struct way *w = arg;

	stream_finish(w->stream);
}

static void on_closed(void *arg, const struct fault *f)
{
	struct way *w = arg;

	w->stream = NULL;
	tell_end(w, f);
}

static const struct stream_events stream_events = {
	.opened = on_opened, .got = on_got, .ended = on_ended, .closed = on_closed
};

static int open_stream(struct way *w, const struct way_conf *conf)
{
	bool secure = conf->scheme == SCHEME_TLS;
	struct stream_conf how = { .events = &stream_events,
		.arg = w,
		.open_ms = conf->open_ms,
		.write_ms = conf->open_ms,
		.source = &conf->server->source,
		.interface = conf->server->interface,
		.path = conf->path };

	w->stream = stream_connect(w->loop, &conf->server->addr, secure ? conf->tls : NULL,
		secure ? conf->identity : NULL, &how);
	return w->stream ? 0 : -ENOMEM;
}

/* ---- the way ---- */

int way_open(struct way **out, struct loop *loop, const struct way_conf *conf)
{
	struct way *w = calloc(1, sizeof *w);

	if (!w)
		return -ENOMEM;
	w->loop = loop;
	w->events = conf->events;
	w->arg = conf->arg;
	w->opened.run = on_udp_opened;
	w->failed.run = on_udp_failed;
	w->buried.run = on_buried;
	int err = conf->scheme == SCHEME_UDP ? open_udp(w, conf) : open_stream(w, conf);

	if (err < 0)
		free(w);
	else
		*out = w;
	return err;
}

bool way_send(struct way *w, struct span message)
{
	uint8_t head[FRAME_HEAD];

	if (w->stream) {
		frame_head(head, message.len);
		return stream_send(w->stream, (struct span){ head, sizeof head }, message);
	}
	int err = w->asking ? asking_send(w->asking, message) : 0;

	if (err < 0)
		fail_udp(w, err);
	return true;
}
