/* server: what is behind upstream.h: a server, and what a transport must do for it.
 *
 * A transport moves the messages of exchanges to and from one server. It tells of a connection's
 * fate through server_*(), and ends exchanges through exchange_end().
 */
#ifndef UPSTREAM_SERVER_H
#define UPSTREAM_SERVER_H

#include "net/fault.h"
#include "net/stream.h"
#include "upstream/upstream.h"

struct conn;

struct transport {
	const char *name;
	/* A new connection, registered in server->conns and as server->conn. NULL: out of memory.
	 */
	struct conn *(*open)(struct server *);
	/* Sends the exchange's question: 0, -EAGAIN (full) or -ENOMEM. */
	int (*send)(struct conn *, struct exchange *, const struct ask *);
	/* The exchange is not waited for any more. */
	void (*forget)(struct conn *, struct exchange *);
	/* Says goodbye and goes; exchanges in it end LOST. */
	void (*finish)(struct conn *);
};

extern const struct transport over_tls;

struct server {
	struct upstreams *all;
	const struct server_conf *conf;
	const struct transport *transport;
	struct tls_client *tls;
	struct tls_identity identity;
	struct conn *conn; /* takes new exchanges; NULL: there is none */
	struct list conns; /* also those that are ending */
	unsigned failures; /* connections in a row that came to nothing */
	uint64_t retry_at_ms, dialled_ms, no_edns_until_ms;
	bool up; /* the last thing we heard was an answer; a change is logged */
};

struct upstreams {
	struct loop *loop;
	const struct upstream_conf *conf;
	struct rand *rand;
	struct metrics *metrics;
	bool stopping;
	struct task gone; /* tells `idle` */
	void (*idle)(void *arg);
	void *idle_arg;
	size_t count;
	struct server servers[];
};

/* A connection stands: what was agreed on is logged when it is news. */
void server_connected(struct server *, const struct tls_facts *);
/* A reply came that counts. */
void server_answered(struct server *);
/* Something is wrong with it, in words. */
void server_complain(const struct server *, const struct fault *);
/* A connection ended. useless: it never answered anything and was wanted. */
void server_lost(struct server *, const struct fault *, bool useless);
/* The connection's memory goes; call it last. */
void server_conn_freed(struct server *);

/* Takes the exchange out of its connection's books (the transport's list is the caller's job) and
 * tells its owner. */
void exchange_end(struct exchange *, enum outcome, const struct reply *);

#endif
