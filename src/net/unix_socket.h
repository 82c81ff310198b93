/* unix_socket: a socket with a name in the file system, from its making to its removal. */
#ifndef NET_UNIX_SOCKET_H
#define NET_UNIX_SOCKET_H

#include <sys/stat.h>
#include <sys/un.h>

/* Room for a path; what is longer cannot be a socket's. */
#define UNIX_PATH (sizeof((struct sockaddr_un){ 0 }.sun_path))

/* What stands at the path, so that only our own is removed. */
struct unix_socket {
	struct sockaddr_un name;
	dev_t device;
	ino_t inode;
};

/* A non-blocking stream socket that listens at the path (shorter than UNIX_PATH), never open to
 * more than mode says. One that a killed process has left there is replaced. Or -errno: -EADDRINUSE
 * if somebody answers there, or it is no socket. */
int unix_socket_listen(struct unix_socket *, const char *path, mode_t mode, int backlog);

/* A non-blocking stream socket that is connected to the one at the path (shorter than UNIX_PATH).
 * -errno; -EAGAIN: as many wait there as may. */
int unix_socket_connect(const char *path);

/* Removes the path, unless another one has put its own there since. */
void unix_socket_remove(const struct unix_socket *);

#endif
