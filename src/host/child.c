#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file of memory that says text, to be read from its beginning: the child may end early, and
 * nobody waits for room in a pipe. */
static int file_of(const char *text)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Tells the parent, by told, why there is no such program; a program that runs has closed it. */
static _Noreturn void become(const char *const argv[], int input, int told)
{
	const char *path = getenv("PATH");
	char wider[4096];

	/* Where nft is, and who became root by su has not on the way. */
	snprintf(wider, sizeof wider, "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	setenv("PATH", wider, 1);
	dup2(input, STDIN_FILENO);
	execvp(argv[0], (char *const *)argv);
	int err = errno;

	if (write(told, &err, sizeof err) < 0)
		_exit(126);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_run(const char *const argv[], const char *text)
{
	int told[2], input = file_of(text);

	if (input < 0)
		return input;
	if (pipe2(told, O_CLOEXEC) < 0) {
		int err = -errno;

		close(input);
		return err;
	}
	fflush(NULL); /* what was printed before comes before */
	pid_t pid = fork();

	if (pid == 0)
		become(argv, input, told[1]);
	int status = pid < 0 ? -errno : 0, why = 0;

	close(input);
	close(told[1]);
	if (pid > 0) {
		if (read(told[0], &why, sizeof why) != sizeof why)
			why = 0;
		status = wait_for(pid);
	}
	close(told[0]);
	return why ? -why : status;
}
