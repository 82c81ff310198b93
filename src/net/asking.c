#include "net/asking.h"

#include "net/socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Messages and errors taken in one turn, so that others get theirs. */
#define READS_PER_TURN 16

struct asking {
	struct loop *loop;
	void (*got)(void *arg, struct span message);
	void (*strayed)(void *arg, const struct addr *from, struct span message);
	void (*failed)(void *arg, int error);
	void *arg;
	struct addr to;
	int fd;
	bool gone; /* closed: the memory lives until the task `bury` runs */
	struct watch watch;
	struct task bury;
};

/* ---- what comes ---- */

/* Takes the next error of the network off the socket's queue, which would keep the loop awake. 0:
 * there is none. */
static int take_error(int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct addr))];
	} control;
	struct msghdr h = { .msg_control = &control, .msg_controllen = sizeof control };
	struct sock_extended_err e = { .ee_errno = EPROTO };

	if (recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			memcpy(&e, CMSG_DATA(c), sizeof e);
	return (int)e.ee_errno;
}

/* False: there is nothing more. */
static bool read_once(struct asking *a)
{
	uint8_t message[ASKING_MAX];
	ssize_t n = recv(a->fd, message, sizeof message, MSG_DONTWAIT);

	if (n >= 0)
		a->got(a->arg, (struct span){ message, (size_t)n });
	/* An error here is one that the queue has told already. */
	return n >= 0 || errno != EAGAIN;
}

/* The same, of a socket that anybody may send to. */
static bool read_anybodys(struct asking *a)
{
	uint8_t message[UINT16_MAX];
	struct addr from = { 0 };
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(a->fd, message, sizeof message, MSG_DONTWAIT, &from.any, &size);

	if (n < 0)
		return errno != EAGAIN;
	if (addr_equal(&from, &a->to))
		a->got(a->arg, (struct span){ message, (size_t)n });
	else
		a->strayed(a->arg, &from, (struct span){ message, (size_t)n });
	return true;
}

static void on_ready(struct watch *w, int events)
{
	struct asking *a = container_of(w, struct asking, watch);
	bool (*read)(struct asking *) = a->strayed ? read_anybodys : read_once;
	int error;

	(void)events;
	for (int i = 0; i < READS_PER_TURN && !a->gone && read(a); i++)
		;
	for (int i = 0; i < READS_PER_TURN && !a->gone && (error = take_error(a->fd)); i++)
		a->failed(a->arg, -error);
}

/* ---- what goes ---- */

int asking_send(struct asking *a, struct span message)
{
	const struct sockaddr *to = a->strayed ? &a->to.any : NULL;
	socklen_t size = a->strayed ? addr_size(&a->to) : 0;

	/* The first try may only tell of an error that came for an earlier message. */
	if (sendto(a->fd, message.at, message.len, 0, to, size) >= 0 ||
		sendto(a->fd, message.at, message.len, 0, to, size) >= 0)
		return 0;
	return -errno;
}

/* ---- life ---- */

static void on_bury(struct task *t)
{
	free(container_of(t, struct asking, bury));
}

void asking_close(struct asking *a)
{
	if (!a || a->gone)
		return;
	a->gone = true;
	watch_close(&a->watch, a->fd);
	loop_later(a->loop, &a->bury); /* callers up the stack still hold it */
}

int asking_open(struct asking **out, struct loop *loop, const struct addr *to,
	const struct asking_conf *conf)
{
	struct asking *a = calloc(1, sizeof *a);
	int err = -ENOMEM;

	if (!a)
		return err;
	a->loop = loop;
	a->got = conf->got;
	a->strayed = conf->strayed;
	a->failed = conf->failed;
	a->arg = conf->arg;
	a->watch.ready = on_ready;
	a->bury.run = on_bury;
	err = a->fd = socket_outgoing(SOCK_DGRAM, to, conf->source, conf->interface);
	if (err < 0)
		goto fail;
	/* Without it, the kernel keeps to itself that a host or a network cannot be reached. */
	if (to->any.sa_family == AF_INET)
		socket_set(a->fd, IPPROTO_IP, IP_RECVERR, 1);
	else
		socket_set(a->fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	a->to = *to;
	err = !conf->strayed && connect(a->fd, &to->any, addr_size(to)) < 0
		? -errno
		: watch_start(loop, &a->watch, a->fd, LOOP_READ);
	if (err < 0)
		goto fail_fd;
	*out = a;
	return 0;

fail_fd:
	close(a->fd);
fail:
	free(a);
	return err;
}
