#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int replace_file(const char *path, mode_t mode, int (*write)(void *arg, FILE *out), void *arg)
{
	char fresh[PATH_MAX + 8];

	snprintf(fresh, sizeof fresh, "%s.new", path);
	unlink(fresh); /* what a crash has left */
	int err, fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	FILE *f = fdopen(fd, "w");

	if (f) {
		err = write(arg, f);
		if (fclose(f) != 0 && !err)
			err = -errno;
	} else {
		err = -errno;
		close(fd);
	}
	if (!err && rename(fresh, path) < 0)
		err = -errno;
	if (err)
		unlink(fresh);
	return err;
}

int replace_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat is;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &is) == 0 && S_ISFIFO(is.st_mode)) {
		close(fd);
		return -ENOTSUP;
	}
	return fd;
}

FILE *replace_read(const char *path)
{
	int fd = replace_open(path);
	struct stat is;
	FILE *f = NULL;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	if (fstat(fd, &is) == 0 && !S_ISREG(is.st_mode))
		errno = S_ISDIR(is.st_mode) ? EISDIR : EINVAL;
	else
		f = fdopen(fd, "r");
	if (!f) {
		int err = errno;

		close(fd);
		errno = err;
	}
	return f;
}

const char *replace_why_not(int err)
{
	switch (err) {
	case ENOTSUP:
		return "a pipe cannot be read again";
	case EINVAL:
		return "not a file";
	case ENOMEM:
		return "out of memory";
	default:
		return strerror(err);
	}
}
