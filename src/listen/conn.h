/* conn: a client's connection as a stream: its clock, its pauses, its end.
 *
 * What it brings is on_stream's matter, what it is greeting's, and how many there may be door's.
 * Its struct lives until the last of its queries is over, even when the stream is gone.
 */
#ifndef LISTEN_CONN_H
#define LISTEN_CONN_H

#include "listen/listener.h"
#include "net/stream.h"

struct relay;

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

enum clock { STOPPED, IDLE, READING, HELD, LASTING /* until ends_ms */ };

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
	bool named; /* by its proxy */
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

/* Starts its timer, in place of the one that runs; or stops it. None runs beyond ends_ms. */
void conn_start_clock(struct stream_conn *, enum clock);
/* While paused, nothing is read. */
void conn_set_paused(struct stream_conn *, bool paused);
/* Takes no more queries; ends when those that wait are answered. */
void conn_stop_taking(struct stream_conn *);
/* Ends when what was sent is out; until then it gives way before any that may be of use. */
void conn_finish(struct stream_conn *);
/* Ends now. */
void conn_close(struct stream_conn *);
/* The stream is gone; answers to what still waits go nowhere. */
void conn_detach(struct stream_conn *);
/* Frees it, if there is no stream, no relay, and no query left. */
void conn_free_if_over(struct stream_conn *);
/* Where its client has connected to. False: that is not known, as of one that comes through a
 * proxy: it knows the proxy's address, not ours. */
bool conn_address(const struct stream_conn *, struct addr *);
/* Octets that its client has not taken (net/stream.h). */
size_t conn_untaken(const struct stream_conn *);

/* Tells who closed the listener when the last of its connections is gone. */
void conn_tell_if_gone(struct stream_listener *);

#endif
