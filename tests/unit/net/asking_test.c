/* Sockets that ask, over real ones, on loopback. */
#include "net/asking.h"

#include "net/socket.h"
#include "own_net.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 10000

static const struct span question = { (const uint8_t *)"question", 8 };

/* An owner: keeps what it is told, and stops the loop. */
struct owner {
	struct loop *loop;
	struct asking *asking;
	int messages, errors;
	int error; /* the last one */
	int strays;
	uint16_t stray_port;
	size_t len; /* of the last message */
	int closes_for; /* at the first message, so that this descriptor takes its place; 0: does
			   not */
	int reused;
};

static void on_got(void *arg, struct span m)
{
	struct owner *o = arg;

	o->messages++;
	o->len = m.len;
	if (o->closes_for) {
		asking_close(o->asking);
		o->reused = dup(o->closes_for);
	}
	loop_stop(o->loop);
}

static void on_failed(void *arg, int error)
{
	struct owner *o = arg;

	o->errors++;
	o->error = error;
	loop_stop(o->loop);
}

static struct addr address(const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 0));
	return a;
}

static int try_open(
	struct owner *o, const struct addr *to, const struct addr *source, const char *interface)
{
	struct asking_conf conf = { .source = source,
		.interface = interface,
		.got = on_got,
		.failed = on_failed,
		.arg = o };

	return asking_open(&o->asking, o->loop, to, &conf);
}

static void begin(struct owner *o, const struct addr *to)
{
	*o = (struct owner){ .loop = loop_new() };
	EQ(try_open(o, to, NULL, NULL), 0);
}

static void end(struct owner *o)
{
	asking_close(o->asking);
	loop_free(o->loop);
}

/* A server's socket; `a` gets its port. */
static int serve_at(struct addr *a)
{
	socklen_t size = sizeof *a;
	int fd = socket_bound(SOCK_DGRAM, &(struct binding){ .addr = *a }, BIND_ALONE);

	OK(fd >= 0);
	EQ(getsockname(fd, &a->any, &size), 0);
	return fd;
}

static struct addr hear(int server)
{
	struct addr from;
	socklen_t size = sizeof from;
	char text[64];

	EQ(recvfrom(server, text, sizeof text, 0, &from.any, &size), question.len);
	return from;
}

static void answer(int server, const struct addr *to, size_t len)
{
	static const char text[ASKING_MAX + 1];

	EQ(sendto(server, text, len, 0, &to->any, addr_size(to)), len);
}

/* ---- question and answer ---- */

CASE(every_datagram_of_the_server_is_told)
{
	struct addr to = address("127.0.0.1");
	int server = serve_at(&to);
	struct owner o;

	begin(&o, &to);
	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	answer(server, &from, 100);
	answer(server, &from, 0);
	answer(server, &from, 11);
	loop_run(o.loop);
	EQ(o.messages, 3);
	EQ(o.len, 11);
	EQ(o.errors, 0);
	end(&o);
	close(server);
}

CASE(a_longer_datagram_is_cut)
{
	struct addr to = address("127.0.0.1");
	int server = serve_at(&to);
	struct owner o;

	begin(&o, &to);
	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	answer(server, &from, ASKING_MAX + 1);
	loop_run(o.loop);
	EQ(o.len, ASKING_MAX);
	end(&o);
	close(server);
}

CASE(nothing_is_told_after_closing)
{
	struct addr to = address("127.0.0.1"), nearby = to;
	int server = serve_at(&to), other = serve_at(&nearby);
	struct owner o;

	answer(server, &nearby, 102);
	begin(&o, &to);
	o.closes_for = other;
	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	answer(server, &from, 100);
	answer(server, &from, 101);
	loop_run(o.loop);
	EQ(o.messages, 1);
	EQ(o.len, 100);
	loop_free(o.loop);
	close(server);
	close(other);
	close(o.reused);
}

