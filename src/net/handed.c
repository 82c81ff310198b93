#include "net/handed.h"

#include "net/unix_socket.h"

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
#define ADDRESSES_MAX HANDED_MAX
/* Room for an address as `listen` writes it. */
#define TEXT (UNIX_PATH + sizeof "unix:")

struct handed {
	int fd, type;
	struct binding at; /* of a unix socket, its path is the one below */
	char path[UNIX_PATH];
	bool is_for_tls;
};

static struct handed handed[HANDED_MAX];
static size_t handed_count;
static char texts[ADDRESSES_MAX + 1][TEXT]; /* and one that turns out to be there already */
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

static bool is_at(const struct handed *h, int type, const struct binding *at)
{
	const struct addr *a = &h->at.addr, *b = &at->addr;

	if (h->type != type)
		return false;
	if (a->any.sa_family == AF_UNIX || b->any.sa_family == AF_UNIX)
		return a->any.sa_family == b->any.sa_family && strcmp(h->path, at->path) == 0;
	return addr_equal(a, b);
}

static bool is_known(int type, const struct binding *at)
{
	for (size_t i = 0; i < handed_count; i++)
		if (is_at(&handed[i], type, at))
			return true;
	return false;
}

/* False: it has none. */
static bool note_path(int fd, struct handed *h)
{
	struct sockaddr_un name = { 0 };
	socklen_t size = sizeof name;

	if (getsockname(fd, (struct sockaddr *)&name, &size) < 0 || name.sun_path[0] != '/')
		return false;
	memcpy(h->path, name.sun_path, sizeof h->path - 1);
	h->at.addr.any.sa_family = AF_UNIX;
	h->at.path = h->path;
	return true;
}

static bool note_port(int fd, struct handed *h)
{
	socklen_t size = sizeof h->at.addr;

	return getsockname(fd, &h->at.addr.any, &size) == 0 && addr_port(&h->at.addr);
}

/* Why it is none that we know how to serve; NULL: it may be one. */
static const char *judge_kind(int family, int type, int protocol)
{
	if (type < 0)
		return "it is no socket";
	if (family == AF_UNIX)
		return type == SOCK_STREAM ? NULL : "a unix socket has to be one of streams";
	if ((family != AF_INET && family != AF_INET6) ||
		(protocol != IPPROTO_UDP && protocol != IPPROTO_TCP))
		return "it is neither UDP nor TCP, of IPv4 or IPv6, nor a unix socket";
	return NULL;
}

/* Why the socket cannot be served; NULL: it can. */
static const char *judge(int fd, struct handed *h)
{
	int family = option_of(fd, SO_DOMAIN);
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	const char *why;

	h->type = option_of(fd, SO_TYPE);
	if (fcntl(fd, F_GETFD) < 0)
		return "it is not open";
	why = judge_kind(family, h->type, option_of(fd, SO_PROTOCOL));
	if (why)
		return why;
	if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		return "it is connected: sockets that listen are wanted, as with Accept=no";
	if (h->type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) != 1)
		return "it does not listen";
	if (family == AF_UNIX && !note_path(fd, h))
		return "it has no path";
	if (family != AF_UNIX && !note_port(fd, h))
		return "it is not bound to a port";
	return is_known(h->type, &h->at) ? "another one is bound to the same address" : NULL;
}

/* By its name, as the field's other servers call theirs, or by the port for nothing else. */
static bool is_for_tls(const struct handed *h, const char *name)
{
	if (h->type != SOCK_STREAM || h->at.addr.any.sa_family == AF_UNIX)
		return false;
	return strcmp(name, "tls") == 0 || strcmp(name, "dot") == 0 ||
		addr_port(&h->at.addr) == PORT_TLS;
}

static bool take_one(unsigned long n, FILE *err)
{
	int fd = FIRST + (int)n, flags = fcntl(fd, F_GETFL);
	struct handed *h = &handed[handed_count];
	const char *why = judge(fd, h);
	char name[64];

	name_of(n, name, sizeof name);
	if (!why &&
		(fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
		why = strerror(errno);
	if (why) {
		fprintf(err, "sotto: LISTEN_FDS: descriptor %d (%s) cannot be served: %s\n", fd,
			name, why);
		*h = (struct handed){ 0 };
		return false;
	}
	h->fd = fd;
	h->is_for_tls = is_for_tls(h, name);
	handed_count++;
	return true;
}

/* ---- their addresses ---- */

static bool has_twin(const struct handed *h)
{
	return is_known(h->type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM, &h->at);
}

/* As `listen` writes it. False: only one of UDP and TCP is there, which would be half a name server
 * (RFC 7766 §5). */
static bool write_address(const struct handed *h, char out[TEXT], FILE *err)
{
	bool stream = h->type == SOCK_STREAM;
	char text[ADDR_TEXT];

	if (h->at.path) {
		snprintf(out, TEXT, "unix:%s", h->path);
		return true;
	}
	addr_print(&h->at.addr, text);
	if (has_twin(h))
		snprintf(out, TEXT, "%s", text);
	else if (h->is_for_tls)
		snprintf(out, TEXT, "tls://%s", text);
	else
		fprintf(err,
			"sotto: LISTEN_FDS: %s is there for %s only: add %s=%s to the socket "
			"unit%s\n",
			text, stream ? "TCP" : "UDP", stream ? "ListenDatagram" : "ListenStream",
			text, stream ? ", or FileDescriptorName=tls if it is for TLS" : "");
	return has_twin(h) || h->is_for_tls;
}

static bool list_addresses(FILE *err)
{
	size_t count = 0;
	bool good = true;

	for (size_t i = 0; i < handed_count; i++) {
		size_t k = 0;

		if (!write_address(&handed[i], texts[count], err)) {
			good = false;
			continue;
		}
		while (k < count && strcmp(texts[k], texts[count]) != 0)
			k++;
		if (k < count)
			continue;
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

int handed_socket(int type, const struct binding *at)
{
	for (size_t i = 0; i < handed_count; i++) {
		if (!is_at(&handed[i], type, at))
			continue;
		int fd = fcntl(handed[i].fd, F_DUPFD_CLOEXEC, 0);

		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}
