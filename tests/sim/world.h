/* world: what the stand-ins of base/loop, net/datagram, net/asking and net/stream offer to those
 * who play the peers of the daemon, and those of net/routes and base/jumps to those who change its
 * host.
 *
 * Time is virtual: it stands still while anything happens, then jumps to the next thing that will.
 * A world belongs to its loop. Bytes take a wire's delay each way and keep their order. TLS is only
 * a property.
 */
#ifndef WORLD_H
#define WORLD_H

#include "base/buf.h"
#include "base/loop.h"
#include "net/addr.h"

/* Something that will happen outside of the daemon. Those of one moment happen in the order they
 * were posted. */
struct event {
	struct list node;
	uint64_t at_ms;
	bool waiting;
	bool owned; /* is freed when it has happened, or when the world ends */
	void (*happen)(struct event *);
};

/* What the daemon asks its host for: descriptors, and memory of the host's own. */
enum need { NEED_CONNECT, NEED_ACCEPT, NEED_ASK, NEED_MEMORY };

/* The peers, as the daemon meets them. */
struct wire;
struct peers {
	/* The daemon sent a datagram. */
	void (*datagram)(void *arg, const struct addr *to, struct span message);
	/* The daemon connects: set how that goes, and who gets the bytes. */
	void (*dialled)(void *arg, const struct addr *to, struct wire *);
	/* All that was to happen by now has; the next moment is next_ms, UINT64_MAX if none. */
	void (*moment_over)(void *arg, uint64_t next_ms);
	/* The daemon asks over UDP, from that address and port. */
	void (*asked)(
		void *arg, const struct addr *to, const struct addr *from, struct span message);
	/* The host has none of it left: -errno. NULL, or 0: it has. */
	int (*denied)(void *arg, enum need);
};

/* Or somebody is there who cannot prove what TLS asks for. */
enum dial { DIAL_OPENS, DIAL_REFUSED, DIAL_VANISHES, DIAL_UNVERIFIED };

/* The far end of a connection. Lives as long as its world. */
struct wire {
	struct list node;
	struct loop *loop;
	struct stream *stream; /* the daemon's end; NULL: it has closed it */
	enum dial dial;
	unsigned open_ms; /* until a connection stands or is refused */
	unsigned delay_ms; /* each way */
	bool tls; /* the daemon encrypts, and authenticates who is here */
	const struct tls_identity *identity; /* by that; to be looked at in dialled() only */
	bool open; /* has been */
	bool full; /* takes no bytes: set by wire_take() */
	bool ended, reset; /* by this end */
	bool vanished; /* nobody acknowledges what the daemon sends */
	bool near_ended; /* by the daemon */
	struct buf early; /* came before the daemon took the call; so did the end of it: */
	bool early_end, early_reset;
	void (*got)(void *arg, struct span bytes);
	void (*closed)(void *arg); /* the daemon sends no more */
	void *arg;
};

/* Where the daemon listens at first. */
#define DAEMON_PORT 53

/* The most hosts that have no route. */
#define WORLD_CUTS 16

struct world {
	const struct peers *peers;
	void *arg;
	struct list events, wires;
	struct list askings; /* sockets that ask: open */
	unsigned asked; /* how many there were */
	struct list sockets, acceptors; /* listeners: no two of a kind have one port */
	size_t streams; /* alive */
	size_t segment; /* the most bytes that arrive at once; 0: any number */
	unsigned stops; /* calls of loop_stop() */
	uint64_t dispatched; /* events, timers and tasks, since the beginning */
	size_t early; /* octets for a TLS peer that was not authenticated yet */

	/* The host's clock and network. */
	uint64_t slept_ms; /* the host, so far */
	struct jumps *jumps; /* who watches, or NULL */
	struct routes *routes; /* who watches, or NULL */
	unsigned moves; /* how often its own addresses were replaced */
	struct addr cut[WORLD_CUTS]; /* hosts without a route */
	size_t cut_count;
};

struct world *loop_world(struct loop *);
/* 0, or -errno if the host has none left. */
int world_denies(struct loop *, enum need);
/* The one loop of the process. */
struct loop *loop_only(void);
void event_post(struct loop *, struct event *, uint64_t at_ms);
void event_cancel(struct event *);
/* Timers and tasks of the daemon that still wait. */
size_t loop_timers(const struct loop *);
size_t loop_tasks(const struct loop *);

/* A datagram comes to the daemon, to that port of it. */
void world_datagram(struct loop *, const struct addr *from, uint16_t port, struct span message);

/* The server `from` answers what was asked from `to`; or the network says that it cannot be reached
 * (-errno). Lost if that socket is closed by then. */
void world_reply(struct loop *, const struct addr *from, const struct addr *to, struct span message,
	unsigned delay_ms);
void world_icmp(struct loop *, const struct addr *from, const struct addr *to, int error,
	unsigned delay_ms);

/* The wall clock is set; slept: because the host was asleep for an hour. */
void world_jumps(struct loop *, bool slept);
/* What the host connects from, to get there: 0 or -ENETUNREACH. */
int world_source(struct loop *, const struct addr *to, struct addr *source);
/* Something changes: who watches is told 100 ms later. */
void world_changes(struct loop *);
/* The host's addresses are others now. */
void world_moves(struct loop *);
/* There is no route to that host any more, or there is again. */
void world_cut(struct loop *, const struct addr *host, bool cut);

/* What a client does with what comes over its connection. */
struct wire_user {
	void (*got)(void *arg, struct span);
	void (*closed)(void *arg);
	void *arg;
};
/* A client connects to that port; `closed` tells if nobody listens. */
struct wire *wire_connect(
	struct loop *, const struct addr *from, uint16_t port, const struct wire_user *);
void wire_send(struct wire *, struct span bytes);
void wire_end(struct wire *); /* FIN */
void wire_reset(struct wire *);
void wire_take(struct wire *, bool takes); /* whether it takes what the daemon sends */

#endif
