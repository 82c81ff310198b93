/* calls: see calls.h.
 *
 * Names and not numbers stand in the table, as each architecture has its own; those that one does
 * not have are left out by libseccomp. What the C library, OpenSSL and libuv call is found by
 * running all tests with `sandbox: strict`.
 */
#include "sandbox/calls.h"

#include <errno.h>

#ifdef SOTTO_SECCOMP

#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of an argument: it is this value; has all of these bits; has none of them; is this process. */
enum test { NO_TEST, IS, HAS, LACKS, IS_SELF };

#define TESTS_MAX 2

struct test_of {
	enum test test;
	unsigned argument; /* from 0 on */
	uint64_t value;
};

struct allowed {
	const char *names; /* with spaces between them */
	struct test_of tests[TESTS_MAX]; /* all must hold */
	const char *why;
};

/* clang-format off */
#define ANY               { { NO_TEST, 0, 0 } }
#define IF(...)           { { __VA_ARGS__ } }
#define IF_FAMILY(family) { { IS, 0, family }, { IS, 2, 0 } } /* and no protocol is named */

/* Calls of every packet and every turn have no condition: the kernel then knows the answer by their
 * number, and does not run the filter (since 5.11). */
static const struct allowed table[] = {
	{ "recvmmsg sendmmsg", ANY, "datagrams of clients, in batches" },
	{ "recvfrom sendto recvmsg sendmsg", ANY,
		"streams, questions over UDP, the control socket, netlink" },
	{ "read write readv writev", ANY,
		"wake-ups, the log, files of the state folder and the configuration" },
	{ "epoll_wait epoll_pwait epoll_ctl", ANY, "the loop's turns (base/loop)" },
	{ "clock_gettime gettimeofday time", ANY,
		"the time, where the kernel does not show it in memory" },
	{ "futex sched_yield", ANY, "locks; libuv's wake-ups" },
	{ "accept4 close shutdown", ANY, "connections of clients and to servers" },
	{ "connect bind listen", ANY,
		"servers, listeners, the control socket; TCP ports are Landlock's matter" },
	{ "getsockname getpeername getsockopt setsockopt", ANY, "sockets" },
	{ "socket", IF_FAMILY(AF_INET),
		"TCP and UDP, no raw packets, no MPTCP, which Landlock does not see" },
	{ "socket", IF_FAMILY(AF_INET6), "the same over IPv6" },
	{ "socket", IF_FAMILY(AF_UNIX),
		"the control socket; the service manager; events; names of interfaces" },
	{ "socket", IF_FAMILY(AF_NETLINK),
		"routes (NETLINK_ROUTE is 0), and which addresses getaddrinfo() may find" },
	{ "ioctl", IF(IS, 1, SIOCOUTQ), "has the server acknowledged what it was sent?" },
	{ "ioctl", IF(IS, 1, FIONBIO), "libuv's pipes do not block" },
	{ "ioctl", IF(IS, 1, FIONREAD), "getaddrinfo(): how long is the reply?" },
	{ "ioctl", IF(IS, 1, TCGETS), "stdio: is it a terminal?" },
	{ "ioctl", IF(IS, 1, SIOCGIFINDEX), "fe80::1%eth0, read" },
	{ "ioctl", IF(IS, 1, SIOCGIFNAME), "fe80::1%eth0, written" },
	{ "poll ppoll", ANY, "getaddrinfo() waits; so does libuv" },
	{ "epoll_create1 eventfd2 pipe2", ANY,
		"loops of workers that a reload starts; libuv's signals" },
	{ "timerfd_create timerfd_settime", ANY, "the wall clock was set (base/jumps)" },
	{ "clock_adjtime adjtimex", ANY,
		"is the clock synchronised? To set it needs a capability" },
	{ "getrandom", ANY, "IDs, ports, keys" },
	{ "openat", ANY, "files; which ones is Landlock's matter" },
	{ "fstat newfstatat lseek pread64 getdents64 getcwd", ANY,
		"files and folders that a reload and getaddrinfo() read" },
	{ "access faccessat faccessat2 readlink readlinkat", ANY,
		"is it there? where does it lead to?" },
	{ "rename renameat renameat2 unlink unlinkat fsync flock", ANY,
		"the state folder: a file is replaced in one step; the control socket goes" },
	{ "chmod fchmod fchmodat", ANY, "the control socket is of mode 0660" },
	{ "fcntl", ANY, "descriptors: how many are left? not inherited, not blocking" },
	{ "mmap", IF(LACKS, 2, PROT_EXEC), "memory, stacks of threads; nothing that can be run" },
	{ "mprotect", IF(LACKS, 2, PROT_EXEC), "the same" },
	{ "brk munmap mremap madvise", ANY, "memory" },
	{ "clone", IF(HAS, 0, CLONE_THREAD),
		"threads, of work that would hold up a loop, and of workers; no processes" },
	{ "set_robust_list rseq", ANY, "each thread's beginning, in the C library" },
	{ "prctl", IF(IS, 0, PR_SET_NAME), "libuv 1.50 names its threads" },
	{ "exit exit_group", ANY, "the end of a thread, and of the process" },
	{ "rt_sigaction rt_sigprocmask rt_sigreturn restart_syscall", ANY,
		"SIGTERM, SIGINT, SIGHUP; threads that are not to get them" },
	{ "tgkill", IF(IS_SELF, 0, 0), "abort(), after a bug: of this process only" },
	{ "getpid gettid getuid geteuid getgid getegid", ANY,
		"who are we? The log, the status, the C library" },
	{ "uname sysinfo sched_getaffinity", ANY,
		"getaddrinfo()'s domain; qsort()'s memory; workers: auto" },
	{ "prlimit64", IF(IS, 0, 0), "our own limits: how many descriptors there may be" },
#ifdef SOTTO_SANITIZED
	/* What the runtimes of sanitizers do themselves. */
	{ "clone", IF(HAS, 0, CLONE_UNTRACED),
		"LeakSanitizer looks on from a process of its own that shares our memory" },
	{ "ptrace wait4 prctl getppid", ANY, "by which all threads are held" },
	{ "open stat getdents readlink", ANY, "older names, which the runtimes still use" },
	{ "sigaltstack mincore nanosleep clock_nanosleep pipe", ANY,
		"threads' stacks; ThreadSanitizer's own thread; is this memory?" },
#endif
};

