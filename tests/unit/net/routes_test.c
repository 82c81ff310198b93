/* Routes of this host, in network namespaces of our own. */
#include "net/routes.h"

#include "own_net.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct addr address(const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 53));
	return a;
}

/* ---- the source ---- */

static void comes_from(const char *to, const char *expected)
{
	struct addr there = address(to), source, wanted = address(expected);

	EQ(route_source(&there, NULL, NULL, &source), 0);
	EQ(addr_port(&source), 0);
	OK(addr_same_host(&source, &wanted));
}

static int no_way_to(const char *to)
{
	struct addr there = address(to), source;

	return route_source(&there, NULL, NULL, &source);
}

static void need_two_links(void)
{
	need_own_net();
	shell("ip link add one type veth peer name two && ip link set one up && ip link set two up");
	shell("ip address add 192.0.2.1/24 dev one && ip address add 198.51.100.1/24 dev two");
}

CASE(the_source_is_the_address_the_kernel_would_take)
{
	need_two_links();
	comes_from("127.0.0.1", "127.0.0.1");
	comes_from("192.0.2.9", "192.0.2.1");
	comes_from("198.51.100.9", "198.51.100.1");
	shell("ip route add default via 198.51.100.2");
	comes_from("203.0.113.1", "198.51.100.1");
	shell("ip route replace default via 192.0.2.2");
	comes_from("203.0.113.1", "192.0.2.1");
}

CASE(without_a_route_there_is_no_way)
{
	need_two_links();
	EQ(no_way_to("203.0.113.1"), -ENETUNREACH);
	shell("ip route add unreachable 203.0.113.1");
	EQ(no_way_to("203.0.113.1"), -EHOSTUNREACH);
	shell("ip route replace blackhole 203.0.113.1");
	EQ(no_way_to("203.0.113.1"), -ENETUNREACH);
	shell("ip route replace prohibit 203.0.113.1");
	EQ(no_way_to("203.0.113.1"), -ENETUNREACH);
}

CASE(a_host_with_ipv4_only_has_no_way_over_ipv6)
{
	need_two_links();
	shell("ip route add default via 192.0.2.2");
	EQ(no_way_to("2001:db8::1"), -ENETUNREACH);
	write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	EQ(no_way_to("2001:db8::1"), -ENETUNREACH);
	EQ(no_way_to("::1"), -ENETUNREACH);
	comes_from("203.0.113.1", "192.0.2.1");
}

CASE(ipv6_has_its_own_source)
{
	need_two_links();
	shell("ip address add 2001:db8::1/64 dev one nodad");
	comes_from("2001:db8::9", "2001:db8::1");
	EQ(no_way_to("2001:db9::9"), -ENETUNREACH);
}

CASE(a_source_and_an_interface_that_are_asked_for_are_taken_as_long_as_they_are_there)
{
	struct addr there = address("203.0.113.1"), ours = address("198.51.100.1"), found;

	need_two_links();
	shell("ip route add default via 192.0.2.2");
	addr_set_port(&ours, 0);
	EQ(route_source(&there, &ours, NULL, &found), 0);
	OK(addr_equal(&found, &ours));
	EQ(route_source(&there, NULL, "two", &found), 0);
	OK(addr_equal(&found, &ours));
	shell("ip address delete 198.51.100.1/24 dev two");
	EQ(route_source(&there, &ours, NULL, &found), -ENETUNREACH);
	shell("ip link delete one");
	EQ(route_source(&there, NULL, "two", &found), -ENETUNREACH);
}

/* ---- changes ---- */

/* More than the quiet that ends a burst. */
#define A_BURST_MS 150

/* All of this happens on a loopback of our own, which has nothing to say by itself. */
struct watcher {
	struct loop *loop;
	struct routes *routes;
	struct timer enough, again;
	unsigned agains;
	int changes;
	uint64_t at_ms; /* the last one */
};

static void on_changed(void *arg)
{
	struct watcher *w = arg;

	w->changes++;
	w->at_ms = loop_now(w->loop);
}

static void on_enough(struct timer *t)
{
	loop_stop(container_of(t, struct watcher, enough)->loop);
}

static void run_for(struct watcher *w, unsigned ms)
{
	w->changes = 0;
	/* The loop's clock stands still while it does not run. */
	timer_start(w->loop, &w->enough, 0);
	loop_run(w->loop);
	timer_start(w->loop, &w->enough, ms);
	loop_run(w->loop);
}

