/* Streams over real sockets, on loopback: in a network namespace of its own where it is permitted.
 */
#include "net/stream.h"

#include "net/visit.h"
#include "own_net.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN_MS 300

static const struct span nothing = { (const uint8_t *)"", 0 };
static const struct span question = { (const uint8_t *)"question", 8 };

/* The user of a stream: keeps what it is told, and stops the loop at opened and at closed. */
struct user {
	struct loop *loop;
	struct stream *stream;
	bool opened, closed, has_local;
	struct addr local;
	struct fault fault;
};

static void on_opened(void *arg)
{
	struct user *u = arg;

	u->opened = true;
	loop_stop(u->loop);
}

static void on_got(void *arg, struct buf *in)
{
	(void)arg;
	buf_drop(in, buf_len(in));
}

static void on_ended(void *arg)
{
	(void)arg;
}

static void on_closed(void *arg, const struct fault *f)
{
	struct user *u = arg;

	u->closed = true;
	u->fault = *f;
	u->stream = NULL;
	loop_stop(u->loop);
}

static const struct stream_events events = {
	.opened = on_opened, .got = on_got, .ended = on_ended, .closed = on_closed
};

static void prepare(
	struct user *u, const struct addr *to, const struct addr *source, const char *interface)
{
	struct stream_conf conf = { .events = &events,
		.arg = u,
		.open_ms = OPEN_MS,
		.write_ms = OPEN_MS,
		.source = source,
		.interface = interface };

	memset(u, 0, sizeof *u);
	u->loop = loop_new();
	u->stream = stream_connect(u->loop, to, NULL, NULL, &conf);
	OK(u->stream);
	u->has_local = stream_local(u->stream, &u->local);
}

/* Connects, sends, and waits for what comes of it. */
static void dial(struct user *u, const struct addr *to, const struct addr *source,
	const char *interface, struct span first)
{
	prepare(u, to, source, interface);
	if (first.len)
		OK(stream_send(u->stream, nothing, first));
	loop_run(u->loop);
}

static void hang_up(struct user *u)
{
	stream_close(u->stream);
	loop_free(u->loop);
}

static void fails_to_connect(struct user *u, const char *cause)
{
	OK(u->closed && !u->opened);
	EQ(u->fault.phase, PHASE_CONNECT);
	STR(u->fault.cause, cause);
	hang_up(u);
}

static struct addr address(const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 0));
	return a;
}

/* A listening socket; `a` gets its port. */
static int listen_at(struct addr *a, bool fast_open)
{
	int fd = socket_bound(SOCK_STREAM, &(struct binding){ .addr = *a }, BIND_ALONE);
	socklen_t size = sizeof *a;

	OK(fd >= 0);
	if (fast_open)
		OK(socket_set(fd, IPPROTO_TCP, TCP_FASTOPEN, 16));
	EQ(listen(fd, 16), 0);
	EQ(getsockname(fd, &a->any, &size), 0);
	return fd;
}

/* Takes a connection and what it has sent so far. */
static size_t take(int listener, struct addr *from)
{
	socklen_t size = sizeof *from;
	char text[64];
	int fd = accept(listener, &from->any, &size);

	OK(fd >= 0);
	ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);

	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

/* ---- where it connects from ---- */

CASE(it_connects_from_the_source_that_is_asked_for)
{
	struct addr to = address("127.0.0.1"), source = address("127.0.0.2"), seen;
	int listener = listen_at(&to, false);
	struct user u;

	dial(&u, &to, &source, NULL, nothing);
	OK(u.opened);
	take(listener, &seen);
	OK(u.has_local && addr_equal(&u.local, &seen));
	OK(addr_same_host(&seen, &source));
	hang_up(&u);
	close(listener);
}

