/* place: where this host's own programs reach the proxy. */
#ifndef HOST_PLACE_H
#define HOST_PLACE_H

#include "config/config.h"

/* Is it plain DNS over UDP and TCP, for who asks from this host, at an address of loopback? That
 * address in *at: of a listener on all addresses, loopback's. */
bool place_of(const struct config *, const struct endpoint *, struct addr *at);

/* The first such listener, on port 53 if there is one. NULL: there is none. */
const struct endpoint *place_find(const struct config *, struct addr *at);

#endif
