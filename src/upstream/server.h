/* server: what is behind upstream.h: servers, their lanes, and what a transport must do.
 *
 * A lane is a way to a server: connections of one transport, and the exchanges that wait for one.
 * A server has one; one that is asked over UDP has a second, for what must go over TCP. The
 * transport moves the messages of exchanges; it tells of a connection's fate through conn_*(),
 * and ends exchanges through exchange_end().
 */
#ifndef UPSTREAM_SERVER_H
#define UPSTREAM_SERVER_H

#include "dns/name.h"
#include "net/fault.h"
#include "net/stream.h"
#include "upstream/addresses.h"
#include "upstream/pick.h"
#include "upstream/status.h"
#include "upstream/upstream.h"

/* A connection as its lane knows it: the first member of the transport's own struct. */
struct conn {
	struct list node; /* in lane->conns */
	struct lane *lane;
	struct addr to;
	bool open; /* takes exchanges */
	bool suspect; /* owes answers for too long: takes no new ones until it answers */
	bool leaving; /* takes no new ones any more */
	size_t in_flight; /* exchanges that wait for a reply */
	size_t taken, replies; /* exchanges of all times; replies that counted */
};

struct transport {
	const char *name;
	bool connects; /* the server knows of its connections: they are made, wear out, are idle */
	/* Begins a connection to that address, and gives it to the lane by conn_init(). NULL: out
	 * of memory. Then, from the loop, conn_opened() or conn_ended(). */
	struct conn *(*open)(struct lane *, const struct addr *to);
	/* Sends the exchange's question. 0 or -ENOMEM. */
	int (*send)(struct conn *, struct exchange *);
	/* The exchange is not waited for any more. */
	void (*forget)(struct conn *, struct exchange *);
	/* Says goodbye when the last answer is in, and ends. */
	void (*finish)(struct conn *);
	/* Ends at once, by conn_ended(); its exchanges are LOST. */
	void (*end)(struct conn *, const struct fault *);
	/* The address it was connected from; false: unknown yet. */
	bool (*local)(const struct conn *, struct addr *);
};

extern const struct transport over_tls, over_tcp, over_udp;

struct lane {
	struct server *server;
	const struct transport *transport;
	struct list conns; /* also those that are ending */
	struct list queue; /* exchanges that no connection has room for, oldest first */
	size_t queued;
	size_t window; /* exchanges in flight on one connection; learned */
	bool careful; /* long packets may not get through: new connections ask for short ones */
	unsigned cut_short; /* connections in a row that were closed on queries */
	unsigned idle_ms; /* the server keeps an idle connection at least so long; learned */
	unsigned address; /* of the server's, which is dialled next */
	unsigned tried; /* addresses since the last success */
	struct timer late; /* what is being dialled is late then */
	uint64_t failed_ms; /* the latest failure; of a second lane only */
	struct task pump; /* there may be room for those that wait */
};

enum { LANE_MAIN, LANE_TCP, LANES };

struct server {
	struct list node; /* in all->servers */
	struct upstreams *all;
	const struct server_conf *conf; /* of the latest generation that it is in */
	uint32_t number; /* of no other one that ever joined, in all workers the same */
	unsigned generations; /* that it is in */
	bool current; /* it is in the latest one: it may be asked */
	struct generation *last; /* it is in none any more, and this one waits for its end */
	struct task bury;
	struct tls_client *tls; /* NULL: not TLS */
	struct tls_identity identity;
	struct lane lanes[LANES];
	struct addr addrs[ADDRS_MAX];
	size_t addr_count; /* 0: its name is not resolved yet */
	struct host *host; /* NULL: it is not given by name */
	struct designated *designated; /* NULL: it is not given by who designates it */
	struct server *asked_for; /* it is only asked whom it designates, for this one; or NULL */
	bool awaits_names; /* there is no address to dial, or none that works; others may come */

	/* How it stands, beside known.standing. */
	uint64_t evidence_ms; /* the latest reply or failure */
	uint64_t answered_ms; /* the latest reply */
	unsigned failures; /* connections in a row that came to nothing */
	unsigned amiss; /* replies in a row that were wrong, or late */
	uint64_t dialled_ms, wanted_ms;
	uint64_t no_edns_until_ms;
	struct timer probe_timer;
	struct exchange probe;
	uint64_t loops_until_ms; /* it sends our queries back to us: not asked until then */
	struct exchange echo; /* see echo.h */
	uint64_t echo_at_ms;
	struct question echo_question;
	uint8_t echo_name[NAME_MAX_WIRE];
	uint64_t asked_ms; /* the latest lookup began here; 0: none */
	unsigned gap_ms; /* usually between lookups; 0: unknown */

	/* What is to be told of it. Moments instead of ages; connections are counted when asked. */
	struct server_status known;
};

struct group {
	struct generation *of;
	const struct group_conf *conf;
	bool inside;
	struct server *servers[GROUP_MAX];
};

