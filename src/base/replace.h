/* replace: a file written anew in one step, so that a crash leaves the old one or the new one. */
#ifndef BASE_REPLACE_H
#define BASE_REPLACE_H

#include <stdio.h>
#include <sys/types.h>

/* Has write(arg, out) write path + ".new", and puts that in the place of path, or removes it if
 * something fails; write() returns 0 or -errno. The process's umask applies to mode. Who needs more
 * than a crash of the process to be survived has write() flush and fsync(2). 0 or -errno. */
int replace_file(const char *path, mode_t mode, int (*write)(void *arg, FILE *out), void *arg);

/* Opens for reading, without waiting, what others may replace by anything. -ENOTSUP: a pipe, which
 * would be waited for, perhaps for ever, and says what it says only once. A descriptor or -errno.
 */
int replace_open(const char *path);

/* Opens for reading what replace_file() has written. NULL, and errno: ENOENT, EISDIR, ENOTSUP,
 * EINVAL if something else stands there that is no file, or as open(2) says. */
FILE *replace_read(const char *path);
/* What that errno means, in words. */
const char *replace_why_not(int err);

#endif
