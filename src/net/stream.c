/* stream: see stream.h.
 *
 * Bytes out: stream_send -> out -> (tls_write -> tls_out) -> send(), by the task flush, once a
 * turn. Bytes in: recv() -> (tls_in -> tls_read) -> in -> events->got.
 *
 * After every event the user may have closed the stream; then `gone` is set, the descriptor is
 * shut, and the memory lives until the task `bury` runs. Whoever calls an event looks at `gone`
 * next.
 */
#include "net/stream.h"

#include "base/bug.h"
#include "base/log.h"
#include "net/handed.h"
#include "net/unix_socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read at once: servers send much, clients little. */
#define READ_SERVER (64 * 1024)
#define READ_CLIENT 4096
/* Each KeyUpdate has to be answered (RFC 8446 §4.6.3). Who does not take the answers, of which
 * there are so many, is not read from until it does. */
#define REPLIES_MAX (16 * 1024)
/* Reads of one connection in one turn, so that others get theirs. */
#define READS_PER_TURN 4
/* How long a finished stream waits for the peer's end, so that our last bytes are not reset away.
 */
#define LINGER_MS 500
/* Without a free descriptor, accepting pauses this long. */
#define BREATH_MS        100
#define BACKLOG          1024
#define ACCEPTS_PER_TURN 64

enum state { CONNECTING, HANDSHAKE, OPEN, LINGERING };

struct stream {
	struct loop *loop;
	const struct stream_events *events;
	void *arg;
	unsigned write_ms;
	size_t *unsent, counted; /* a sum, and our part of it */
	enum state state;
	int fd;
	int error; /* of a connect that failed at once */
	bool paused, resumed, ended, finishing, gone;
	bool shutting; /* the peer is to hear that nothing more comes */
	bool syn_held; /* the kernel waits for the bytes that go with it: fast open */
	bool stuck; /* the kernel took less than there was */
	bool fresh; /* the handshake has not begun, though its first bytes are here */
	size_t replies; /* octets that TLS had to say by itself since all was sent */
	size_t read_size;
	struct watch watch;
	int watched; /* events */
	struct tls *tls; /* NULL: plain */
	struct buf in, out;
	struct timer timer; /* to be open; then to take what was sent; then to linger */
	struct task flush, bury;
};

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

	buf_clear(&s->in);
	buf_clear(&s->out);
	tls_free(s->tls);
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
	watch_close(&s->watch, s->fd);
	loop_later(s->loop, &s->bury);
}

/* Tells the user that it is over. */
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

/* ---- watching ---- */

static void update_watch(struct stream *s)
{
	bool hears = s->replies <= REPLIES_MAX && !s->ended;
	bool read = s->state == HANDSHAKE || (s->state == OPEN && !s->paused && hears) ||
		(s->state == LINGERING && hears);
	bool write = s->state == CONNECTING || s->stuck;
	int wanted = (read ? LOOP_READ : 0) | (write ? LOOP_WRITE : 0);

	if (wanted == s->watched)
		return;
	s->watched = wanted;
	/* Watching for nothing still tells of a reset, again and again; so it stops instead. */
	if (!wanted)
		watch_stop(&s->watch);
	else if (watch_start(s->loop, &s->watch, s->fd, wanted) < 0)
		end_by_errno(s, PHASE_READ, ENOMEM);
}

/* ---- writing ---- */

static struct buf *cipher_or_plain_out(struct stream *s)
{
	return s->tls ? tls_out(s->tls) : &s->out;
}

