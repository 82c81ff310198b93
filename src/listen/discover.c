#include "listen/discover.h"

/* At port 53 DNS over TLS is never looked for (RFC 7858 §3.1). A port that the kernel chose cannot
 * be told before it is bound, and is for tests alone. */
static bool is_told(const struct endpoint *e)
{
	uint16_t port = e->at.path ? 0 : addr_port(&e->at.addr);

	return e->spoken.tls == TLS_TERMINATE && port != 0 && port != PORT_DNS;
}

void discover(struct listening *shared, const struct addr *asked_at, struct discovery *d)
{
	const struct listen_conf *conf = &shared->conf;
	struct tls_server *server = shown_server(shared->shown, &shared->tls);
	sa_family_t family = asked_at->any.sa_family;

	d->as = NULL;
	d->asked_at = *asked_at;
	d->count = 0;
	if (server && (family == AF_INET || family == AF_INET6))
		d->as = tls_front_proof(tls_server_front(server), asked_at);
	for (size_t i = 0; i < conf->count && d->count < DISCOVERY_MAX; i++)
		if (is_told(&conf->endpoints[i]))
			d->at[d->count++] = conf->endpoints[i].at.addr;
}
