/* asking: one question over UDP, through a socket of its own.
 *
 * The socket is connected, so that the kernel drops what does not come from the address and port
 * that was asked, and its port is a fresh one that the kernel draws (RFC 5452 §9.2). Its owner
 * closes it as soon as it has an answer: the time in which somebody else could guess the port ends
 * then.
 *
 * An owner that wants to hear of what the kernel would drop (`strayed`) has a socket that is not
 * connected: then it is compared here who a message is from, and it comes whole, whatever its
 * length. That is for tools, which show what happens; nobody else should let strangers cost him
 * time.
 *
 * Nothing that comes ends anything here, whether it makes sense or not: ICMP errors can be sent by
 * anybody, and may be about what is over. The owner judges, waits on, and closes.
 */
#ifndef NET_ASKING_H
#define NET_ASKING_H

#include "base/loop.h"
#include "base/span.h"
#include "net/addr.h"

/* The longest message that comes whole without `strayed`; what is behind it is cut off. */
#define ASKING_MAX 4096

struct asking;

struct asking_conf {
	const struct addr *source; /* its port is 0; NULL or AF_UNSPEC: the kernel chooses */
	const char *interface; /* NULL: the kernel chooses */
	/* All come from the loop, as often as there is something to tell, until asking_close(). */
	void (*got)(void *arg, struct span message); /* valid during the call; may be empty */
	/* A message came from somebody else. NULL: such are dropped unseen. */
	void (*strayed)(void *arg, const struct addr *from, struct span message);
	/* The network said something is wrong: -ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH ... */
	void (*failed)(void *arg, int error);
	void *arg;
};

/* A socket to ask `to`, which sends nothing yet. 0 or -errno: out of memory, descriptors or ports,
 * there is no route, or as socket_outgoing() says. The conf is copied where it is needed later. */
int asking_open(
	struct asking **out, struct loop *, const struct addr *to, const struct asking_conf *);
/* Sends a message at once. 0 or -errno; it may be sent again, as a datagram may be lost. */
int asking_send(struct asking *, struct span message);
/* Closes. No callback comes after it. NULL is nothing. */
void asking_close(struct asking *);

#endif
