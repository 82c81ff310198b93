#include "net/system_names.h"

#include <netdb.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>

/* Of one server of /etc/resolv.conf, and how often it is asked: somebody waits. */
#define PATIENCE_S 2
#define ATTEMPTS   1

static void take_servers(struct system_names *out)
{
	const struct __res_state *system = &_res;

	for (int i = 0; i < system->nscount && i < SYSTEM_SERVERS_MAX; i++) {
		const struct sockaddr_in6 *v6 = system->_u._ext.nsaddrs[i];
		struct addr *to = &out->servers[out->server_count];

		if (system->nsaddr_list[i].sin_family == AF_INET)
			to->v4 = system->nsaddr_list[i];
		else if (v6)
			to->v6 = *v6;
		else
			continue;
		out->server_count++;
	}
}

static void take_addresses(struct system_names *out, const struct addrinfo *found)
{
	for (; found && out->count < SYSTEM_NAMES_MAX; found = found->ai_next) {
		struct addr *to = &out->addrs[out->count];

		if (found->ai_addrlen > sizeof *to ||
			(found->ai_family != AF_INET && found->ai_family != AF_INET6))
			continue;
		memset(to, 0, sizeof *to);
		memcpy(to, found->ai_addr, found->ai_addrlen);
		out->count++;
	}
}

void system_names_find(struct system_names *out, const char *host)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM }, *found;

	memset(out, 0, sizeof *out);
	/* This thread's resolver, whose settings getaddrinfo() follows; read anew, since the file
	 * may have changed. */
	if (res_init() == 0) {
		_res.retrans = PATIENCE_S;
		_res.retry = ATTEMPTS;
		take_servers(out);
	}
	int err = getaddrinfo(host, NULL, &hints, &found);

	if (err) {
		out->reason = gai_strerror(err);
		return;
	}
	take_addresses(out, found);
	freeaddrinfo(found);
	if (!out->count)
		out->reason = "it has no address";
}
