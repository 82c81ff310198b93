/* listener: where clients' queries come in: one address, UDP and TCP. */
#ifndef LISTEN_LISTENER_H
#define LISTEN_LISTENER_H

#include "listen/hosts.h"
#include "net/socket.h"
#include "query/query.h"

struct listen_conf {
	struct addr *addrs;
	size_t count;
	size_t connections; /* of all clients, in one worker */
	size_t connections_per_client; /* of one address, in one worker */
	uint64_t unsent; /* octets of answers that clients do not take, in one worker */
	size_t pipeline; /* unanswered queries of one connection; more are not read */
	unsigned idle_ms; /* a connection without a query is closed after this */
	unsigned message_ms; /* a started message must be whole within this (RFC 7766 §6.2.3) */
	unsigned write_ms; /* answers that the client does not take end its connection */
};

/* What the listeners of one worker share. */
struct listening {
	struct query_env *env;
	struct listen_conf conf;
	const char *more_connections; /* what lets clients have more of them */
	struct hosts hosts;
	struct task relief; /* of what their clients leave unsent */
};

/* One address over one transport. */
struct listener {
	const struct listener_ops *ops;
};

struct listener_ops {
	const char *name; /* "udp", "tcp" */
	/* Opens, binds and serves. 0 or -errno. */
	int (*open)(struct listener **, struct listening *, const struct addr *, enum sharing);
	/* The address that was bound, with its port if 0 was asked for. */
	void (*address)(const struct listener *, struct addr *);
	/* Takes no new query; answers still go out. */
	void (*stop)(struct listener *);
	/* Sends what is left when the last query is over, then calls closed() once, from the loop;
	 * the listener is gone then. */
	void (*close)(struct listener *, void (*closed)(void *arg), void *arg);
};

extern const struct listener_ops on_udp, on_tcp;

#endif