CASE(without_a_source_the_kernel_chooses)
{
	struct addr to = address("127.0.0.1"), none = { .any.sa_family = AF_UNSPEC };
	int listener = listen_at(&to, false);
	struct user u;

	dial(&u, &to, &none, NULL, nothing);
	OK(u.opened);
	OK(u.has_local && addr_same_host(&u.local, &to));
	OK(addr_port(&u.local) != 0);
	hang_up(&u);
	close(listener);
}

CASE(one_source_serves_for_more_peers_than_it_has_ports)
{
	/* All ports of this source are two: with the port chosen by bind(), the third would fail.
	 */
	struct addr source = address("127.0.0.2"), to[3];
	int listeners[3];
	struct user u[3];

	need_own_net();
	write_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
	for (int i = 0; i < 3; i++) {
		to[i] = address("127.0.0.1:5000");
		addr_set_port(&to[i], (uint16_t)(5000 + i));
		listeners[i] = listen_at(&to[i], false);
		dial(&u[i], &to[i], &source, NULL, nothing);
		OK(u[i].opened);
	}
	for (int i = 0; i < 3; i++) {
		hang_up(&u[i]);
		close(listeners[i]);
	}
}

CASE(a_source_that_is_not_ours_is_a_fault_with_a_name)
{
	struct addr to = address("127.0.0.1:9"), source = address("192.0.2.1");
	struct user u;

	dial(&u, &to, &source, NULL, nothing);
	OK(!u.has_local);
	fails_to_connect(&u, "no-source");

	source = address("::1");
	dial(&u, &to, &source, NULL, nothing);
	fails_to_connect(&u, "no-source");
}

CASE(it_connects_through_the_interface_that_is_asked_for)
{
	struct addr to = address("127.0.0.1");
	int listener = listen_at(&to, false);
	struct user u;

	dial(&u, &to, NULL, "lo", nothing);
	OK(u.opened);
	hang_up(&u);

	dial(&u, &to, NULL, "nowhere0", nothing);
	fails_to_connect(&u, "no-interface");
	close(listener);
}

/* Two links, each with a route to everywhere; the first is preferred. */
static void two_ways(void)
{
	need_own_net();
	shell("ip link add one type veth peer name two && ip link set one up && ip link set two up");
	shell("ip address add 192.0.2.1/24 dev one && ip address add 198.51.100.1/24 dev two");
	shell("ip route add default dev one && ip route add default dev two metric 9");
}

CASE(the_interface_decides_the_way)
{
	struct addr to = address("203.0.113.1:853"), first = address("192.0.2.1"),
		    second = address("198.51.100.1");
	struct user u;

	two_ways();
	dial(&u, &to, NULL, NULL, nothing);
	OK(u.has_local && addr_same_host(&u.local, &first));
	hang_up(&u);
	dial(&u, &to, NULL, "two", nothing);
	OK(u.has_local && addr_same_host(&u.local, &second));
	hang_up(&u);
}

/* ---- what ends while it begins ---- */

struct resetter {
	struct task task;
	int listener;
};

static void on_reset(struct task *t)
{
	struct resetter *r = container_of(t, struct resetter, task);
	struct linger at_once = { .l_onoff = 1 };
	int fd = accept(r->listener, NULL, NULL);

	OK(fd >= 0);
	EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd);
}

CASE(one_that_stood_before_it_was_reset_did_not_fail_to_connect)
{
	struct addr to = address("127.0.0.1");
	struct resetter r = { .task.run = on_reset, .listener = listen_at(&to, false) };
	struct user u;

	prepare(&u, &to, NULL, NULL);
	loop_later(u.loop, &r.task); /* before the loop sees that it is connected */
	loop_run(u.loop);
	OK(u.closed && !u.opened);
	EQ(u.fault.phase, PHASE_READ);
	STR(u.fault.cause, "reset");
	hang_up(&u);
	close(r.listener);
}

/* ---- half-close ---- */

/* The user of a stream that hears something after it has said that it sends no more. */
struct listener {
	struct user user;
	struct task turn;
	struct buf heard;
	bool ended;
};

