/* system_names: host names as the system resolves them: /etc/hosts, and what /etc/nsswitch.conf and
 * /etc/resolv.conf say. */
#ifndef NET_SYSTEM_NAMES_H
#define NET_SYSTEM_NAMES_H

#include "net/addr.h"

#include <string.h>

/* The most that is taken. */
#define SYSTEM_NAMES_MAX   16
#define SYSTEM_SERVERS_MAX 3

struct system_names {
	struct addr addrs[SYSTEM_NAMES_MAX]; /* of the host, the port 0, the best one first */
	size_t count; /* 0: none, and reason says why */
	const char *reason; /* a constant */
	struct addr servers[SYSTEM_SERVERS_MAX]; /* those of /etc/resolv.conf */
	size_t server_count;
};

/* Is that host one for the system to find? A name of a single label is no other's business. */
static inline bool system_names_know(const char *host)
{
	return !strchr(host, '.');
}

/* Loads now the parts of the C library that looking up would load, when that may not be possible
 * any more. */
void system_names_prepare(void);

/* Looks the host up. Blocks, for seconds if need be: for a thread that may. */
void system_names_find(struct system_names *, const char *host);

#endif
