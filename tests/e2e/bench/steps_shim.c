/* Loaded before a program, it counts the steps by which that changes files, and has one of them
 * fail, or not begin because the process is killed: $STEP is its number, from 1, and $STEP_ERROR
 * what it fails with; without, it kills. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int steps;

/* Does this one fail? */
static int fails(void)
{
	const char *step = getenv("STEP"), *error = getenv("STEP_ERROR");

	if (!step || ++steps != atoi(step))
		return 0;
	if (!error)
		kill(getpid(), SIGKILL);
	errno = atoi(error);
	return 1;
}

#define PUBLIC __attribute__((visibility("default")))
#define CALL(...) (fails() ? -1 : (int)syscall(__VA_ARGS__))

PUBLIC int linkat(int a, const char *from, int b, const char *to, int flags)
{
	return CALL(SYS_linkat, a, from, b, to, flags);
}

PUBLIC int renameat(int a, const char *from, int b, const char *to)
{
	return CALL(SYS_renameat2, a, from, b, to, 0);
}

PUBLIC int unlinkat(int folder, const char *name, int flags)
{
	return CALL(SYS_unlinkat, folder, name, flags);
}

PUBLIC int mkdirat(int folder, const char *name, mode_t mode)
{
	return CALL(SYS_mkdirat, folder, name, mode);
}

PUBLIC int fchmod(int fd, mode_t mode)
{
	return CALL(SYS_fchmod, fd, mode);
}

PUBLIC int fsync(int fd)
{
	return CALL(SYS_fsync, fd);
}
