/* shown: what clients that come over TLS are shown now, by all workers. It is replaced while they
 * run; sessions go on with what they began with. */
#ifndef LISTEN_SHOWN_H
#define LISTEN_SHOWN_H

#include "net/tls_server.h"

#include <pthread.h>
#include <stdatomic.h>

struct shown {
	pthread_mutex_t lock;
	struct tls_front *front; /* NULL: nothing */
	atomic_uint version; /* of it */
	struct tls_tickets *tickets; /* NULL until there is a front */
};

/* One worker's, zeroed. */
struct shown_here {
	struct tls_server *server;
	unsigned version; /* of which it was made */
};

void shown_init(struct shown *);
void shown_clear(struct shown *);

/* From now on, new sessions are shown that, NULL being nothing. It has a reference of its own. From
 * any thread. */
void shown_set(struct shown *, struct tls_front *);
/* The same, in place of that one. False: something else is shown meanwhile, and stays. */
bool shown_replace(struct shown *, const struct tls_front *was, struct tls_front *);

/* The worker's server for what is shown now. Without memory for a new one it is the one before.
 * NULL: there is none. */
struct tls_server *shown_server(struct shown *, struct shown_here *);
void shown_here_clear(struct shown_here *);

#endif
