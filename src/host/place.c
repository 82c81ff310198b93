#include "host/place.h"

static bool is_loopback(const struct addr *a)
{
	struct prefix v4, v6;

	prefix_parse(&v4, "127.0.0.0/8");
	prefix_parse(&v6, "::1");
	return prefix_matches(&v4, a) || prefix_matches(&v6, a);
}

bool place_of(const struct config *c, const struct endpoint *e, struct addr *at)
{
	bool v6 = e->at.addr.any.sa_family == AF_INET6;

	if (e->at.path || e->at.interface || !e->datagrams || !e->spoken.plain)
		return false;
	*at = e->at.addr;
	if (addr_is_any(at))
		addr_parse(at, v6 ? "::1" : "127.0.0.1", addr_port(&e->at.addr));
	return is_loopback(at) && acl_allows(&c->query.allow, at) &&
		!acl_has(&c->listen.proxies, at);
}

const struct endpoint *place_find(const struct config *c, struct addr *at)
{
	const struct endpoint *found = NULL;
	struct addr a;

	for (size_t i = 0; i < c->listen.count; i++) {
		const struct endpoint *e = &c->listen.endpoints[i];

		if (!place_of(c, e, &a) || (found && addr_port(&a) != PORT_DNS))
			continue;
		if (!found || addr_port(at) != PORT_DNS) {
			found = e;
			*at = a;
		}
	}
	return found;
}
