#include "listen/hosts.h"

#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hosts_init(struct hosts *h, const struct siphash_key *key)
{
	memset(h, 0, sizeof *h);
	h->key = key;
	list_init(&h->all);
	list_init(&h->quiet);
}

/* Where the network is, or would be put. */
static struct host **place(struct hosts *h, const struct addr *a)
{
	struct span network = addr_network(a);
	uint64_t hash = siphash(h->key, network.at, network.len);
	struct host **at = &h->buckets[hash % HOSTS_BUCKETS];

	while (*at && !addr_same_network(&(*at)->addr, a))
		at = &(*at)->next;
	return at;
}

int hosts_enter(struct hosts *h, const struct addr *a, size_t most)
{
	struct host **at = place(h, a);

	if (!*at) {
		*at = calloc(1, sizeof **at);
		if (!*at)
			return -ENOMEM;
		(*at)->addr = *a;
	}
	if ((*at)->connections >= most)
		return -EUSERS;
	(*at)->connections++;
	h->connections++;
	return 0;
}

void hosts_leave(struct hosts *h, const struct addr *a)
{
	struct host **at = place(h, a), *host = *at;

	MUST(host && host->connections);
	h->connections--;
	if (--host->connections)
		return;
	*at = host->next;
	free(host);
}
