/* The linker sends calls of write() and clock_gettime() here (--wrap); base/log is the only part of
 * the daemon in this program that makes them. */
#include "log.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* A day in the life of a daemon. */
#define BEGINNING_S 1767225600

static const struct loop *loop;
static void (*said)(void *arg, struct span line);
static void *said_arg;

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

void log_tap(const struct loop *l, void (*fn)(void *arg, struct span line), void *arg)
{
	loop = l;
	said = fn;
	said_arg = arg;
}

/* Without `ts=... ` and the line feed. */
static struct span bare(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t start = space ? (size_t)(space + 1 - line) : 0;

	return (struct span){ (const uint8_t *)line + start, len - start - 1 };
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	if (fd != STDERR_FILENO || !loop || !len)
		return __real_write(fd, bytes, len);
	said(said_arg, bare(bytes, len));
	return (ssize_t)len;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	uint64_t ms = loop ? loop_now(loop) : 0;

	(void)clock;
	now->tv_sec = BEGINNING_S + (time_t)(ms / 1000);
	now->tv_nsec = (long)(ms % 1000) * 1000000;
	return 0;
}
