/* stream: a connection of bytes, TCP or TLS over TCP, through buffers.
 *
 * TLS is a property of a stream: its user sees plain bytes either way. What is sent is collected
 * and goes out once per turn of the loop. Nothing given to stream_send() leaves before the
 * connection stands and, with TLS, the peer is authenticated. One exception is TCP Fast Open (RFC
 * 7413), which is used where the kernel and the peer know it: the SYN then carries the first bytes,
 * which are the ClientHello of TLS, or what was given to a plain stream within its first turn.
 *
 * Events come from the loop only. `closed` comes once, after it nothing; the stream frees itself
 * then. After stream_close() no event comes at all. States: connecting -> (handshake) -> open ->
 * closed; an accepted stream starts open, and may go back to the handshake. The peer's end of
 * sending (`ended`) is no close: what is sent after it still goes out.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/buf.h"
#include "base/loop.h"
#include "net/addr.h"
#include "net/socket.h"
#include "net/fault.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

struct stream;

struct stream_events {
	/* Connected and authenticated: what was sent so far goes out now. Of an accepted stream:
	 * TLS stands, after stream_secure(). */
	void (*opened)(void *arg);
	/* New bytes are in the buffer; take whole messages off its front, leave the rest. */
	void (*got)(void *arg, struct buf *in);
	/* The peer sends no more (FIN or close_notify); `in` may hold the start of a message. */
	void (*ended)(void *arg);
	/* All that was sent is with the kernel, after the peer had been slow to take it, or while
	 * reading is paused. May be NULL. */
	void (*drained)(void *arg);
	/* Over, and why. phase NONE: after stream_finish() or a clean end. */
	void (*closed)(void *arg, const struct fault *);
};

struct stream_conf {
	const struct stream_events *events;
	void *arg;
	unsigned open_ms; /* connect and handshake together may take this long */
	unsigned write_ms; /* bytes that the peer does not take this long end the connection */
	/* The sum of stream_untaken() of all streams that share it, or NULL; must outlive them. */
	size_t *unsent;
	/* Of stream_connect(), which copies what it needs. */
	const struct addr *source; /* its port is 0; NULL or AF_UNSPEC: the kernel chooses */
	const char *interface; /* NULL: the kernel chooses */
	const char *path; /* of a unix socket to connect to, in place of an address; NULL: none */
	int segment; /* the most octets that a packet to us should carry; 0: what the link takes */
	size_t read_size; /* read at once; 0: 64 KiB, whose memory is kept while nothing comes */
};

/* Connects; with tls, authenticates the peer as `identity` says, which it borrows for the stream's
 * life. NULL: out of memory; every other failure is told by `closed`. */
struct stream *stream_connect(struct loop *, const struct addr *to, struct tls_client *tls,
	struct tls_identity *identity, const struct stream_conf *);

/* Appends bytes; false: out of memory, nothing was appended. Two parts, so that a length and a
 * message need not be copied together first. */
bool stream_send(struct stream *, struct span head, struct span body);
/* Bytes appended and not yet taken by the kernel. */
size_t stream_unsent(const struct stream *);
/* Of these, those that were left when a turn of the loop was over: the peer is slow to take them.
 */
size_t stream_untaken(const struct stream *);

/* The peer's host has acknowledged every byte that was sent: it is there, whatever it does. */
bool stream_is_acked(const struct stream *);

/* While paused, nothing is read; the peer feels it. After it, `got` comes once for what was left in
 * the buffer, which may be nothing. */
void stream_pause(struct stream *, bool paused);

/* Events go there from now on. For what is in the buffer, which may be nothing, `got` comes, from
 * the loop. */
void stream_retarget(struct stream *, const struct stream_events *, void *arg);

/* Sends what is left, then close_notify and FIN: the peer hears that nothing more comes. What it
 * sends is still heard; stream_finish() or stream_close() ends the stream. Nothing is sent after
 * it. */
void stream_shut(struct stream *);
/* Sends what is left, then close_notify and FIN, then closes; `closed` comes with phase NONE, or
 * with the fault that came first. What comes meanwhile is not heard. */
void stream_finish(struct stream *);
/* Closes now. The stream is gone for the caller. NULL is nothing. */
void stream_close(struct stream *);

/* The address and port it is connected from. False: it is not (yet) from any. */
bool stream_local(const struct stream *, struct addr *);

/* What the handshake agreed on; NULL on plain or not yet open streams. */
const struct tls_facts *stream_tls_facts(const struct stream *);

/* ---- listening ---- */

struct acceptor;

/* A client connected. Decide at once: stream_accept() it, or return without, which closes it. */
typedef void acceptor_fn(void *arg, const struct addr *peer);

/* Binds, listens, accepts. A unix socket cannot be shared: only BIND_ALONE and BIND_FIRST make one,
 * and BIND_NEXT is -EALREADY. 0 or -errno. */
int acceptor_open(struct acceptor **out, struct loop *, const struct binding *, enum sharing,
	acceptor_fn *got_client, void *arg);
/* From within got_client only. NULL: out of memory; the connection is closed. */
struct stream *stream_accept(struct acceptor *, const struct stream_conf *);
/* Of an accepted and plain one, from `got` or later: the bytes in its buffer, and all that come,
 * are TLS, of which we are the server; the peer knows us by `at`, see tls_server_session().
 * `opened` comes when the handshake is over, which it must be within that time. False: out of
 * memory; nothing has changed. */
bool stream_secure(struct stream *, struct tls_server *, const struct addr *at, unsigned within_ms);
void acceptor_close(struct acceptor *);
/* With the port, where 0 was asked for; of a unix socket only the family. */
void acceptor_address(const struct acceptor *, struct addr *);

#endif