static void stop_after_turn(struct task *t)
{
	loop_stop(container_of(t, struct listener, turn)->user.loop);
}

static void keep_got(void *arg, struct buf *in)
{
	struct listener *l = arg;

	OK(!buf_len(in) || buf_append(&l->heard, buf_span(in)));
	buf_drop(in, buf_len(in));
}

static void on_last(void *arg)
{
	struct listener *l = arg;

	l->ended = true;
	loop_stop(l->user.loop);
}

static const struct stream_events listening = {
	.opened = on_opened, .got = keep_got, .ended = on_last, .closed = on_closed
};

/* What comes over the descriptor until the end of it. */
static size_t read_all(int fd, uint8_t *octets, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, octets + len, size - len, 0)) > 0)
		len += (size_t)n;
	EQ(n, 0);
	return len;
}

CASE(who_sends_no_more_still_hears)
{
	struct addr to = address("127.0.0.1");
	int server = listen_at(&to, false);
	struct listener l = { .turn.run = stop_after_turn };
	uint8_t octets[64];

	dial(&l.user, &to, NULL, NULL, nothing);
	stream_retarget(l.user.stream, &listening, &l);
	OK(stream_send(l.user.stream, nothing, question));
	stream_shut(l.user.stream);
	loop_later(l.user.loop, &l.turn);
	loop_run(l.user.loop);
	int fd = accept(server, NULL, NULL);

	OK(fd >= 0);
	EQ(read_all(fd, octets, sizeof octets), question.len);
	MEM(octets, question.at, question.len);
	EQ(send(fd, "answer", 6, 0), 6);
	close(fd);
	loop_run(l.user.loop);
	OK(l.ended && !l.user.closed);
	EQ(buf_len(&l.heard), 6);

	stream_finish(l.user.stream); /* both have said so: nobody is waited for */
	loop_run(l.user.loop);
	OK(l.user.closed);
	EQ(l.user.fault.phase, PHASE_NONE);
	buf_clear(&l.heard);
	hang_up(&l.user);
	close(server);
}

static void stop_on_got(void *arg, struct buf *in)
{
	struct listener *l = arg;

	keep_got(l, in);
	if (buf_len(&l->heard))
		loop_stop(l->user.loop);
}

CASE(who_is_finished_with_is_not_heard_while_it_takes_what_was_sent)
{
	static const struct stream_events stopping = {
		.opened = on_opened, .got = stop_on_got, .ended = on_last, .closed = on_closed
	};
	static const uint8_t much[16 << 20];
	struct addr to = address("127.0.0.1");
	int server = listen_at(&to, false);
	struct listener l = { 0 };

	dial(&l.user, &to, NULL, NULL, nothing);
	stream_retarget(l.user.stream, &stopping, &l);
	OK(stream_send(l.user.stream, nothing, (struct span){ much, sizeof much }));
	stream_finish(l.user.stream);
	int fd = accept(server, NULL, NULL);

	OK(fd >= 0);
	EQ(send(fd, "more", 4, 0), 4);
	loop_run(l.user.loop); /* until it has taken nothing for too long */
	OK(l.user.closed);
	EQ(l.user.fault.phase, PHASE_WRITE);
	EQ(buf_len(&l.heard), 0);
	buf_clear(&l.heard);
	hang_up(&l.user);
	close(fd);
	close(server);
}

/* ---- fast open ---- */

/* How often a SYN of ours was answered as one with data. */
static long fast_opens(void)
{
	return tcp_counter("TCPFastOpenActive");
}

/* A listener whose cookie the kernel knows for this source, so that the next SYN is held back. */
static int listen_with_cookie(struct addr *to, const struct addr *source)
{
	int listener = listen_at(to, true);
	struct addr from;
	struct user u;

	write_file("/proc/sys/net/ipv4/tcp_fastopen", "3");
	dial(&u, to, source, NULL, question);
	OK(u.opened);
	take(listener, &from);
	hang_up(&u);
	EQ(fast_opens(), 0);
	return listener;
}

