/* way: to a server and back: messages over UDP, TCP or TLS, whatever they say. */
#ifndef ASK_WAY_H
#define ASK_WAY_H

#include "base/loop.h"
#include "net/fault.h"
#include "net/stream.h"
#include "upstream/upstream.h"

struct way;

/* All from the loop, until way_close(). */
struct way_events {
	/* It stands; facts NULL: no TLS. Of UDP at once, from the loop. */
	void (*opened)(void *arg, const struct tls_facts *);
	/* A whole message came from the server; of UDP, from its address and port. */
	void (*got)(void *arg, struct span message);
	/* UDP: a datagram came from somebody else. */
	void (*strayed)(void *arg, const struct addr *from, struct span message);
	/* Over: no connection, or its end. phase NONE: it ended in order. */
	void (*closed)(void *arg, const struct fault *);
};

struct way_conf {
	const struct server_conf *server; /* an address, no host */
	const char *path; /* of a unix socket, in place of its address; NULL: none */
	enum scheme scheme; /* may be TCP where the server's says UDP or TLS */
	struct tls_client *tls; /* of SCHEME_TLS; else NULL */
	struct tls_identity *identity; /* likewise; keeps tickets for the next way */
	unsigned open_ms;
	const struct way_events *events;
	void *arg;
};

/* 0 or -errno. */
int way_open(struct way **, struct loop *, const struct way_conf *);
/* False: out of memory. Before `opened`, it waits. */
bool way_send(struct way *, struct span message);
/* No event comes after it. NULL is nothing. */
void way_close(struct way *);

#endif