/* Gives the kernel what it takes. False: the stream is over, as *error says. */
static bool push(struct stream *s, int *error)
{
	struct buf *out = cipher_or_plain_out(s);

	s->stuck = false;
	while (buf_len(out)) {
		struct span bytes = buf_span(out);
		ssize_t n = send(s->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		if (n >= 0) {
			buf_drop(out, (size_t)n);
			if (s->state == OPEN)
				timer_stop(s->loop, &s->timer);
		} else if (errno == EAGAIN) {
			s->stuck = true;
			if (s->state == OPEN && !s->timer.running)
				timer_start(s->loop, &s->timer, s->write_ms);
			return true;
		} else if (errno != EINTR) {
			*error = errno;
			return false;
		}
	}
	s->replies = 0;
	return true;
}

/* Everything was sent: says goodbye and waits for the peer's. */
static void linger(struct stream *s)
{
	s->state = LINGERING;
	if (s->ended) { /* to close says it */
		end_well(s);
		return;
	}
	shutdown(s->fd, SHUT_WR);
	timer_start(s->loop, &s->timer, LINGER_MS);
}

static void handshake(struct stream *);

/* Bytes of the user wait until the peer is known; those of the handshake may be stuck. */
static void flush_unopened(struct stream *s)
{
	int error;

	if (s->finishing) {
		end_well(s);
	} else if (s->fresh) {
		s->fresh = false;
		handshake(s);
	} else if (s->stuck && !push(s, &error)) {
		end_by_errno(s, PHASE_HANDSHAKE, error);
	}
	if (!s->gone)
		update_watch(s);
}

static void flush(struct stream *s)
{
	int error;

	if (s->state < OPEN) {
		flush_unopened(s);
		return;
	}
	if (s->resumed) {
		s->resumed = false;
		s->events->got(s->arg, &s->in);
		if (s->gone)
			return;
	}
	if (s->tls && buf_len(&s->out)) {
		if (tls_write(s->tls, buf_span(&s->out)) != TLS_OK) {
			end(s, tls_fault(s->tls));
			return;
		}
		buf_drop(&s->out, buf_len(&s->out));
	}
	if (s->tls && (s->finishing || s->shutting) && s->state == OPEN)
		tls_shutdown(s->tls);
	bool was_stuck = s->stuck;

	if (!push(s, &error)) {
		end_by_errno(s, PHASE_WRITE, error);
		return;
	}
	count_untaken(s, stream_unsent(s));
	if ((was_stuck || s->paused) && !s->stuck && s->events->drained)
		s->events->drained(s->arg);
	if (s->gone)
		return;
	if (s->shutting && !stream_unsent(s)) {
		s->shutting = false;
		shutdown(s->fd, SHUT_WR);
	}
	if (s->finishing && s->state == OPEN && !stream_unsent(s))
		linger(s);
	if (!s->gone)
		update_watch(s);
}

static void on_flush(struct task *t)
{
	flush(container_of(t, struct stream, flush));
}

bool stream_send(struct stream *s, struct span head, struct span body)
{
	uint8_t *room = buf_room(&s->out, head.len + body.len);

	if (!room)
		return false;
	memcpy(room, head.at, head.len);
	memcpy(room + head.len, body.at, body.len);
	buf_grow(&s->out, head.len + body.len);
	loop_later(s->loop, &s->flush);
	return true;
}

size_t stream_unsent(const struct stream *s)
{
	return buf_len(&s->out) + (s->tls ? buf_len(tls_out(s->tls)) : 0);
}

size_t stream_untaken(const struct stream *s)
{
	return s->counted;
}

bool stream_is_acked(const struct stream *s)
{
	int left = 0; /* sent or not, and not acknowledged */

	return !stream_unsent(s) && ioctl(s->fd, SIOCOUTQ, &left) == 0 && !left;
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

/* ---- reading ---- */

static void tell_got(struct stream *s)
{
	if (buf_len(&s->in))
		s->events->got(s->arg, &s->in);
}

static void tell_ended(struct stream *s)
{
	if (s->ended)
		return;
	s->ended = true;
	if (s->state == LINGERING)
		end_well(s);
	else
		s->events->ended(s->arg);
}

/* What came in goes to the user. */
static void deliver(struct stream *s)
{
	enum tls_status status = TLS_WANT;

	if (s->tls) {
		size_t before = buf_len(tls_out(s->tls));

		status = tls_read(s->tls, &s->in);
		s->replies += buf_len(tls_out(s->tls)) - before;
	}
	if (s->finishing)
		buf_drop(&s->in, buf_len(&s->in));
	tell_got(s);
	if (s->gone)
		return;
	if (status == TLS_CLOSED)
		tell_ended(s);
	else if (status == TLS_FAILED)
		end(s, tls_fault(s->tls));
	else if (s->tls && buf_len(tls_out(s->tls)))
		loop_later(s->loop, &s->flush); /* an answer to a KeyUpdate, say */
}

static void handshake(struct stream *s)
{
	enum tls_status status = tls_handshake(s->tls);
	int error;

	/* Also the alert of a handshake that failed. */
	if (!push(s, &error) && status != TLS_FAILED) {
		end_by_errno(s, PHASE_HANDSHAKE, error);
		return;
	}
	if (status == TLS_FAILED) {
		end(s, tls_fault(s->tls));
		return;
	}
	if (status != TLS_OK)
		return;
	s->state = OPEN;
	timer_stop(s->loop, &s->timer);
	s->events->opened(s->arg);
	if (s->gone)
		return;
	loop_later(s->loop, &s->flush);
	deliver(s);
}

static void on_end_of_input(struct stream *s)
{
	struct fault f;

	if (s->state != HANDSHAKE) {
		tell_ended(s);
		return;
	}
	fault_set(&f, PHASE_HANDSHAKE, "closed",
		"check that the port is the one for DNS over TLS; the server may be overloaded",
		"the server closed the connection during the TLS handshake");
	end(s, &f);
}

/* One recv(). Returns whether there may be more. */
static bool read_once(struct stream *s)
{
	struct buf *in = s->tls ? tls_in(s->tls) : &s->in;
	uint8_t *room = buf_room(in, s->read_size);

	if (!room) {
		end_by_errno(s, PHASE_READ, ENOMEM);
		return false;
	}
	ssize_t n = recv(s->fd, room, s->read_size, 0);

	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			buf_drop(in, 0); /* gives back memory that came to nothing */
		else
			end_by_errno(
				s, s->state == HANDSHAKE ? PHASE_HANDSHAKE : PHASE_READ, errno);
		return false;
	}
	if (n == 0) {
		buf_drop(in, 0);
		on_end_of_input(s);
		return false;
	}
	buf_grow(in, (size_t)n);
	if (s->state == HANDSHAKE)
		handshake(s);
	else
		deliver(s);
	return (size_t)n == s->read_size && !s->gone && !s->paused && !s->ended;
}

static void read_some(struct stream *s)
{
	for (int i = 0; i < READS_PER_TURN && read_once(s); i++)
		;
}

/* ---- connecting ---- */

/* One that stood for a moment is reset; one that never did is refused. With fast open, the peer may
 * have read the ClientHello before we look. */
static enum phase phase_of_connect_error(const struct stream *s, int error)
{
	bool stood = error == ECONNRESET || error == EPIPE;

	if (!stood)
		return PHASE_CONNECT;
	return s->tls ? PHASE_HANDSHAKE : PHASE_READ;
}

static void connected(struct stream *s)
{
	int error = 0;
	socklen_t size = sizeof error;

	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		end_by_errno(s, phase_of_connect_error(s, error), error);
		return;
	}
	if (s->tls) {
		s->state = HANDSHAKE;
		handshake(s);
		return;
	}
	s->state = OPEN;
	timer_stop(s->loop, &s->timer);
	s->events->opened(s->arg);
	if (!s->gone)
		loop_later(s->loop, &s->flush);
}

