/* listener: where clients' queries come in: one address, over UDP or as a stream. */
#ifndef LISTEN_LISTENER_H
#define LISTEN_LISTENER_H

#include "listen/handshakes.h"
#include "listen/hosts.h"
#include "listen/shown.h"
#include "net/socket.h"
#include "query/query.h"

/* What may be spoken on a stream, which tells by its first octets what it is. */
struct spoken {
	enum { TLS_REFUSE, TLS_TERMINATE, TLS_PASSTHROUGH } tls;
	bool plain;
};

/* A place where clients ask, and how. */
struct endpoint {
	const char *text; /* as `listen` writes it */
	struct binding at;
	bool datagrams; /* over UDP, too */
	struct spoken spoken;
};

struct listen_conf {
	struct endpoint *endpoints;
	size_t count;
	struct acl proxies; /* who speaks for others: what they send begins with a PROXY header */
	size_t connections; /* of all clients, in one worker */
	size_t connections_per_client; /* of one network, in one worker */
	uint64_t unsent; /* octets of answers that clients do not take, in one worker */
	size_t pipeline; /* unanswered queries of one connection; more are not read */
	size_t queries_before_close; /* in all that one connection brings; 0: any number */
	unsigned lifetime_ms; /* of a connection, however busy it is; 0: for ever */
	unsigned idle_ms; /* a connection without a query is closed after this */
	unsigned message_ms; /* a started message must be whole within this (RFC 7766 §6.2.3) */
	unsigned handshake_ms; /* TLS must stand within this */
	unsigned write_ms; /* answers that the client does not take end its connection */
};

/* What the listeners of one worker share. */
struct listening {
	struct query_env *env;
	struct listen_conf conf;
	const char *more_connections; /* what lets clients have more of them */
	struct hosts hosts;
	struct handshakes handshakes;
	struct shown *shown; /* to who comes over TLS, by all workers ... */
	struct shown_here tls; /* ... and by this one */
	struct task relief; /* of what their clients leave unsent */
};

/* One address over one transport. */
struct listener {
	const struct listener_ops *ops;
	struct spoken spoken; /* for who has yet to tell what it is; its opener may change it */
	const struct endpoint *endpoint; /* that it was asked for by, which its opener says; NULL:
					    it is not wanted any more */
};

struct listener_ops {
	const char *name; /* "udp", "tcp" */
	bool (*serves)(const struct endpoint *);
	/* Opens, binds and serves. 0 or -errno. */
	int (*open)(struct listener **, struct listening *, const struct endpoint *, enum sharing);
	/* The address that was bound, with its port if 0 was asked for. */
	void (*address)(const struct listener *, struct addr *);
	/* Other limits are in force. NULL: they say nothing of it. */
	void (*renew)(struct listener *);
	/* Takes no new query; answers still go out. */
	void (*stop)(struct listener *);
	/* Sends what is left when the last query is over, then calls closed() once, from the loop;
	 * the listener is gone then. */
	void (*close)(struct listener *, void (*closed)(void *arg), void *arg);
};

extern const struct listener_ops on_udp, on_stream;

#endif
