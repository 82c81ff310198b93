/* A machine that fails as a test wants it: loaded before a program, it answers for the C library.
 * The file that $MACHINE_SHIM names holds a plan for each kind of call, and may change at any time;
 * it is how the test hears how often each was called, too. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

/* machine.py reads this list. `memory` stands for whatever hands out memory of the heap. */
#define CALLS(X)                                                                                   \
	X(memory) X(socket) X(bind) X(listen) X(accept4) X(connect) X(getsockopt) X(setsockopt)    \
	X(getsockname) X(shutdown) X(recv) X(send) X(recvmsg) X(sendmsg) X(recvmmsg) X(sendmmsg)   \
	X(read) X(write) X(writev) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(eventfd)          \
	X(timerfd_create) X(timerfd_settime) X(open) X(fopen) X(fdopen) X(fsync) X(rename)         \
	X(unlink) X(flock) X(getrandom) X(pthread_create)

#define NUMBER(name) CALL_##name,
enum call { CALLS(NUMBER) CALL_COUNT };

struct plan {
	_Atomic uint64_t skip_and_fail; /* so many calls go well, then so many fail: 32 bits each */
	_Atomic uint64_t calls, failed;
	int32_t error; /* 0: it does less than it was asked for */
	int32_t part; /* so much of it: octets, or messages */
};

static struct plan *plans;

static void look_for_plans(void)
{
	const char *path = getenv("MACHINE_SHIM");
	int fd = path ? (int)syscall(SYS_openat, -100, path, 02 /* O_RDWR */, 0) : -1;

	if (fd < 0)
		return;
	void *at = (void *)syscall(SYS_mmap, NULL, CALL_COUNT * sizeof *plans, PROT_READ | PROT_WRITE,
		MAP_SHARED, fd, 0);

	syscall(SYS_close, fd);
	if (at != MAP_FAILED)
		plans = at;
}

/* The plan, if this call is to fail by it; NULL: it goes on. */
static struct plan *fails(enum call call)
{
	if (!plans)
		look_for_plans();
	if (!plans)
		return NULL;
	struct plan *p = &plans[call];
	const uint64_t one_to_skip = UINT64_C(1) << 32;
	uint64_t now = p->skip_and_fail, next;

	p->calls++;
	do {
		if (!(uint32_t)now)
			return NULL;
		next = now - (now >= one_to_skip ? one_to_skip : 1);
	} while (!atomic_compare_exchange_weak(&p->skip_and_fail, &now, next));
	if (now >= one_to_skip)
		return NULL;
	p->failed++;
	if (p->error)
		errno = p->error;
	return p;
}

__attribute__((constructor)) static void begin(void)
{
	unsetenv("LD_PRELOAD");
}

