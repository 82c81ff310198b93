#include "net/datagram.h"

#include "base/bug.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
/* Batches taken in one turn, so that connections get theirs. */
#define BATCHES_PER_TURN 4
/* Until the kernel is asked again whether it has room for what is sent. */
#define AGAIN_MS 1
/* From one message of a batch to the next: not a power of two, or all would want the same few lines
 * of the processor's cache. */
#define STRIDE (DATAGRAM_MAX + 3 * 64)

union control {
	struct cmsghdr align;
	uint8_t v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Messages for one recvmmsg() or sendmmsg(). */
struct batch {
	struct mmsghdr message[BATCH];
	struct iovec piece[BATCH];
	struct addr peer[BATCH];
	union control control[BATCH];
	uint8_t data[BATCH][STRIDE];
};

struct datagram {
	struct loop *loop;
	struct watch watch;
	int fd;
	bool wildcard;
	datagram_fn *got;
	datagram_shorten_fn *shorten;
	void *arg;
	struct task flush;
	struct timer again; /* running: the kernel had no room for what is left in out */
	unsigned waiting, sent; /* messages in out; of them, those that are gone */
	struct batch *in, *out;
};

static struct batch *batch_new(void)
{
	struct batch *b = malloc(sizeof *b);

	if (!b)
		return NULL;
	memset(b->message, 0, sizeof b->message);
	memset(b->control, 0, sizeof b->control); /* the kernel is given its padding as well */
	for (int i = 0; i < BATCH; i++) {
		struct msghdr *h = &b->message[i].msg_hdr;

		b->piece[i] = (struct iovec){ b->data[i], DATAGRAM_MAX };
		h->msg_iov = &b->piece[i];
		h->msg_iovlen = 1;
		h->msg_name = &b->peer[i];
	}
	return b;
}

/* ---- where it arrived ---- */

static void read_local(struct msghdr *h, struct path *path)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			path->local.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
				.sin_addr = info.ipi_spec_dst };
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			path->local.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
				.sin6_addr = info.ipi6_addr };
			path->interface = info.ipi6_ifindex;
		}
	}
}

/* Asks the kernel to send from the address that was asked. */
static void write_local(struct msghdr *h, union control *control, const struct path *path)
{
	h->msg_control = control;
	if (path->local.any.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = path->local.v4.sin_addr };

		h->msg_controllen = sizeof control->v4;
		struct cmsghdr *c = CMSG_FIRSTHDR(h);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof info),
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else {
		const struct in6_addr *from = &path->local.v6.sin6_addr;
		struct in6_pktinfo info = { .ipi6_addr = *from,
			.ipi6_ifindex = IN6_IS_ADDR_LINKLOCAL(from) ? path->interface : 0 };

		h->msg_controllen = sizeof control->v6;
		struct cmsghdr *c = CMSG_FIRSTHDR(h);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof info),
			.cmsg_level = IPPROTO_IPV6,
			.cmsg_type = IPV6_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
}

/* ---- receiving ---- */

static void hand_over(struct datagram *d, int i)
{
	struct msghdr *h = &d->in->message[i].msg_hdr;
	struct path path;

	path.peer = d->in->peer[i];
	path.local.any.sa_family = AF_UNSPEC;
	path.interface = 0;
	if (d->wildcard)
		read_local(h, &path);
	d->got(d->arg, &path, (struct span){ d->in->data[i], d->in->message[i].msg_len });
}

static void on_readable(struct watch *w, int events)
{
	struct datagram *d = container_of(w, struct datagram, watch);

	(void)events;
	for (int turn = 0; turn < BATCHES_PER_TURN && d->watch.handle; turn++) {
		for (int i = 0; i < BATCH; i++) {
			struct msghdr *h = &d->in->message[i].msg_hdr;

			h->msg_namelen = sizeof d->in->peer[i];
			h->msg_control = d->wildcard ? &d->in->control[i] : NULL;
			h->msg_controllen = d->wildcard ? sizeof d->in->control[i] : 0;
		}
		int n = recvmmsg(d->fd, d->in->message, BATCH, MSG_DONTWAIT, NULL);

		for (int i = 0; i < n; i++)
			hand_over(d, i);
		if (n < BATCH)
			return;
	}
}

/* ---- sending ---- */

/* The message at the front could not be sent. True: it was made shorter, try it again. */
static bool mend(struct datagram *d, unsigned i, int error)
{
	size_t len = d->out->piece[i].iov_len;

	if (error != EMSGSIZE || !d->shorten)
		return false;
	size_t shorter = d->shorten(d->out->data[i], len);

	if (!shorter || shorter >= len)
		return false;
	d->out->piece[i].iov_len = shorter;
	return true;
}

