#include "net/routes.h"

#include "net/socket.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_MS  100
#define LATEST_MS 1000
/* Of the kernel's messages, the most that are read in one turn. */
#define READS_PER_TURN 64

struct routes {
	struct loop *loop;
	int fd;
	void (*changed)(void *arg);
	void *arg;
	struct watch watch;
	struct timer quiet;
	uint64_t since_ms; /* the first change of this burst */
};

/* ---- bursts ---- */

static void on_quiet(struct timer *t)
{
	struct routes *r = container_of(t, struct routes, quiet);

	r->changed(r->arg);
}

static void note_change(struct routes *r)
{
	uint64_t now = loop_now(r->loop);

	if (!r->quiet.running)
		r->since_ms = now;
	/* Left alone, the timer fires QUIET_MS after the last change it was moved for. */
	if (now + QUIET_MS <= r->since_ms + LATEST_MS)
		timer_start(r->loop, &r->quiet, QUIET_MS);
}

/* ---- what the kernel says ---- */

/* The kernel tells of each change in a datagram of its own, which begins so. */
struct message {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct rtmsg route;
	};
};

/* Some links tell of their statistics or of a scan, and a route to one host may be a copy. */
static bool is_change(const struct message *m, size_t len)
{
	if (len < sizeof *m)
		return true; /* nothing that is known here */
	switch (m->head.nlmsg_type) {
	case RTM_NEWLINK:
		return m->link.ifi_change != 0;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return !(m->route.rtm_flags & RTM_F_CLONED);
	default:
		return true;
	}
}

/* False: there is nothing more. */
static bool read_once(struct routes *r)
{
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof from;
	struct message m;
	ssize_t n = recvfrom(r->fd, &m, sizeof m, 0, (struct sockaddr *)&from, &size);

	/* Anybody may write to this socket; only the kernel, which is 0, knows. If it has no room
	 * left there, more has changed than it could tell. */
	if (n < 0 ? errno == ENOBUFS : from.nl_pid == 0 && is_change(&m, (size_t)n))
		note_change(r);
	return n >= 0 || errno != EAGAIN;
}

static void on_ready(struct watch *w, int events)
{
	struct routes *r = container_of(w, struct routes, watch);

	(void)events;
	for (int i = 0; i < READS_PER_TURN && read_once(r); i++)
		;
}

/* ---- life ---- */

static int netlink_socket(void)
{
	struct sockaddr_nl groups = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
			RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&groups, sizeof groups) == 0)
		return fd < 0 ? -errno : fd;
	int err = -errno;

	close(fd);
	return err;
}

int routes_watch(struct routes **out, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	struct routes *r = calloc(1, sizeof *r);
	int err = -ENOMEM;

	if (!r)
		return err;
	r->loop = loop;
	r->changed = changed;
	r->arg = arg;
	r->watch.ready = on_ready;
	r->quiet.fire = on_quiet;
	err = r->fd = netlink_socket();
	if (err < 0)
		goto fail;
	err = watch_start(loop, &r->watch, r->fd, LOOP_READ);
	if (err < 0)
		goto fail_fd;
	*out = r;
	return 0;

fail_fd:
	close(r->fd);
fail:
	free(r);
	return err;
}

void routes_unwatch(struct routes *r)
{
	if (!r)
		return;
	watch_stop(&r->watch);
	timer_stop(r->loop, &r->quiet);
	close(r->fd);
	free(r);
}

/* ---- asking the kernel ---- */

/* What the kernel says where there is no way: also that the host has no IPv6 at all, no address fit
 * to come from, no such interface, or that a route forbids or swallows it. */
static int no_way(int error)
{
	switch (error) {
	case EAFNOSUPPORT:
	case EADDRNOTAVAIL:
	case EACCES:
	case EINVAL:
	case ENODEV:
		return -ENETUNREACH;
	default:
		return -error;
	}
}

int route_source(
	const struct addr *to, const struct addr *source, const char *interface, struct addr *found)
{
	int fd = socket_outgoing(SOCK_DGRAM, to, source, interface), err = 0;
	socklen_t size = sizeof *found;

	if (fd < 0)
		return no_way(-fd);
	memset(found, 0, sizeof *found);
	if (connect(fd, &to->any, addr_size(to)) < 0 || getsockname(fd, &found->any, &size) < 0)
		err = no_way(errno);
	else
		addr_set_port(found, 0);
	close(fd);
	return err;
}
