#include "net/socket.h"

#include "net/handed.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a datagram socket: a burst must outlast one turn. */
#define RECEIVE_BUFFER (4 * 1024 * 1024)

bool socket_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool bind_to_interface(int fd, const char *name)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) == 0;
}

static bool set_place(int fd, const struct binding *b)
{
	if (b->interface && !bind_to_interface(fd, b->interface))
		return false;
	if (!b->free)
		return true;
	return b->addr.any.sa_family == AF_INET6 ? socket_set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
						 : socket_set(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

static int bind_one(int type, const struct binding *b, bool shared)
{
	const struct addr *a = &b->addr;
	int fd = socket(a->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (a->any.sa_family == AF_INET6)
		socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* A stream listener may follow one whose connections still linger. A datagram socket with
	 * this option would share its port with anybody. */
	if (type == SOCK_STREAM)
		socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Beyond the system's limit for those who may. Who hands over a socket has chosen. */
	else if (!socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER))
		socket_set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if ((shared && !socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) || !set_place(fd, b) ||
		bind(fd, &a->any, addr_size(a)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int socket_bound(int type, const struct binding *b, enum sharing sharing)
{
	int there = handed_socket(type, b);

	if (there != -ENOENT)
		return there;
	if (sharing == BIND_FIRST) {
		int fd = bind_one(type, b, false);

		/* Only a listening socket finds out that another one listens. */
		if (fd >= 0 && type == SOCK_STREAM && listen(fd, 1) < 0) {
			int err = -errno;

			close(fd);
			return err;
		}
		if (fd < 0)
			return fd;
		close(fd);
	}
	return bind_one(type, b, sharing != BIND_ALONE);
}

static bool start_from(int fd, const struct addr *source, const char *interface)
{
	if (interface && !bind_to_interface(fd, interface))
		return false;
	if (!source || source->any.sa_family == AF_UNSPEC)
		return true;
	/* The port is chosen by connect(), which knows the peer: the same one may then serve for
	 * many peers. */
	socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &source->any, addr_size(source)) == 0;
}

bool socket_has_address(const struct addr *a)
{
	struct binding some_port = { .addr = *a };

	addr_set_port(&some_port.addr, 0);
	int fd = bind_one(SOCK_DGRAM, &some_port, false);

	if (fd >= 0)
		close(fd);
	return fd != -EADDRNOTAVAIL && fd != -EAFNOSUPPORT;
}

int socket_outgoing(
	int type, const struct addr *to, const struct addr *source, const char *interface)
{
	sa_family_t family = to->any.sa_family;

	if (source && source->any.sa_family != AF_UNSPEC && source->any.sa_family != family)
		return -EAFNOSUPPORT;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && start_from(fd, source, interface))
		return fd;
	int err = -errno;

	if (fd >= 0)
		close(fd);
	return err;
}