CASE(a_peer_that_is_known_gets_the_first_bytes_with_the_syn)
{
	struct addr to = address("127.0.0.1"), from;
	struct user u;

	need_own_net();
	int listener = listen_with_cookie(&to, NULL);

	dial(&u, &to, NULL, NULL, question);
	OK(u.opened);
	EQ(fast_opens(), 1);
	EQ(take(listener, &from), question.len);
	hang_up(&u);
	close(listener);
}

CASE(a_syn_with_nothing_to_take_along_goes_out_all_the_same)
{
	struct addr to = address("127.0.0.1"), from;
	struct user u;

	need_own_net();
	int listener = listen_with_cookie(&to, NULL);

	dial(&u, &to, NULL, NULL, nothing);
	OK(u.opened);
	EQ(take(listener, &from), 0);
	hang_up(&u);
	close(listener);
}

CASE(a_known_peer_that_refuses_does_so_while_connecting)
{
	struct addr to = address("127.0.0.1");
	struct user u;

	need_own_net();
	close(listen_with_cookie(&to, NULL));
	dial(&u, &to, NULL, NULL, question);
	fails_to_connect(&u, "refused");
}

CASE(a_known_peer_without_a_route_is_unreachable_while_connecting)
{
	struct addr to = address("192.0.2.2");
	struct user u;

	need_own_net();
	shell("ip address add 192.0.2.2/32 dev lo");
	close(listen_with_cookie(&to, NULL));
	shell("ip address delete 192.0.2.2/32 dev lo");
	dial(&u, &to, NULL, NULL, question);
	fails_to_connect(&u, "unreachable");
}

/* A peer that has moved from our loopback to a link where it does not exist. */
static void know_and_lose(struct addr *to, const struct addr *source)
{
	shell("ip link add one type veth peer name two && ip link set one up && ip link set two up");
	shell("ip address add 192.0.2.1/24 dev one && ip address add 192.0.2.2/32 dev lo");
	close(listen_with_cookie(to, source));
	shell("ip address delete 192.0.2.2/32 dev lo");
}

CASE(a_known_peer_that_is_gone_from_its_link_is_unreachable_while_connecting)
{
	struct addr to = address("192.0.2.2"), source = address("192.0.2.1");
	struct user u;

	need_own_net();
	know_and_lose(&to, &source);
	write_file("/proc/sys/net/ipv4/neigh/one/mcast_solicit", "1");
	write_file("/proc/sys/net/ipv4/neigh/one/retrans_time_ms", "10");
	dial(&u, &to, &source, NULL, question);
	fails_to_connect(&u, "unreachable");
}

CASE(a_known_peer_that_is_silent_runs_into_the_timeout_while_connecting)
{
	struct addr to = address("192.0.2.2"), source = address("192.0.2.1");
	struct user u;

	need_own_net();
	know_and_lose(&to, &source);
	shell("ip neighbour replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev one");
	dial(&u, &to, &source, NULL, question);
	fails_to_connect(&u, "timeout");
}

/* ---- TLS ---- */

#define UPDATES 40000

/* A client that has its keys changed again and again, and takes none of the answers. */
struct flooder {
	struct visitor visitor;
	struct addr to;
	pthread_t thread;
};

static void *flood(void *arg)
{
	struct flooder *f = arg;
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
	SSL *ssl = SSL_new(f->visitor.ctx);
	bool ok = setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0 &&
		connect(fd, &f->to.any, addr_size(&f->to)) == 0 && SSL_set_fd(ssl, fd) &&
		SSL_connect(ssl) == 1;

	for (int i = 0; ok && i < UPDATES; i++)
		ok = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) && SSL_do_handshake(ssl) == 1;
	SSL_free(ssl);
	close(fd);
	return NULL;
}

