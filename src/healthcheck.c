#include "healthcheck.h"

#include "net/frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 2
#define CLASS_CH   3
#define TYPE_TXT   16

/* What listens on all addresses is asked through loopback. */
static struct addr reachable(const struct addr *listen)
{
	struct addr a = *listen;

	if (addr_is_any(listen))
		addr_parse(&a, a.any.sa_family == AF_INET ? "127.0.0.1" : "::1", addr_port(listen));
	return a;
}

static int connected(const struct addr *a, int type)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(a->any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, &a->any, addr_size(a)) < 0) {
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

static bool is_answer(const uint8_t *m, ssize_t len, uint16_t id)
{
	return len >= DNS_HEADER && get_u16(m) == id && get_u16(m + 2) & DNS_QR;
}

static bool answers(const struct addr *a, int type)
{
	uint8_t message[FRAME_HEAD + BUILD_QUERY_MAX];
	uint16_t id = (uint16_t)getpid();
	size_t len = question(message, id), skip = type == SOCK_STREAM ? 0 : FRAME_HEAD;
	int fd = connected(a, type);
	bool ok = false;

	if (fd < 0)
		return false;
	if (send(fd, message + skip, len - skip, MSG_NOSIGNAL) == (ssize_t)(len - skip)) {
		ssize_t n = recv(fd, message, sizeof message, 0);
		size_t head = type == SOCK_STREAM ? FRAME_HEAD : 0;

		ok = is_answer(message + head, n - (ssize_t)head, id);
	}
	close(fd);
	return ok;
}

int healthcheck_run(const struct config *c)
{
	struct addr a = reachable(&c->listen.addrs[0]);
	char text[ADDR_TEXT];

	if (answers(&a, SOCK_DGRAM) || answers(&a, SOCK_STREAM))
		return 0;
	fprintf(stderr, "sotto: nothing answers on %s\n", addr_print(&a, text));
	return 1;
}