/* What a worker has made of one configuration (generation.c). */
struct generation {
	struct list node; /* in all->generations, unless it is only being prepared */
	struct upstreams *all;
	struct loan loan;
	unsigned users; /* that it is the latest, the one before it, and whoever holds a group */
	unsigned ending; /* servers of no other one that have not ended */
	struct generation *after; /* that came after it, and stays for as long as it does */
	struct task over;
	struct server **servers; /* by index in the configuration */
	struct group *groups; /* likewise */
};

struct upstreams {
	struct loop *loop;
	const struct upstream_conf *conf; /* of the latest generation */
	struct rand *rand;
	struct metrics *metrics;
	bool stopping;
	bool ended; /* the loop is no more */
	struct task gone; /* tells `idle` */
	void (*idle)(void *arg);
	void *idle_arg;
	unsigned hedges_left; /* in twentieths of a query */
	uint64_t lookups, explored_at; /* lookups when one was explored last */
	struct generation *now, *next; /* next: it is prepared, or NULL */
	struct list generations; /* which are of use to anybody */
	struct list servers; /* of all of them, and those that are ending */
	uint32_t server_count; /* that have joined, of all times */
	size_t askers_most;
	struct list hosts; /* of servers (names.c) */
	struct addresses_file addresses;
};

/* ---- servers (server.c) ---- */

/* Of no generation yet, hence in no list. NULL: out of memory. */
struct server *server_new(struct upstreams *, const struct server_conf *);
/* It is in its first generation: from here on it is listed, and has a number and what addresses are
 * known. */
void server_join(struct server *);
/* It goes on under the same server of another configuration; before is what holds for all so far.
 */
void server_renew(struct server *, const struct server_conf *, const struct upstream_conf *before);
/* It is gone from the configuration: connections say goodbye when nothing waits on them. */
void server_retire(struct server *);
/* No probe from here on; no exchange of ours runs; goodbye to all connections. */
void server_stop(struct server *);
/* It has no connection any more. */
bool server_is_over(const struct server *);
/* NULL is nothing. */
void server_free(struct server *);

/* How it stands by now: old evidence counts no more. */
enum standing server_standing(const struct server *);
/* As the choice sees it, when nobody has asked it. */
struct candidate server_as_candidate(const struct server *);
/* A failed connection may be followed by another one. */
bool server_may_dial(const struct server *);
/* It has been down for less than a second, as if it were being started anew. */
bool server_stumbles(const struct server *);
/* Asks it something of our own, if it is down and was not dialled just now. */
void server_look_after(struct server *);
/* The world has changed. */
void server_changed(struct server *, enum change);
/* Something is wrong with it, in words: counted, kept for status, and logged. addr as above. */
void server_complain(struct server *, const struct addr *, const struct fault *);
/* A connection stands; what was agreed on is kept, and logged when it is news. facts NULL: not TLS.
 */
void server_connected(struct server *, const struct conn *, const struct tls_facts *);
/* Has its addresses looked for, by its name or by who designates it. True: it is under way, now or
 * already, and server_named() or server_unnamed() comes, from the loop. False: it was tried just
 * now, or it is given by address. */
bool server_seek(struct server *);
/* The same, if its addresses are too old: nobody waits for it. */
void server_refresh(struct server *);
/* A connection to there is being made: what it must prove is set. */
void server_aim(struct server *, const struct addr *to);
/* It has these addresses, but for those where we listen ourselves; the ports are its own, unless it
 * is designated. */
void server_take_addresses(struct server *, const struct addr *, size_t count);
/* (From names.c and designated.c.) Its addresses are known: maybe others than before. */
void server_named(struct server *, const struct addr *, size_t count);
/* They are not; those that it has stay in use. */
void server_unnamed(struct server *, const struct fault *);
/* A connection to it, at that address, came to nothing, or died without having been of use. The
 * address is NULL if none is known. */
void server_failed(struct server *, const struct addr *, const struct fault *);
void server_answered(struct server *, const struct exchange *, const struct reply *);
/* It sends our queries back to us: it is down for so long, and what it owes is lost. */
void server_loops(struct server *, unsigned ms);
/* A connection of it owes answers for too long. */
void server_is_late(struct server *);

/* ---- lanes (lane.c) ---- */

void lane_init(struct lane *, struct server *, const struct transport *);
/* 0; -EAGAIN: the queue is full, or no connection may be made now; -ENOMEM. */
int lane_send(struct lane *, struct exchange *);
/* Gives exchanges that wait to connections that have room, and makes connections. */
void lane_pump(struct lane *);
/* Begins a connection, or has the server's name resolved to begin one then. False: out of memory.
 */
bool lane_dial(struct lane *);
bool lane_is_dialling(const struct lane *);
/* A connection that can take an exchange stands. */
bool lane_is_open(const struct lane *);
/* The server's addresses are others: connections to those it has no more are given no new
 * exchanges, and what waits goes on. */
void lane_readdress(struct lane *);
/* No connection can be made: what waits for one is UNSENT. */
void lane_give_up(struct lane *);
/* Nothing new will be asked: goodbye to connections that stand, when nothing waits on them. What
 * waits for one gets it. */