static void watch(struct watcher *w)
{
	need_own_net();
	*w = (struct watcher){ .loop = loop_new(), .enough.fire = on_enough };
	EQ(routes_watch(&w->routes, w->loop, on_changed, w), 0);
	run_for(w, A_BURST_MS);
}

static void unwatch(struct watcher *w)
{
	routes_unwatch(w->routes);
	loop_free(w->loop);
}

/* How many changes are told when this is done. */
static int changes_by(struct watcher *w, const char *command)
{
	shell(command);
	run_for(w, A_BURST_MS);
	return w->changes;
}

CASE(addresses_and_routes_of_both_families_are_changes)
{
	struct watcher w;

	watch(&w);
	EQ(changes_by(&w, "ip address add 192.0.2.7/24 dev lo"), 1);
	EQ(changes_by(&w, "ip route add 203.0.113.0/24 dev lo"), 1);
	EQ(changes_by(&w, "ip route delete 203.0.113.0/24 dev lo"), 1);
	EQ(changes_by(&w, "ip address delete 192.0.2.7/24 dev lo"), 1);
	EQ(changes_by(&w, "ip address add 2001:db8::1/128 dev lo"), 1);
	EQ(changes_by(&w, "ip route add 2001:db9::/64 dev lo"), 1);
	EQ(changes_by(&w, "ip route delete 2001:db9::/64 dev lo"), 1);
	EQ(changes_by(&w, "ip address delete 2001:db8::1/128 dev lo"), 1);
	EQ(changes_by(&w, "true"), 0);
	unwatch(&w);
}

CASE(links_are_changes_but_not_what_is_said_about_them)
{
	struct watcher w;

	watch(&w);
	EQ(changes_by(&w, "ip link set lo alias me"), 0);
	EQ(changes_by(&w, "ip link set lo multicast on"), 1);
	OK(changes_by(&w, "ip link add one type veth peer name two") >= 1);
	OK(changes_by(&w, "ip link delete one") >= 1);
	unwatch(&w);
}

/* Gives the loopback another address, without taking the time of a command. */
static void on_again(struct timer *t)
{
	struct watcher *w = container_of(t, struct watcher, again);
	struct ifreq request = { .ifr_name = "lo:1" };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	a.sin_addr.s_addr = htonl(0xc0000200u + w->agains++ % 200);
	memcpy(&request.ifr_addr, &a, sizeof a);
	EQ(ioctl(fd, SIOCSIFADDR, &request), 0);
	close(fd);
	timer_start(w->loop, t, 30);
}

CASE(a_burst_that_does_not_end_is_told_within_a_second)
{
	struct watcher w;

	watch(&w);
	w.again.fire = on_again;
	timer_start(w.loop, &w.again, 1);
	uint64_t began_ms = loop_now(w.loop);

	run_for(&w, 1600);
	EQ(w.changes, 1);
	OK(w.at_ms - began_ms >= 900 && w.at_ms - began_ms < 1500);
	timer_stop(w.loop, &w.again);
	unwatch(&w);
}

CASE(more_than_the_kernel_can_tell_is_a_change)
{
	struct watcher w;

	watch(&w);
	/* Nobody reads meanwhile, and what is read then is about no change. */
	EQ(changes_by(&w, "for i in $(seq 3000); do echo link set lo alias $i; done | ip -batch -"),
		1);
	EQ(changes_by(&w, "ip route add 203.0.113.0/24 dev lo"), 1);
	unwatch(&w);
}

CASE(what_a_process_says_does_not_count)
{
	struct sockaddr_nl watchers = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} lie = { { .nlmsg_len = sizeof lie, .nlmsg_type = RTM_DELLINK }, { 0 } };
	struct watcher w;

	watch(&w);
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	EQ(sendto(fd, &lie, sizeof lie, 0, (struct sockaddr *)&watchers, sizeof watchers),
		sizeof lie);
	EQ(changes_by(&w, "true"), 0);
	unwatch(&w);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_source_is_the_address_the_kernel_would_take),
		CLAIM(without_a_route_there_is_no_way),
		CLAIM(a_host_with_ipv4_only_has_no_way_over_ipv6),
		CLAIM(ipv6_has_its_own_source),
		CLAIM(a_source_and_an_interface_that_are_asked_for_are_taken_as_long_as_they_are_there),
		CLAIM(addresses_and_routes_of_both_families_are_changes),
		CLAIM(links_are_changes_but_not_what_is_said_about_them),
		CLAIM(a_burst_that_does_not_end_is_told_within_a_second),
		CLAIM(more_than_the_kernel_can_tell_is_a_change),
		CLAIM(what_a_process_says_does_not_count),
	};

	return RUN(cases);
}
