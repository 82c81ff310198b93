#include "net/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first one; the others follow it. */
#define FIRST 3
/* UDP and TCP of as many addresses as `listen` takes. */
#define HANDED_MAX    128
#define ADDRESSES_MAX (HANDED_MAX / 2)

struct handed {
	int type;
	struct addr addr;
};

static struct handed handed[HANDED_MAX]; /* by descriptor, from FIRST on */
static size_t handed_count;
static char texts[ADDRESSES_MAX][ADDR_TEXT];
static const char *addresses[ADDRESSES_MAX + 1];

/* ---- what is announced ---- */

static bool parse_number(const char *text, unsigned long most, unsigned long *n)
{
	char *end;

	errno = 0;
	unsigned long read = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || errno || read > most)
		return false;
	*n = read;
	return true;
}

/* How many; 0: none for us, as the variables of a parent may be. False: that is no number. */
static bool read_count(unsigned long *count)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	unsigned long process;

	if (!pid || !fds || !parse_number(pid, (unsigned long)-1, &process) ||
		process != (unsigned long)getpid())
		return true;
	return parse_number(fds, HANDED_MAX, count);
}

/* The name of the n-th, as FileDescriptorName= gives it. */
static void name_of(unsigned long n, char *name, size_t size)
{
	const char *names = getenv("LISTEN_FDNAMES");

	for (; names && n; n--) {
		names = strchr(names, ':');
		names = names ? names + 1 : NULL;
	}
	snprintf(name, size, "%.*s", names ? (int)strcspn(names, ":") : 1, names ? names : "?");
}

static void forget_variables(void)
{
	static const char *const variables[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
		"LISTEN_PIDFDID" };

	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv(variables[i]);
}

/* ---- what they are ---- */

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static bool is_known(const struct handed *h)
{
	for (size_t i = 0; i < handed_count; i++)
		if (handed[i].type == h->type && addr_equal(&handed[i].addr, &h->addr))
			return true;
	return false;
}

/* Why the socket cannot be served; NULL: it can. */
static const char *judge(int fd, struct handed *h)
{
	int family = option_of(fd, SO_DOMAIN), protocol = option_of(fd, SO_PROTOCOL);
	struct addr peer;
	socklen_t size = sizeof h->addr, peer_size = sizeof peer;

	h->type = option_of(fd, SO_TYPE);
	if (fcntl(fd, F_GETFD) < 0)
		return "it is not open";
	if (h->type < 0)
		return "it is no socket";
	if ((family != AF_INET && family != AF_INET6) ||
		(protocol != IPPROTO_UDP && protocol != IPPROTO_TCP))
		return "it is neither UDP nor TCP, of IPv4 or IPv6";
	if (getpeername(fd, &peer.any, &peer_size) == 0)
		return "it is connected: sockets that listen are wanted, as with Accept=no";
	if (h->type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) != 1)
		return "it does not listen";
	if (getsockname(fd, &h->addr.any, &size) < 0 || !addr_port(&h->addr))
		return "it is not bound to a port";
	return is_known(h) ? "another one is bound to the same address" : NULL;
}

static bool take_one(unsigned long n, FILE *err)
{
	int fd = FIRST + (int)n, flags = fcntl(fd, F_GETFL);
	struct handed h = { 0 };
	const char *why = judge(fd, &h);
	char name[64];

	if (!why &&
		(fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
		why = strerror(errno);
	if (why) {
		name_of(n, name, sizeof name);
		fprintf(err, "sotto: LISTEN_FDS: descriptor %d (%s) cannot be served: %s\n", fd,
			name, why);
		return false;
	}
	handed[handed_count++] = h;
	return true;
}

/* ---- their addresses ---- */

/* What only one of UDP and TCP would answer is half a name server (RFC 7766 §5). */
static bool check_pair(const struct handed *h, const char *text, FILE *err)
{
	bool stream = h->type == SOCK_STREAM;
	struct handed other = { stream ? SOCK_DGRAM : SOCK_STREAM, h->addr };

	if (is_known(&other))
		return true;
	fprintf(err, "sotto: LISTEN_FDS: %s is there for %s only: add %s=%s to the socket unit\n",
		text, stream ? "TCP" : "UDP", stream ? "ListenDatagram" : "ListenStream", text);
	return false;
}

static bool list_addresses(FILE *err)
{
	size_t count = 0;
	bool good = true;

	for (size_t i = 0; i < handed_count; i++) {
		char text[ADDR_TEXT];
		size_t k = 0;

		addr_print(&handed[i].addr, text);
		while (k < count && strcmp(texts[k], text) != 0)
			k++;
		if (k < count)
			continue;
		if (!check_pair(&handed[i], text, err)) {
			good = false;
			continue;
		}
		memcpy(texts[count], text, sizeof text);
		addresses[count] = texts[count];
		count++;
	}
	return good;
}

/* ---- the whole ---- */

bool handed_take(FILE *err)
{
	unsigned long count = 0;
	bool good = read_count(&count);

	if (!good)
		fprintf(err, "sotto: LISTEN_FDS=%s: a number of at most %d is wanted\n",
			getenv("LISTEN_FDS"), HANDED_MAX);
	for (unsigned long n = 0; n < count; n++)
		good = take_one(n, err) && good; /* tells of all of them */
	forget_variables();
	return good && list_addresses(err);
}

const char *const *handed_addresses(void)
{
	return addresses;
}

int handed_socket(int type, const struct addr *a)
{
	for (size_t i = 0; i < handed_count; i++) {
		if (handed[i].type != type || !addr_equal(&handed[i].addr, a))
			continue;
		int fd = fcntl(FIRST + (int)i, F_DUPFD_CLOEXEC, 0);

		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}
