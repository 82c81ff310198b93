#include "host/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int root_open(struct root *r, const char *path)
{
	*r = (struct root){ path, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) };
	return r->fd < 0 ? -errno : 0;
}

void root_close(struct root *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

bool root_is_host(const struct root *r)
{
	return strcmp(r->path, "/") == 0;
}

int root_at(const struct root *r, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int fd = root_is_host(r) ? open(path, flags | O_CLOEXEC)
				 : (int)syscall(SYS_openat2, r->fd, path, &how, sizeof how);

	return fd < 0 ? -errno : fd;
}

/* The folder that a path is in, opened; its last part in *name. */
static int parent_of(const struct root *r, const char *path, const char **name)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	*name = slash + 1;
	return root_at(r, folder, O_RDONLY | O_DIRECTORY);
}

int root_make_folder(const struct root *r, const char *path)
{
	const char *name;
	int err = 0, parent = parent_of(r, path, &name);

	if (parent < 0)
		return parent;
	if ((mkdirat(parent, name, 0755) < 0 && errno != EEXIST) || fsync(parent) < 0)
		err = -errno;
	close(parent);
	return err;
}

int root_remove_folder(const struct root *r, const char *path)
{
	const char *name;
	int err = 0, parent = parent_of(r, path, &name);

	if (parent < 0)
		return parent;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 || fsync(parent) < 0)
		err = -errno;
	close(parent);
	return err;
}

int root_read(const struct root *r, const char *path, char text[ROOT_TEXT])
{
	int fd = root_at(r, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	size_t len = 0;
	ssize_t n = 1;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	while (n > 0 && len < ROOT_TEXT) {
		n = read(fd, text + len, ROOT_TEXT - len);
		if (n > 0)
			len += (size_t)n;
	}
	int err = n < 0 ? -errno : len == ROOT_TEXT ? -EFBIG : 0;

	text[err ? 0 : len] = '\0';
	close(fd);
	return err;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int root_replace(int folder, const char *name, const char *text)
{
	char fresh[NAME_MAX + 1];

	snprintf(fresh, sizeof fresh, "%s" ROOT_FRESH, name);
	unlinkat(folder, fresh, 0); /* what a crash has left */
	int err, fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	close(fd);
	if (!err && renameat(folder, fresh, folder, name) < 0)
		err = -errno;
	if (err)
		unlinkat(folder, fresh, 0);
	else if (fsync(folder) < 0)
		err = -errno;
	return err;
}
