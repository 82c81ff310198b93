/* handed: the sockets that a service manager has bound for us (sd_listen_fds(3)).
 *
 * They are of the whole process, as descriptors and environment are: taken before there is a second
 * thread, unchanged after that, and open until the end. Who asks for a socket that is bound
 * (net/socket) gets one of these where there is one; nobody else needs to know of them.
 */
#ifndef NET_HANDED_H
#define NET_HANDED_H

#include "net/binding.h"

#include <stdio.h>

/* Takes those that LISTEN_FDS announces to this process, and its variables out of the environment.
 * False: one of them cannot be served, or an address has not both UDP and TCP, and is
 * not for TLS; which is said. */
bool handed_take(FILE *err);

/* Their addresses, each once, as `listen` writes them; a NULL behind them. One for TLS is called
 * tls or dot by the service manager, or has port 853, and is for TCP alone. */
const char *const *handed_addresses(void);

/* A descriptor, the caller's to close, of the one of that type (SOCK_DGRAM, SOCK_STREAM) that is
 * bound there. All who ask get the same socket. -ENOENT: there is none; or another -errno. */
int handed_socket(int type, const struct binding *);

#endif
