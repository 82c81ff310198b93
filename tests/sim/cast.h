/* cast: the peers of the daemon: upstream servers and clients.
 *
 * They speak and keep what they hear; who directs them (a play, or chance) looks at that. Some
 * things they know to be wrong by themselves: an answer to no question, a second one, one to
 * another question, a query that is none.
 */
#ifndef SIM_CAST_H
#define SIM_CAST_H

#include "chronicle.h"
#include "message.h"
#include "world.h"

enum role { UPSTREAM, UDP_CLIENT, TCP_CLIENT };

/* One end of a connection. */
struct line {
	struct list node; /* in actor->lines, oldest first */
	struct actor *actor;
	struct wire *wire;
	struct buf in;
	bool left; /* the daemon sends no more */
	bool dropped; /* this end has closed or reset it: what comes is not heard */
};

/* A message that was heard, or a question that was asked. */
struct letter {
	struct list node;
	struct line *line; /* NULL: a datagram */
	struct addr from; /* of a datagram to an upstream: who asked */
	uint64_t at_ms; /* by the chronicle */
	bool answered;
	struct span message; /* behind the struct */
};

struct actor {
	struct list node;
	struct cast *cast;
	const char *name; /* borrowed */
	enum role role;
	struct addr addr;
	struct list lines;
	struct list inbox; /* heard and not yet taken out */
	struct list questions; /* upstream: asked by the daemon; client: asked of it */
	size_t asked; /* questions, of all times */

	uint16_t port; /* of a client: where it asks */

	/* Of an upstream: */
	const char *scheme; /* tls, tcp, udp or ddr; borrowed */
	const char *host; /* NULL: it is configured by its address; borrowed */
	bool is_bootstrap;
	bool is_apart; /* it is not among `upstreams` */
	bool no_tcp; /* refuses connections, and hears datagrams */
	bool is_another; /* than who its certificate must be for */
	enum dial dial;
	unsigned open_ms, delay_ms;
	bool answers; /* by itself, as `form` says; such questions are not in the inbox */
	bool loops; /* asks the daemon, from `mirror`, what it is asked, and answers what it hears
		     */
	struct addr mirror;
	bool silent; /* what it hears is not in the inbox either */
	struct form form;
};

struct cast {
	struct loop *loop;
	struct chronicle *chronicle;
	struct list actors;
	unsigned upstreams, clients;
};

void cast_open(struct cast *, struct chronicle *);
/* The actors are on stage in this world; its peers are these functions, its arg the cast. */
void cast_enter(struct cast *, struct loop *);
void cast_datagram(void *cast, const struct addr *to, struct span message);
void cast_dialled(void *cast, const struct addr *to, struct wire *);
void cast_asked(void *cast, const struct addr *to, const struct addr *from, struct span message);
void cast_clear(struct cast *);

struct actor *cast_find(struct cast *, const char *name);
/* The nth upstream is at 192.0.2.n and 2001:db8::n. One of scheme udp takes connections as well. */
struct actor *upstream_new(struct cast *, const char *name, const char *scheme, unsigned delay_ms);
struct actor *client_new(struct cast *, const char *name, bool tcp, uint16_t port);

/* Connections that stand. */
size_t actor_connections(const struct actor *);
/* No packet reaches it any more, as if its route were gone. */
void upstream_vanish(struct actor *);
/* Its connections stand, take everything, and bring nothing. False: it has none. */
bool upstream_hang(struct actor *);
/* The same, and the daemon's host knows. */
void upstream_cut(struct actor *);
/* It can be reached again, and takes connections as it did at first. */
void upstream_return(struct actor *);
/* The daemon's host has another address; what was connected from the old one is dead. */
void cast_move(struct cast *);
/* Each of these is done to all connections of the actor. False: it has none. */
bool actor_close(struct actor *);
bool actor_reset(struct actor *);
bool actor_half_close(struct actor *);
bool actor_take(struct actor *, bool takes);
/* Sends octets as they are: over the latest connection, or as a datagram; an upstream's goes to who
 * asked last. */
bool actor_send(struct actor *, struct span);

void client_connect(struct actor *);
/* False: not a name, or there is no connection. */
bool client_ask(struct actor *, const char *name, uint16_t type, const struct form *);

/* Its oldest question with that name that is, or is not, answered; a server's: and can be. */
struct letter *actor_question(struct actor *, const char *name, bool answered);
void upstream_answer(struct letter *, struct actor *, const struct form *);

void letter_free(struct letter *);

#endif
