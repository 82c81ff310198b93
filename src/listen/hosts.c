#include "listen/hosts.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

void hosts_init(struct hosts *h, struct rand *r)
{
	memset(h, 0, sizeof *h);
	for (int i = 0; i < 4; i++)
		h->seed = h->seed << 16 | rand_u16(r);
	list_init(&h->all);
	list_init(&h->quiet);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* Where the host is, or would be put. */
static struct host **place(struct hosts *h, const struct addr *a)
{
	uint64_t hash = h->seed, word[2] = { 0, 0 };

	if (a->any.sa_family == AF_INET6)
		memcpy(word, &a->v6.sin6_addr, sizeof word);
	else
		memcpy(word, &a->v4.sin_addr, sizeof a->v4.sin_addr);
	hash = mix(mix(hash, word[0]), word[1]);

	struct host **at = &h->buckets[hash % HOSTS_BUCKETS];

	while (*at && !addr_same_host(&(*at)->addr, a))
		at = &(*at)->next;
	return at;
}

bool hosts_enter(struct hosts *h, const struct addr *a, size_t most)
{
	struct host **at = place(h, a);

	if (!*at) {
		*at = calloc(1, sizeof **at);
		if (!*at)
			return false;
		(*at)->addr = *a;
	}
	if ((*at)->connections >= most)
		return false;
	(*at)->connections++;
	h->connections++;
	return true;
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