/* Sends what waits, from the message at `done` on. Returns where it ended: the kernel has no room
 * for more. */
static unsigned send_from(struct datagram *d, unsigned done)
{
	while (done < d->waiting) {
		int n = sendmmsg(d->fd, d->out->message + done, d->waiting - done, MSG_DONTWAIT);

		if (n > 0)
			done += (unsigned)n;
		else if (errno == EAGAIN || errno == ENOBUFS)
			break;
		else if (errno != EINTR && !mend(d, done, errno))
			done++; /* this one cannot be sent; the next ones go elsewhere */
	}
	return done;
}

/* What the kernel has no room for is tried once more, a moment later; then, or when there is no
 * room here either, it is lost, as on a wire. */
static void flush(struct datagram *d, bool for_good)
{
	d->sent = send_from(d, d->sent);
	if (d->sent < d->waiting && !for_good) {
		timer_start(d->loop, &d->again, AGAIN_MS);
		return;
	}
	timer_stop(d->loop, &d->again);
	d->sent = d->waiting = 0;
}

static void on_flush(struct task *t)
{
	struct datagram *d = container_of(t, struct datagram, flush);

	if (!d->again.running)
		flush(d, false);
}

static void on_again(struct timer *t)
{
	flush(container_of(t, struct datagram, again), true);
}

void datagram_send(struct datagram *d, const struct path *to, struct span message)
{
	if (!CHECK(message.len <= DATAGRAM_MAX))
		return;
	unsigned i = d->waiting++;
	struct msghdr *h = &d->out->message[i].msg_hdr;

	memcpy(d->out->data[i], message.at, message.len);
	d->out->piece[i].iov_len = message.len;
	d->out->peer[i] = to->peer;
	h->msg_namelen = addr_size(&to->peer);
	h->msg_control = NULL;
	h->msg_controllen = 0;
	if (to->local.any.sa_family != AF_UNSPEC)
		write_local(h, &d->out->control[i], to);
	if (d->waiting == BATCH)
		flush(d, true);
	else
		loop_later(d->loop, &d->flush);
}

void datagram_on_too_big(struct datagram *d, datagram_shorten_fn *shorten)
{
	d->shorten = shorten;
}

/* ---- life ---- */

static void set_options(struct datagram *d, int family)
{
	/* Never fragments, and believes no ICMP about sizes (RFC 9715 R1, R2). */
	socket_set(d->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE);
	if (family == AF_INET6) /* and IPv4, if it was handed over as a socket of both */
		socket_set(d->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_INTERFACE);
	if (d->wildcard && family == AF_INET)
		socket_set(d->fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (d->wildcard && family == AF_INET6)
		socket_set(d->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

int datagram_open(struct datagram **out, struct loop *loop, const struct binding *at,
	enum sharing sharing, datagram_fn *got, void *arg)
{
	struct datagram *d = calloc(1, sizeof *d);
	int err = -ENOMEM;

	if (!d)
		return err;
	d->loop = loop;
	d->wildcard = addr_is_any(&at->addr);
	d->got = got;
	d->arg = arg;
	d->flush.run = on_flush;
	d->again.fire = on_again;
	d->watch.ready = on_readable;
	d->in = batch_new();
	d->out = batch_new();
	if (!d->in || !d->out)
		goto fail;
	err = d->fd = socket_bound(SOCK_DGRAM, at, sharing);
	if (err < 0)
		goto fail;
	set_options(d, at->addr.any.sa_family);
	err = watch_start(loop, &d->watch, d->fd, LOOP_READ | LOOP_SHARED);
	if (err < 0)
		goto fail_fd;
	*out = d;
	return 0;

fail_fd:
	close(d->fd);
fail:
	free(d->in);
	free(d->out);
	free(d);
	return err;
}

void datagram_stop(struct datagram *d)
{
	watch_stop(&d->watch);
}

void datagram_close(struct datagram *d)
{
	flush(d, true);
	loop_cancel(&d->flush);
	watch_stop(&d->watch);
	close(d->fd);
	free(d->in);
	free(d->out);
	free(d);
}

void datagram_address(const struct datagram *d, struct addr *a)
{
	socklen_t size = sizeof *a;

	memset(a, 0, sizeof *a);
	getsockname(d->fd, &a->any, &size);
}