/* The program's own, behind this one. */
#define REAL(name, type, parameters)                                                               \
	static type(*real) parameters;                                                             \
	if (!real)                                                                                 \
		*(void **)&real = dlsym(RTLD_NEXT, #name)

/* A call that fails with a value and errno. */
#define WRAP(call, name, type, failure, parameters, arguments)                                     \
	type name parameters                                                                       \
	{                                                                                          \
		REAL(name, type, parameters);                                                      \
		return fails(CALL_##call) ? failure : real arguments;                              \
	}

/* One that may do a part of what is asked for: `amount` is that. */
#define WRAP_PART(name, type, amount, parameters, arguments)                                       \
	type name parameters                                                                       \
	{                                                                                          \
		REAL(name, type, parameters);                                                      \
		const struct plan *p = fails(CALL_##name);                                         \
                                                                                                   \
		if (p && p->error)                                                                 \
			return -1;                                                                 \
		if (p && (int64_t)(amount) > p->part)                                              \
			(amount) = (unsigned)p->part;                                              \
		return real arguments;                                                             \
	}

/* ---- memory ---- */

WRAP(memory, malloc, void *, NULL, (size_t size), (size))
WRAP(memory, calloc, void *, NULL, (size_t count, size_t size), (count, size))
WRAP(memory, realloc, void *, NULL, (void *was, size_t size), (was, size))
WRAP(memory, reallocarray, void *, NULL, (void *was, size_t count, size_t size), (was, count, size))
WRAP(memory, aligned_alloc, void *, NULL, (size_t align, size_t size), (align, size))
WRAP(memory, posix_memalign, int, ENOMEM, (void **out, size_t align, size_t size),
	(out, align, size))
/* Within the C library they call its malloc(), whatever stands before it. */
WRAP(memory, strdup, char *, NULL, (const char *s), (s))
WRAP(memory, strndup, char *, NULL, (const char *s, size_t most), (s, most))

/* ---- sockets ---- */

WRAP(socket, socket, int, -1, (int family, int type, int protocol), (family, type, protocol))
WRAP(bind, bind, int, -1, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
WRAP(listen, listen, int, -1, (int fd, int backlog), (fd, backlog))
WRAP(accept4, accept4, int, -1, (int fd, struct sockaddr *a, socklen_t *size, int flags),
	(fd, a, size, flags))
WRAP(connect, connect, int, -1, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
WRAP(getsockopt, getsockopt, int, -1, (int fd, int level, int option, void *v, socklen_t *size),
	(fd, level, option, v, size))
WRAP(setsockopt, setsockopt, int, -1,
	(int fd, int level, int option, const void *v, socklen_t size), (fd, level, option, v, size))
WRAP(getsockname, getsockname, int, -1, (int fd, struct sockaddr *a, socklen_t *size),
	(fd, a, size))
WRAP(shutdown, shutdown, int, -1, (int fd, int how), (fd, how))
WRAP_PART(recv, ssize_t, size, (int fd, void *at, size_t size, int flags), (fd, at, size, flags))
WRAP_PART(send, ssize_t, size, (int fd, const void *at, size_t size, int flags),
	(fd, at, size, flags))
WRAP(recvmsg, recvmsg, ssize_t, -1, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP(sendmsg, sendmsg, ssize_t, -1, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRAP_PART(recvmmsg, int, count,
	(int fd, struct mmsghdr *m, unsigned count, int flags, struct timespec *time),
	(fd, m, count, flags, time))
WRAP_PART(sendmmsg, int, count, (int fd, struct mmsghdr *m, unsigned count, int flags),
	(fd, m, count, flags))

/* ---- files ---- */

WRAP_PART(read, ssize_t, size, (int fd, void *at, size_t size), (fd, at, size))
WRAP_PART(write, ssize_t, size, (int fd, const void *at, size_t size), (fd, at, size))
WRAP(writev, writev, ssize_t, -1, (int fd, const struct iovec *v, int count), (fd, v, count))
WRAP(open, open, int, -1, (const char *path, int flags, unsigned mode), (path, flags, mode))
WRAP(open, open64, int, -1, (const char *path, int flags, unsigned mode), (path, flags, mode))
WRAP(fopen, fopen, FILE *, NULL, (const char *path, const char *mode), (path, mode))
WRAP(fopen, fopen64, FILE *, NULL, (const char *path, const char *mode), (path, mode))
WRAP(fdopen, fdopen, FILE *, NULL, (int fd, const char *mode), (fd, mode))
WRAP(fsync, fsync, int, -1, (int fd), (fd))
WRAP(rename, rename, int, -1, (const char *from, const char *to), (from, to))
WRAP(unlink, unlink, int, -1, (const char *path), (path))
WRAP(flock, flock, int, -1, (int fd, int how), (fd, how))

/* ---- the rest of the kernel ---- */

WRAP(epoll_create1, epoll_create1, int, -1, (int flags), (flags))
/* To take out of it what is in it does not fail. */
int epoll_ctl(int epoll, int how, int fd, struct epoll_event *event)
{
	REAL(epoll_ctl, int, (int, int, int, struct epoll_event *));
	return how != EPOLL_CTL_DEL && fails(CALL_epoll_ctl) ? -1 : real(epoll, how, fd, event);
}
WRAP(epoll_wait, epoll_wait, int, -1, (int fd, struct epoll_event *e, int count, int ms),
	(fd, e, count, ms))
WRAP(epoll_wait, epoll_pwait, int, -1,
	(int fd, struct epoll_event *e, int count, int ms, const sigset_t *mask),
	(fd, e, count, ms, mask))
WRAP(eventfd, eventfd, int, -1, (unsigned count, int flags), (count, flags))
WRAP(timerfd_create, timerfd_create, int, -1, (clockid_t clock, int flags), (clock, flags))
WRAP(timerfd_settime, timerfd_settime, int, -1,
	(int fd, int flags, const struct itimerspec *at, struct itimerspec *was),
	(fd, flags, at, was))
WRAP_PART(getrandom, ssize_t, size, (void *at, size_t size, unsigned flags), (at, size, flags))
WRAP(pthread_create, pthread_create, int, EAGAIN,
	(pthread_t *restrict out, const pthread_attr_t *restrict attributes, void *(*run)(void *),
		void *restrict arg),
	(out, attributes, run, arg))
