#include "config/checks.h"

#include <stddef.h>

#include "base/bug.h"
#include "config/kinds.h"

/* The timers form an order, so that each gets its chance before the next one ends it all. */
static const struct order {
	const char *less, *more;
	bool or_equal;
} orders[] = {
	{ "timeouts.attempt", "timeouts.query", false },
	{ "timeouts.connect", "timeouts.query", true },
	{ 0 },
};

static uint64_t duration_of(const struct load *l, const struct option *o)
{
	unsigned ms;

	MUST(o && o->width == sizeof(ms));
	ms = *(const unsigned *)(const void *)((const char *)l->config + o->offset);
	return ms;
}

static void check_order(struct load *l, const struct order *order)
{
	const struct option *less = options_find(order->less), *more = options_find(order->more);
	uint64_t least = duration_of(l, less), most = duration_of(l, more);
	const struct node *less_given = l->given[options_index(less)];
	const struct node *more_given = l->given[options_index(more)];
	char small[VALUE_TEXT], large[VALUE_TEXT];

	if (least < most || (order->or_equal && least == most))
		return;
	value_print_duration(least, small);
	value_print_duration(most, large);
	if (less_given)
		problem(&l->problems, &less_given->place, less->key, "%s must be %s %s, which is %s%s",
			small, order->or_equal ? "at most" : "less than", more->key, large,
			more_given ? "" : " by default");
	else
		problem(&l->problems, &more_given->place, more->key, "%s must be %s %s, which is %s%s",
			large, order->or_equal ? "at least" : "more than", less->key, small, " by default");
}

static bool is_loopback(const struct addr *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* Would a packet to server arrive at listener? */
static bool reaches(const struct addr *server, const struct addr *listener)
{
	if (addr_port(server) != addr_port(listener))
		return false;
	if (addr_same_host(server, listener))
		return true;
	bool one_family = server->any.sa_family == listener->any.sa_family;
	return addr_is_any(listener) && one_family && is_loopback(server);
}

/* The element of the list that an option was given, or the only value. */
static const struct node *element(const struct node *value, size_t index)
{
	const struct node *n = value->kind == NODE_LIST ? value->first : value;

	while (n && index-- > 0)
		n = n->next;
	return n;
}

static void check_loops(struct load *l)
{
	const struct config *c = l->config;
	const struct node *servers = l->given[options_index(options_find("upstreams"))];
	const struct node *listeners = l->given[options_index(options_find("listen"))];
	char text[ADDR_TEXT];

	for (size_t i = 0; i < c->upstream.count; i++) {
		for (size_t k = 0; k < c->listen.count; k++) {
			const struct server_conf *server = &c->upstream.servers[i];
			const struct addr *listener = &c->listen.addrs[k];

			if (!reaches(&server->addr, listener))
				continue;
			const struct node *told = servers ? element(servers, i) : element(listeners, k);
			problem(&l->problems, &told->place, servers ? "upstreams" : "listen",
				"a loop: upstream %s is ourselves, listening on %s", server->text,
				addr_print(listener, text));
			break;
		}
	}
}

void checks_run(struct load *l)
{
	for (const struct order *order = orders; order->less; order++)
		check_order(l, order);
	check_loops(l);
}
