/* discover: how a client could have us over TLS. */
#ifndef LISTEN_DISCOVER_H
#define LISTEN_DISCOVER_H

#include "listen/listener.h"

/* For one that asks at that address, AF_UNSPEC being unknown, by what is shown and listened on now.
 * Its certificate is borrowed until the loop's next turn. */
void discover(struct listening *, const struct addr *asked_at, struct discovery *);

#endif