void lane_retire(struct lane *);
/* Nothing will be asked any more: goodbye to all. */
void lane_finish(struct lane *);
/* Limits are others than before. */
void lane_renew(struct lane *, const struct upstream_conf *before);
/* Ends all connections at once, and fails what waits. */
void lane_end(struct lane *, const struct fault *);
/* Connections are ended whose address or route is gone, or all of them. */
void lane_rebind(struct lane *, bool all);

/* What transports tell. */
void conn_init(struct conn *, struct lane *, const struct addr *to);
void conn_opened(struct conn *, const struct tls_facts *);
/* It owes answers for too long. The transport then calls on_stalled() of those that wait. */
void conn_suspected(struct conn *);
/* A reply came that counts; the exchange is out of the transport's books. */
void conn_replied(struct conn *, struct exchange *, const struct reply *);
/* The exchange is over otherwise than by a reply that counts; the transport ends it. */
void conn_release(struct conn *);
/* With nothing to do for so long, it is idle. */
unsigned conn_idle_ms(const struct conn *);
/* It is idle: it is asked to say goodbye, unless it may be of more use. */
void conn_idle(struct conn *);
/* The server keeps it for so long without a question (RFC 7828); 0: it wants it to end. */
void conn_keepalive(struct conn *, unsigned ms);
/* It is over. idle_ms: it had nothing to do for so long. useful: it has brought answers, or was not
 * needed. Its exchanges are still the transport's: they are ended by it, after this. */
void conn_ended(struct conn *, const struct fault *, bool useful, unsigned idle_ms);
/* The connection's memory goes; call it last. */
void conn_gone(struct conn *);

/* ---- names of hosts (names.c) ---- */

/* The host of a server that has one, which may have others. NULL: out of memory. */
struct host *names_host(struct upstreams *, const struct server_conf *);
/* The server gets the addresses that are known. */
void names_give(const struct host *, struct server *);
/* One of its servers is no more; the last one ends it. NULL is nothing. */
void names_let_go(struct host *);
/* Another configuration is in force: where nobody has told a host's addresses yet, those that it
 * gives are the ones to use. */
void names_renew(struct upstreams *);
/* Asks nobody from here on. */
void names_stop(struct upstreams *);
/* After loop_free(), when no server is left. */
void names_clear(struct upstreams *);

/* Has the server's host resolved. True: it is under way, now or already, and server_named() or
 * server_unnamed() comes, from the loop. False: it was tried just now, or has no host. */
bool names_ask(struct server *);
/* The same, if its addresses are too old: nobody waits for it. */
void names_refresh(struct server *);
/* How long until names_ask() would try again; 0: now. */
uint64_t names_pause_ms(const struct server *);

/* The world has changed: addresses may have too, and what failed may go well. */
void names_changed(struct upstreams *, enum change);

/* ---- who is designated (designated.c) ---- */

/* Of a server that is being made, and is given by who designates it. NULL: out of memory. */
struct designated *designated_new(struct server *);
/* The server goes on under another configuration; before as of server_renew(). */
void designated_renew(struct designated *, const struct upstream_conf *before);
/* Asks nobody from here on, and has the resolver's connections end. */
void designated_stop(struct designated *);
/* They have. */
bool designated_is_over(const struct designated *);
/* NULL is nothing. */
void designated_free(struct designated *);

/* As names_ask(), names_refresh(), names_pause_ms() and names_changed(). */
bool designated_ask(struct designated *);
void designated_refresh(struct designated *);
uint64_t designated_pause_ms(const struct designated *);
void designated_changed(struct designated *, enum change);

/* The name of who is at that address and port, as the resolver says; "": nobody is any more. */
const char *designated_name(const struct designated *, const struct addr *);
/* A connection is made to there: it is to look for that name. Tickets of another one are forgotten.
 */
void designated_aim(struct designated *, const struct addr *to, struct tls_identity *);

/* Puts an exchange on this very connection. False: out of memory. */
bool conn_ask(struct conn *, struct exchange *, const struct ask *);
/* `. NS` without RD: what every server can answer or refuse by itself, and what tells nobody
 * anything. */
extern const struct ask server_easy_question;

/* (upstreams.c) A connection's memory is going. */
void upstreams_conn_gone(struct server *);

/* ---- generations (generation.c) ---- */

/* NULL: out of memory; nothing is borrowed. Servers that the latest generation has are shared. */
struct generation *generation_new(struct upstreams *, const struct loan *);
/* Becomes the latest one. */
void generation_begin(struct generation *);
/* It never began: the loan is given back. NULL is nothing. */
void generation_forget(struct generation *);
/* A server of it has no connection any more, and may be ending. */
void generation_server_rests(struct server *);
/* All at once, when the loop is no more. */
void generations_free(struct upstreams *);
void generation_hold(struct generation *);
void generation_let_go(struct generation *);

/* Moves the exchange from the connection it is on to another lane of its server, where it goes on
 * as if it had begun there. False: that lane cannot take it now; nothing has happened. */
bool exchange_move(struct exchange *, unsigned lane);
/* Takes the exchange out of our books (the transport's are the caller's job) and tells its owner.
 */
void exchange_end(struct exchange *, enum outcome, const struct reply *);

#endif