/* Not known at all, so that who asks goes another way. */
static const struct allowed unknown[] = {
	{ "clone3", ANY,
		"its flags cannot be seen by a filter; the C library takes clone instead" },
	{ "io_uring_setup", ANY, "a way round this table; libuv does without" },
};
/* clang-format on */

/* ---- rules ---- */

static struct scmp_arg_cmp comparison(const struct test_of *t)
{
	switch (t->test) {
	case HAS:
		return (struct scmp_arg_cmp){ t->argument, SCMP_CMP_MASKED_EQ, t->value, t->value };
	case LACKS:
		return (struct scmp_arg_cmp){ t->argument, SCMP_CMP_MASKED_EQ, t->value, 0 };
	case IS_SELF:
		return (struct scmp_arg_cmp){ t->argument, SCMP_CMP_EQ, (uint64_t)getpid(), 0 };
	default:
		return (struct scmp_arg_cmp){ t->argument, SCMP_CMP_EQ, t->value, 0 };
	}
}

/* One row for one call. What libseccomp has not heard of, no kernel of its time has. */
static int add_call(
	scmp_filter_ctx filter, uint32_t action, const char *name, const struct allowed *a)
{
	int number = seccomp_syscall_resolve_name(name);
	struct scmp_arg_cmp compared[TESTS_MAX];
	unsigned count = 0;

	if (number == __NR_SCMP_ERROR)
		return 0;
	for (; count < TESTS_MAX && a->tests[count].test != NO_TEST; count++)
		compared[count] = comparison(&a->tests[count]);
	return seccomp_rule_add_array(filter, action, number, count, compared);
}

static int add_rows(
	scmp_filter_ctx filter, uint32_t action, const struct allowed *rows, size_t count)
{
	char name[32];
	int err = 0;

	for (const struct allowed *a = rows; a < rows + count; a++) {
		const char *at = a->names;

		while (*at && !err) {
			size_t len = strcspn(at, " ");

			snprintf(name, sizeof name, "%.*s", (int)len, at);
			err = add_call(filter, action, name, a);
			at += len + strspn(at + len, " ");
		}
	}
	return err;
}

/* ---- strict ---- */

#define REFUSED "sandbox: system call 0000"

/* Calls nothing but what a handler may. */
static void on_refusal(int number, siginfo_t *info, void *context)
{
	char text[] = REFUSED " is not in the table of sandbox/calls.c\n";
	size_t digit = sizeof REFUSED - 1;

	(void)context;
	for (int n = info->si_syscall; n > 0 && text[digit - 1] == '0'; n /= 10)
		text[--digit] = (char)('0' + n % 10);
	ssize_t told = write(STDERR_FILENO, text, sizeof text - 1);

	(void)told; /* there is nobody else */
	signal(number, SIG_DFL);
	raise(number); /* when this has returned */
}

static int await_refusals(void)
{
	struct sigaction action = { .sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO };

	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

/* ---- the whole ---- */

static int load(scmp_filter_ctx filter)
{
	int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (!err)
		err = add_rows(filter, SCMP_ACT_ALLOW, table, sizeof table / sizeof *table);
	if (!err)
		err = add_rows(
			filter, SCMP_ACT_ERRNO(ENOSYS), unknown, sizeof unknown / sizeof *unknown);
	/* For threads of a sanitizer; there are no others yet. Old kernels cannot. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	return err ? err : seccomp_load(filter);
}

int calls_forbid_rings(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int err = -ENOMEM;

	if (filter)
		err = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

int calls_confine(bool strict)
{
	scmp_filter_ctx filter = seccomp_init(strict ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
	int err = -ENOMEM;

	if (sizeof(void *) < sizeof(uint64_t))
		err = -ENOSYS; /* the table is of the calls of 64-bit architectures */
	else if (filter)
		err = strict ? await_refusals() : 0;
	if (!err)
		err = load(filter);
	seccomp_release(filter);
	return err;
}

#else

int calls_forbid_rings(void)
{
	return -ENOSYS;
}

int calls_confine(bool strict)
{
	(void)strict;
	return -ENOSYS;
}

#endif
