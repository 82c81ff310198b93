#include "net/unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Is it a socket on which nobody answers? */
static bool is_left_behind(const struct sockaddr_un *name)
{
	struct stat entry;
	int fd, error;

	if (lstat(name->sun_path, &entry) < 0 || !S_ISSOCK(entry.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	error = connect(fd, (const struct sockaddr *)name, sizeof *name) < 0 ? errno : 0;
	close(fd);
	return error == ECONNREFUSED;
}

static int bind_at(int fd, const struct sockaddr_un *at)
{
	const struct sockaddr *name = (const struct sockaddr *)at;

	if (bind(fd, name, sizeof *at) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_left_behind(at))
		return -errno;
	unlink(at->sun_path);
	return bind(fd, name, sizeof *at) < 0 ? -errno : 0;
}

static int open_to(struct unix_socket *u, int fd, mode_t mode, int backlog)
{
	struct stat entry;
	int err;

	/* Before, so that it is never open to more; and after, to be open to all that it should be.
	 */
	if (fchmod(fd, mode) < 0)
		return -errno;
	err = bind_at(fd, &u->name);
	if (err < 0)
		return err;
	if (chmod(u->name.sun_path, mode) < 0 || lstat(u->name.sun_path, &entry) < 0 ||
		listen(fd, backlog) < 0) {
		err = -errno;
		unlink(u->name.sun_path);
		return err;
	}
	u->device = entry.st_dev;
	u->inode = entry.st_ino;
	return 0;
}

int unix_socket_listen(struct unix_socket *u, const char *path, mode_t mode, int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	*u = (struct unix_socket){ .name.sun_family = AF_UNIX };
	strncpy(u->name.sun_path, path, UNIX_PATH - 1);
	err = open_to(u, fd, mode, backlog);
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

int unix_socket_connect(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	strncpy(name.sun_path, path, UNIX_PATH - 1);
	if (connect(fd, (const struct sockaddr *)&name, sizeof name) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void unix_socket_remove(const struct unix_socket *u)
{
	struct stat entry;

	if (lstat(u->name.sun_path, &entry) == 0 && entry.st_dev == u->device &&
		entry.st_ino == u->inode)
		unlink(u->name.sun_path);
}