CASE(what_somebody_else_sends_does_not_count)
{
	struct addr to = address("127.0.0.1"), neighbour = address("127.0.0.1"),
		    other_host = address("127.0.0.2");
	int server = serve_at(&to), strangers[] = { serve_at(&neighbour), serve_at(&other_host) };
	struct owner o;

	begin(&o, &to);
	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	for (int i = 0; i < 2; i++) {
		char text[1];

		/* What refuses is the socket itself, with ICMP. */
		EQ(connect(strangers[i], &from.any, addr_size(&from)), 0);
		EQ(send(strangers[i], text, sizeof text, 0), 1);
		EQ(recv(strangers[i], text, sizeof text, 0), -1);
		EQ(errno, ECONNREFUSED);
		close(strangers[i]);
	}
	answer(server, &from, 100);
	loop_run(o.loop);
	EQ(o.messages, 1);
	EQ(o.len, 100);
	end(&o);
	close(server);
}

static void on_strayed(void *arg, const struct addr *from, struct span m)
{
	struct owner *o = arg;

	o->strays++;
	o->stray_port = addr_port(from);
	EQ(m.len, 7);
}

CASE(who_wants_to_hear_of_strangers_does_and_gets_long_messages_whole)
{
	struct addr to = address("127.0.0.1"), neighbour = to;
	int server = serve_at(&to), stranger = serve_at(&neighbour);
	struct owner o = { .loop = loop_new() };
	struct asking_conf conf = {
		.got = on_got, .strayed = on_strayed, .failed = on_failed, .arg = &o
	};

	EQ(asking_open(&o.asking, o.loop, &to, &conf), 0);
	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	answer(stranger, &from, 7);
	answer(server, &from, ASKING_MAX + 1);
	loop_run(o.loop);
	EQ(o.strays, 1);
	EQ(o.stray_port, addr_port(&neighbour));
	EQ(o.messages, 1);
	EQ(o.len, ASKING_MAX + 1);

	/* What the network says is heard as well. */
	close(server);
	EQ(asking_send(o.asking, question), 0);
	loop_run(o.loop);
	EQ(o.error, -ECONNREFUSED);
	end(&o);
	close(stranger);
}

/* ---- ports ---- */

CASE(each_question_has_a_port_of_its_own_that_cannot_be_foretold)
{
	static struct owner o[64];
	struct addr to = address("127.0.0.1");
	int server = serve_at(&to), in_step = 0;
	struct loop *loop = loop_new();
	uint16_t ports[64];

	for (int i = 0; i < 64; i++) {
		o[i].loop = loop;
		EQ(try_open(&o[i], &to, NULL, NULL), 0);
		EQ(asking_send(o[i].asking, question), 0);
		struct addr from = hear(server);

		ports[i] = addr_port(&from);
		for (int k = 0; k < i; k++)
			OK(ports[k] != ports[i]);
		in_step += i > 1 && ports[i] - ports[i - 1] == ports[i - 1] - ports[i - 2];
	}
	OK(in_step < 4);
	for (int i = 0; i < 64; i++)
		asking_close(o[i].asking);
	loop_free(loop);
	close(server);
}

CASE(ten_thousand_can_be_open_at_once)
{
	static struct owner o[MANY];
	struct rlimit files = { MANY + 100, MANY + 100 };
	struct addr to = address("127.0.0.1");
	int server = serve_at(&to);
	struct loop *loop = loop_new();

	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		print_message("so many descriptors are not permitted here\n");
		close(server);
		loop_free(loop);
		skip();
	}
	for (int i = 0; i < MANY; i++) {
		o[i].loop = loop;
		EQ(try_open(&o[i], &to, NULL, NULL), 0);
		EQ(asking_send(o[i].asking, question), 0);
		struct addr from = hear(server);

		answer(server, &from, 100);
	}
	for (int heard = 0; heard < MANY;) {
		loop_run(loop);
		heard = 0;
		for (int i = 0; i < MANY; i++)
			heard += o[i].messages;
	}
	for (int i = 0; i < MANY; i++) {
		EQ(o[i].messages, 1);
		EQ(o[i].errors, 0);
		asking_close(o[i].asking);
	}
	loop_free(loop);
	close(server);
}