static void on_ready(struct watch *w, int events)
{
	struct stream *s = container_of(w, struct stream, watch);

	if (s->state == CONNECTING)
		connected(s);
	else if (events & LOOP_WRITE)
		flush(s);
	if (!s->gone && s->state != CONNECTING && events & LOOP_READ)
		read_some(s);
	if (!s->gone)
		update_watch(s);
}

static void on_timer(struct timer *t)
{
	struct stream *s = container_of(t, struct stream, timer);
	static const enum phase phase_of[] = { PHASE_CONNECT, PHASE_HANDSHAKE, PHASE_WRITE };

	if (s->state == LINGERING)
		end_well(s);
	else
		end_by_errno(s, phase_of[s->state], ETIMEDOUT);
}

/* Fast open: the kernel knows the peer's cookie, and sends the SYN together with the first bytes.
 * The connection does not stand before the descriptor is writable again, so the state stays
 * CONNECTING until then, and so does the phase of what goes wrong. */
static int send_syn(struct stream *s)
{
	struct buf *out = cipher_or_plain_out(s);

	if (s->tls)
		tls_handshake(s->tls); /* what it says is heard when the connection stands */
	struct span bytes = buf_span(out);
	ssize_t n = send(s->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

	if (n > 0)
		buf_drop(out, (size_t)n);
	return n >= 0 || errno == EINPROGRESS || errno == EAGAIN ? 0 : errno;
}

/* The first turn after stream_connect(). */
static void on_begin(struct task *t)
{
	struct stream *s = container_of(t, struct stream, flush);

	t->run = on_flush;
	if (s->finishing) {
		end_well(s);
		return;
	}
	if (s->syn_held)
		s->error = send_syn(s);
	if (s->error)
		end_by_errno(s, phase_of_connect_error(s, s->error), s->error);
	else
		update_watch(s);
}

/* ---- life ---- */

static struct stream *stream_new(struct loop *loop, int fd, const struct stream_conf *conf)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = loop;
	s->events = conf->events;
	s->arg = conf->arg;
	s->write_ms = conf->write_ms;
	s->unsent = conf->unsent;
	s->fd = fd;
	s->watch.ready = on_ready;
	s->timer.fire = on_timer;
	s->flush.run = on_flush;
	s->bury.run = on_bury;
	return s;
}

