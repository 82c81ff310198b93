/* binding: where a socket is bound, and how. */
#ifndef NET_BINDING_H
#define NET_BINDING_H

#include "net/addr.h"

struct binding {
	struct addr addr; /* AF_UNIX: it is at the path, which net/unix_socket.h makes */
	const char *path;
	unsigned mode; /* of the path: who may connect */
	const char *interface; /* what comes by another one is not taken; NULL: all is */
	bool free; /* also where this host does not have the address, or not yet */
};

/* To the same place, in the same way. */
bool binding_equal(const struct binding *, const struct binding *);

#endif
