/* socket: how sockets are made: those that are bound to be found, those that go out. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/binding.h"

/* Who else of this process binds the same address. The first of many makes sure that nobody outside
 * this process holds it, which SO_REUSEPORT would let pass unnoticed. */
enum sharing { BIND_ALONE, BIND_FIRST, BIND_NEXT };

/* A non-blocking socket of that type (SOCK_DGRAM, SOCK_STREAM), bound; or -errno. Where the service
 * manager has handed over one, it is that, whoever else has it. */
int socket_bound(int type, const struct binding *, enum sharing);

/* Is it an address of this host? Yes, where that cannot be told. */
bool socket_has_address(const struct addr *);

/* A non-blocking socket of that type (SOCK_DGRAM, SOCK_STREAM), for the caller to connect to `to`
 * from that address (its port 0; NULL or AF_UNSPEC: the kernel chooses) and through that interface
 * (NULL: likewise). The port is chosen by the kernel when it is connected. Or -errno:
 * -EADDRNOTAVAIL if the address is not one of this host, -EAFNOSUPPORT if it cannot reach `to`,
 * -ENODEV if there is no such interface. */
int socket_outgoing(
	int type, const struct addr *to, const struct addr *source, const char *interface);

/* Sets an integer option; false if the kernel does not know or want it. */
bool socket_set(int fd, int level, int option, int value);

#endif