static void start_connect(struct stream *s, const struct addr *to)
{
	if (s->fd < 0)
		return;
	/* What the peer's host does not acknowledge in this time ends the connection: without it, a
	 * vanished route is noticed after a quarter of an hour. SO_KEEPALIVE stays off: a
	 * connection that owes nothing need not be known to be dead, its probes would keep hosts
	 * and radios awake, and one that owes an answer is watched by its owner, who is quicker. */
	socket_set(s->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)s->write_ms);
	socket_set(s->fd, IPPROTO_TCP, TCP_NODELAY, 1);
	/* With a cookie of the peer, connect() then succeeds at once and sends nothing. */
	socket_set(s->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	if (connect(s->fd, &to->any, addr_size(to)) == 0)
		s->syn_held = true;
	else if (errno != EINPROGRESS)
		s->error = errno;
}

struct stream *stream_connect(struct loop *loop, const struct addr *to, struct tls_client *client,
	struct tls_identity *identity, const struct stream_conf *conf)
{
	int fd = conf->path ? unix_socket_connect(conf->path)
			    : socket_outgoing(SOCK_STREAM, to, conf->source, conf->interface);
	struct stream *s = stream_new(loop, fd, conf);

	if (!s)
		goto fail_fd;
	s->error = fd < 0 ? -fd : 0;
	s->state = CONNECTING;
	s->read_size = conf->read_size ? conf->read_size : READ_SERVER;
	s->in.keep = s->out.keep = conf->read_size ? 0 : READ_SERVER;
	if (client) {
		s->tls = tls_client_session(client, identity);
		if (!s->tls)
			goto fail_stream;
		tls_in(s->tls)->keep = tls_out(s->tls)->keep = READ_SERVER;
	}
	if (conf->segment)
		socket_set(fd, IPPROTO_TCP, TCP_MAXSEG, conf->segment);
	if (!conf->path)
		start_connect(s, to);
	timer_start(loop, &s->timer, conf->open_ms);
	s->flush.run = on_begin;
	loop_later(loop, &s->flush);
	return s;

fail_stream:
	free(s);
fail_fd:
	close(fd);
	return NULL;
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
	/* Applied at the end of the turn, when it may have changed back. */
	loop_later(s->loop, &s->flush);
}

bool stream_local(const struct stream *s, struct addr *a)
{
	socklen_t size = sizeof *a;

	memset(a, 0, sizeof *a);
	return getsockname(s->fd, &a->any, &size) == 0 && !addr_is_any(a);
}

const struct tls_facts *stream_tls_facts(const struct stream *s)
{
	return s->tls && s->state >= OPEN ? tls_facts(s->tls) : NULL;
}

/* ---- listening ---- */

struct acceptor {
	struct loop *loop;
	struct watch watch;
	struct timer breath;
	int fd;
	struct unix_socket *path; /* NULL: it has none, or none of ours */
	acceptor_fn *got_client;
	void *arg;
	int accepted; /* not yet decided about; -1: none */
};

static void watch_acceptor(struct timer *t)
{
	struct acceptor *a = container_of(t, struct acceptor, breath);

	if (watch_start(a->loop, &a->watch, a->fd, LOOP_READ | LOOP_SHARED) < 0)
		timer_start(a->loop, t, BREATH_MS);
}

static void say_cannot_accept(int error)
{
	struct fault f;
	struct log_line l;

	fault_from_errno(&f, PHASE_CONNECT, error);
	log_begin(&l, LOG_WARN, "cannot accept connections: clients wait");
	log_str(&l, "reason", f.reason);
	log_str(&l, "hint", f.hint);
	log_end(&l);
}

