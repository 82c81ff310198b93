/* hosts: the stream connections of one worker's clients, whichever listener they came by: how many
 * there are, how many each network (addr_network()) has, and which of them could give way to
 * another. */
#ifndef LISTEN_HOSTS_H
#define LISTEN_HOSTS_H

#include "base/list.h"
#include "base/siphash.h"
#include "net/addr.h"

#define HOSTS_BUCKETS 256

struct host {
	struct host *next;
	struct addr addr; /* of its network, whichever came first */
	size_t connections;
};

struct hosts {
	const struct siphash_key *key; /* so that nobody can choose addresses that fall together */
	struct host *buckets[HOSTS_BUCKETS];
	size_t connections; /* of all */
	struct list all; /* connections with a stream, the oldest first */
	struct list quiet; /* first those that are over; then by how long no query waits */
	size_t unsent; /* octets of answers that their clients have not taken */
};

/* The key is borrowed. */
void hosts_init(struct hosts *, const struct siphash_key *);

/* Counts one more. 0; -EUSERS: that would be more than most; -ENOMEM. */
int hosts_enter(struct hosts *, const struct addr *, size_t most);
/* Counts one less. */
void hosts_leave(struct hosts *, const struct addr *);

#endif