CASE(it_asks_from_the_source_and_through_the_interface_it_is_told)
{
	struct addr to = address("127.0.0.1"), source = address("127.0.0.3"),
		    not_ours = address("192.0.2.1");
	int server = serve_at(&to);
	struct owner o = { .loop = loop_new() };

	EQ(try_open(&o, &to, &source, "lo"), 0);
	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	OK(addr_same_host(&from, &source));
	asking_close(o.asking);
	EQ(try_open(&o, &to, &not_ours, NULL), -EADDRNOTAVAIL);
	EQ(try_open(&o, &to, NULL, "nowhere0"), -ENODEV);
	loop_free(o.loop);
	close(server);
}

/* ---- what the network says ---- */

CASE(a_port_where_nobody_listens_is_an_error_that_ends_nothing)
{
	struct addr to = address("127.0.0.1");
	struct owner o;

	close(serve_at(&to));
	begin(&o, &to);
	EQ(asking_send(o.asking, question), 0);
	loop_run(o.loop);
	EQ(o.errors, 1);
	EQ(o.error, -ECONNREFUSED);

	/* The server comes up; the error that waits does not keep the next message from it. */
	EQ(asking_send(o.asking, question), 0);
	int server = serve_at(&to);

	EQ(asking_send(o.asking, question), 0);
	struct addr from = hear(server);

	answer(server, &from, 100);
	while (!o.messages)
		loop_run(o.loop);
	EQ(o.messages, 1);
	EQ(o.errors, 2);
	end(&o);
	close(server);
}

CASE(over_ipv6_it_is_the_same)
{
	struct addr to = address("[::1]");
	struct owner o;

	close(serve_at(&to));
	begin(&o, &to);
	EQ(asking_send(o.asking, question), 0);
	loop_run(o.loop);
	EQ(o.errors, 1);
	EQ(o.error, -ECONNREFUSED);
	end(&o);
}

CASE(a_host_that_is_not_on_its_link_is_an_error_too)
{
	struct addr to = address("192.0.2.2:53");
	struct owner o;

	need_own_net();
	shell("ip link add one type veth peer name two && ip link set one up && ip link set two up");
	shell("ip address add 192.0.2.1/24 dev one");
	write_file("/proc/sys/net/ipv4/neigh/one/mcast_solicit", "1");
	write_file("/proc/sys/net/ipv4/neigh/one/retrans_time_ms", "10");
	begin(&o, &to);
	EQ(asking_send(o.asking, question), 0);
	loop_run(o.loop);
	EQ(o.error, -EHOSTUNREACH);
	end(&o);
}

CASE(without_a_route_it_cannot_be_opened)
{
	struct addr to = address("192.0.2.2:53");
	struct owner o = { 0 };

	need_own_net();
	o.loop = loop_new();
	EQ(try_open(&o, &to, NULL, NULL), -ENETUNREACH);
	loop_free(o.loop);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(every_datagram_of_the_server_is_told),
		CLAIM(a_longer_datagram_is_cut),
		CLAIM(nothing_is_told_after_closing),
		CLAIM(what_somebody_else_sends_does_not_count),
		CLAIM(who_wants_to_hear_of_strangers_does_and_gets_long_messages_whole),
		CLAIM(each_question_has_a_port_of_its_own_that_cannot_be_foretold),
		CLAIM(ten_thousand_can_be_open_at_once),
		CLAIM(it_asks_from_the_source_and_through_the_interface_it_is_told),
		CLAIM(a_port_where_nobody_listens_is_an_error_that_ends_nothing),
		CLAIM(over_ipv6_it_is_the_same),
		CLAIM(a_host_that_is_not_on_its_link_is_an_error_too),
		CLAIM(without_a_route_it_cannot_be_opened),
	};

	return RUN(cases);
}
