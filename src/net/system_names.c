#include "net/system_names.h"

#include <dlfcn.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
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

/* ---- plug-ins ---- */

/* One of the sources that hosts are looked up in (nsswitch.conf(5)): files and dns are in the C
 * library, others, such as resolve or mdns, in a library each. What stands between brackets is none
 * of them, and found nowhere. */
static void load_source(const char *name)
{
	char library[64];

	snprintf(library, sizeof library, "libnss_%.32s.so.2", name);
	dlopen(library, RTLD_NOW); /* stays for the life of the process */
}

void system_names_prepare(void)
{
	static const char key[] = "hosts:", space[] = " \t\n";
	FILE *f = fopen("/etc/nsswitch.conf", "re");
	char line[512], *rest, *word;

	while (f && fgets(line, sizeof line, f)) {
		const char *start = line + strspn(line, space);

		if (strncmp(start, key, strlen(key)) != 0)
			continue;
		strtok_r(line, space, &rest);
		while ((word = strtok_r(NULL, space, &rest)))
			load_source(word);
	}
	if (f)
		fclose(f);
}

/* ---- looking up ---- */

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
