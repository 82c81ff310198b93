/* socket: what datagram sockets and listening stream sockets have in common. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/addr.h"

/* Who else of this process binds the same address. The first of many makes sure that nobody outside
 * this process holds it, which SO_REUSEPORT would let pass unnoticed. */
enum sharing { BIND_ALONE, BIND_FIRST, BIND_NEXT };

/* A non-blocking socket of that type (SOCK_DGRAM, SOCK_STREAM), bound; or -errno. */
int socket_bound(int type, const struct addr *, enum sharing);

/* Sets an integer option; false if the kernel does not know or want it. */
bool socket_set(int fd, int level, int option, int value);

#endif
