#include "healthcheck.h"

#include "net/frame.h"
#include "net/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 2
#define CLASS_CH   3
#define TYPE_TXT   16

/* What connect() takes. What listens on all addresses is asked through loopback. */
union target {
	struct sockaddr any;
	struct sockaddr_un path;
	struct addr addr;
};

static socklen_t target_of(const struct binding *at, union target *t)
{
	const struct addr *listen = &at->addr;
	bool v4 = listen->any.sa_family == AF_INET;

	*t = (union target){ .addr = *listen };
	if (at->path) {
		t->path.sun_family = AF_UNIX;
		strncpy(t->path.sun_path, at->path, sizeof t->path.sun_path - 1);
		return sizeof t->path;
	}
	if (addr_is_any(listen))
		addr_parse(&t->addr, v4 ? "127.0.0.1" : "::1", addr_port(listen));
	return addr_size(&t->addr);
}

static int connected(const struct binding *at, int type)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	union target to;
	socklen_t size = target_of(at, &to);
	int fd = socket(to.any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, &to.any, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* version.bind CH TXT: refused by sotto itself, whoever asks. The length is in front, for TCP. */
static size_t question(uint8_t out[FRAME_HEAD + BUILD_QUERY_MAX], uint16_t id)
{
	static const uint8_t name[] = "\7version\4bind";
	struct query_form form = {
		.id = id, .flags = DNS_RD, .question = { name, sizeof name, TYPE_TXT, CLASS_CH }
	};
	size_t len = build_query(out + FRAME_HEAD, &form);

	frame_head(out, len);
	return FRAME_HEAD + len;
}

/* What stands in front: from an address of a proxy, it must say that it speaks for itself. */
static struct span introduction(int fd, const struct acl *proxies)
{
	struct addr own = { 0 };
	socklen_t size = sizeof own;

	if (getsockname(fd, &own.any, &size) < 0 || !acl_has(proxies, &own))
		return (struct span){ 0 };
	return SPAN(PROXY_LOCAL);
}

/* In one datagram, where it is one. */
static bool say(int fd, struct span head, struct span body)
{
	struct iovec parts[] = { { (void *)head.at, head.len }, { (void *)body.at, body.len } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)(head.len + body.len);
}

static bool is_answer(const uint8_t *m, ssize_t len, uint16_t id)
{
	return len >= DNS_HEADER && get_u16(m) == id && get_u16(m + 2) & DNS_QR;
}

static bool answers(const struct listen_conf *conf, const struct binding *at, int type)
{
	uint8_t message[FRAME_HEAD + BUILD_QUERY_MAX];
	uint16_t id = (uint16_t)getpid();
	size_t len = question(message, id), skip = type == SOCK_STREAM ? 0 : FRAME_HEAD;
	int fd = connected(at, type);
	bool ok = false;

	if (fd < 0)
		return false;
	if (say(fd, introduction(fd, &conf->proxies),
		    (struct span){ message + skip, len - skip })) {
		ssize_t n = recv(fd, message, sizeof message, 0);
		size_t head = type == SOCK_STREAM ? FRAME_HEAD : 0;

		ok = is_answer(message + head, n - (ssize_t)head, id);
	}
	close(fd);
	return ok;
}

/* Where only TLS is taken: to a ClientHello that makes no sense, whoever is alive answers an alert,
 * whatever certificates it wants to see. What is passed through is not ours to answer: there it
 * must do that somebody takes the connection. */
static bool shakes_hands(const struct listen_conf *conf, const struct endpoint *e)
{
	static const uint8_t hello[] = { 0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01,
		0x00 };
	static const uint8_t alert = 0x15;
	int fd = connected(&e->at, SOCK_STREAM);
	uint8_t first = 0;
	bool ok = fd >= 0 && e->spoken.tls == TLS_PASSTHROUGH;

	if (fd < 0)
		return false;
	if (!ok && say(fd, introduction(fd, &conf->proxies), (struct span){ hello, sizeof hello }))
		ok = recv(fd, &first, 1, 0) == 1 && first == alert;
	close(fd);
	return ok;
}

bool healthcheck_is_alive(const struct listen_conf *conf, const struct endpoint *e)
{
	if (!e->spoken.plain)
		return shakes_hands(conf, e);
	return (e->datagrams && answers(conf, &e->at, SOCK_DGRAM)) ||
		answers(conf, &e->at, SOCK_STREAM);
}

/* The first one that takes plain DNS. */
static const struct endpoint *easiest(const struct listen_conf *listen)
{
	for (size_t i = 0; i < listen->count; i++)
		if (listen->endpoints[i].spoken.plain)
			return &listen->endpoints[i];
	return &listen->endpoints[0];
}

int healthcheck_run(const struct config *c)
{
	const struct endpoint *e = easiest(&c->listen);

	if (healthcheck_is_alive(&c->listen, e))
		return 0;
	fprintf(stderr, "sotto: nothing answers on %s\n", e->text);
	return 1;
}