static void on_connection(struct watch *w, int events)
{
	struct acceptor *a = container_of(w, struct acceptor, watch);

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && a->watch.handle; i++) {
		struct addr peer;
		socklen_t size = sizeof peer;

		memset(&peer, 0, sizeof peer);
		a->accepted = accept4(a->fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (a->accepted < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
				errno == ENOBUFS) {
				say_cannot_accept(errno);
				watch_stop(&a->watch);
				timer_start(a->loop, &a->breath, BREATH_MS);
			}
			return;
		}
		a->got_client(a->arg, &peer);
		if (a->accepted >= 0)
			close(a->accepted);
	}
}

struct stream *stream_accept(struct acceptor *a, const struct stream_conf *conf)
{
	struct stream *s = stream_new(a->loop, a->accepted, conf);

	if (!s)
		return NULL;
	a->accepted = -1;
	s->state = OPEN;
	s->read_size = READ_CLIENT;
	s->watched = LOOP_READ;
	if (watch_start(s->loop, &s->watch, s->fd, LOOP_READ) < 0) {
		close(s->fd);
		free(s);
		return NULL;
	}
	return s;
}

/* Who hands over a socket has made its path as well. */
static int open_path(struct acceptor *a, const struct binding *at, enum sharing sharing)
{
	int fd = handed_socket(SOCK_STREAM, at);

	if (fd != -ENOENT)
		return fd;
	if (sharing == BIND_NEXT)
		return -EALREADY;
	a->path = calloc(1, sizeof *a->path);
	if (!a->path)
		return -ENOMEM;
	fd = unix_socket_listen(a->path, at->path, at->mode, BACKLOG);
	if (fd < 0) {
		free(a->path);
		a->path = NULL;
	}
	return fd;
}

static int open_address(const struct binding *at, enum sharing sharing)
{
	int fd = socket_bound(SOCK_STREAM, at, sharing);

	if (fd < 0)
		return fd;
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* what it accepts has it, too */
	if (listen(fd, BACKLOG) == 0)
		return fd;
	int err = -errno;

	close(fd);
	return err;
}

static void close_acceptor(struct acceptor *a)
{
	if (a->path)
		unix_socket_remove(a->path);
	if (a->fd >= 0)
		close(a->fd);
	free(a->path);
	free(a);
}

bool stream_secure(
	struct stream *s, struct tls_server *server, const struct addr *at, unsigned within_ms)
{
	struct tls *tls = tls_server_session(server, at);

	if (!tls)
		return false;
	if (!buf_append(tls_in(tls), buf_span(&s->in))) {
		tls_free(tls);
		return false;
	}
	buf_drop(&s->in, buf_len(&s->in));
	s->tls = tls;
	s->state = HANDSHAKE;
	s->fresh = true;
	timer_start(s->loop, &s->timer, within_ms);
	loop_later(s->loop, &s->flush);
	return true;
}

int acceptor_open(struct acceptor **out, struct loop *loop, const struct binding *at,
	enum sharing sharing, acceptor_fn *got_client, void *arg)
{
	struct acceptor *a = calloc(1, sizeof *a);
	bool has_path = at->addr.any.sa_family == AF_UNIX;
	int err;

	if (!a)
		return -ENOMEM;
	a->loop = loop;
	a->got_client = got_client;
	a->arg = arg;
	a->accepted = -1;
	a->watch.ready = on_connection;
	a->breath.fire = watch_acceptor;
	err = a->fd = has_path ? open_path(a, at, sharing) : open_address(at, sharing);
	if (err >= 0)
		err = watch_start(loop, &a->watch, a->fd, LOOP_READ | LOOP_SHARED);
	if (err < 0) {
		close_acceptor(a);
		return err;
	}
	*out = a;
	return 0;
}

void acceptor_close(struct acceptor *a)
{
	watch_stop(&a->watch);
	timer_stop(a->loop, &a->breath);
	close_acceptor(a);
}

void acceptor_address(const struct acceptor *a, struct addr *addr)
{
	socklen_t size = sizeof *addr;

	memset(addr, 0, sizeof *addr);
	getsockname(a->fd, &addr->any, &size);
}