/* Who is flooded. */
struct victim {
	struct user user;
	struct house house;
	struct acceptor *acceptor;
	struct timer look;
	size_t unsent, most;
};

static void secure_it(void *arg, struct buf *in)
{
	struct victim *v = arg;

	if (!stream_tls_facts(v->user.stream) && buf_len(in))
		OK(stream_secure(v->user.stream, v->house.server, NULL, 10000));
}

static void ignore_opened(void *arg)
{
	(void)arg;
}

static void on_victim_closed(void *arg, const struct fault *f)
{
	struct victim *v = arg;

	on_closed(&v->user, f);
}

static const struct stream_events victim_events = { .opened = ignore_opened,
	.got = secure_it,
	.ended = ignore_opened,
	.closed = on_victim_closed };

static void take_flooder(void *arg, const struct addr *peer)
{
	struct victim *v = arg;
	const struct stream_conf conf = {
		.events = &victim_events, .arg = v, .write_ms = 1000, .unsent = &v->unsent
	};

	(void)peer;
	v->user.stream = stream_accept(v->acceptor, &conf);
	OK(v->user.stream);
}

static void on_look(struct timer *t)
{
	struct victim *v = container_of(t, struct victim, look);

	if (v->unsent > v->most)
		v->most = v->unsent;
	timer_start(v->user.loop, t, 1);
}

CASE(who_takes_no_answers_to_its_key_updates_is_not_read_from)
{
	need_own_net();
	write_file(
		"/proc/sys/net/ipv4/tcp_wmem", "4096 16384 16384"); /* the kernel takes no more */
	struct victim v = { .house = house_new(), .look.fire = on_look };
	struct flooder f = { .visitor = visitor_of(TLS1_3_VERSION) };

	v.user.loop = loop_new();
	EQ(acceptor_open(&v.acceptor, v.user.loop,
		   &(struct binding){ .addr = address("127.0.0.1") }, BIND_ALONE, take_flooder, &v),
		0);
	acceptor_address(v.acceptor, &f.to);
	timer_start(v.user.loop, &v.look, 1);
	EQ(pthread_create(&f.thread, NULL, flood, &f), 0);
	loop_run(v.user.loop); /* until it has taken nothing for too long */
	EQ(v.user.fault.phase, PHASE_WRITE);
	OK(v.most > 0 && v.most < 50000);

	acceptor_close(v.acceptor);
	EQ(pthread_join(f.thread, NULL), 0);
	loop_free(v.user.loop);
	visitor_free(&f.visitor);
	house_free(&v.house);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);

	const struct CMUnitTest cases[] = {
		CLAIM(it_connects_from_the_source_that_is_asked_for),
		CLAIM(without_a_source_the_kernel_chooses),
		CLAIM(one_source_serves_for_more_peers_than_it_has_ports),
		CLAIM(a_source_that_is_not_ours_is_a_fault_with_a_name),
		CLAIM(it_connects_through_the_interface_that_is_asked_for),
		CLAIM(the_interface_decides_the_way),
		CLAIM(one_that_stood_before_it_was_reset_did_not_fail_to_connect),
		CLAIM(who_sends_no_more_still_hears),
		CLAIM(who_is_finished_with_is_not_heard_while_it_takes_what_was_sent),
		CLAIM(a_peer_that_is_known_gets_the_first_bytes_with_the_syn),
		CLAIM(a_syn_with_nothing_to_take_along_goes_out_all_the_same),
		CLAIM(a_known_peer_that_refuses_does_so_while_connecting),
		CLAIM(a_known_peer_without_a_route_is_unreachable_while_connecting),
		CLAIM(a_known_peer_that_is_gone_from_its_link_is_unreachable_while_connecting),
		CLAIM(a_known_peer_that_is_silent_runs_into_the_timeout_while_connecting),
		CLAIM(who_takes_no_answers_to_its_key_updates_is_not_read_from),
	};

	return RUN(cases);
}
