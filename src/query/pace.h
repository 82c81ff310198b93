/* pace: what each network of clients (addr_network()) has asked of late, and whether it may ask one
 * more.
 *
 * Each has a bucket that holds the tokens of one second and fills at the rate; a query takes one.
 * It is kept as one number, the moment at which the bucket is full again.
 *
 * There is memory for some thousand buckets and never more, shared by all workers, so that it does
 * not matter to which of them the kernel gives a client's traffic. Where a newcomer finds no room,
 * the bucket that is nearest to full is forgotten. So nobody is refused for what others ask; and
 * whoever makes up addresses gets for each what a newcomer gets.
 */
#ifndef QUERY_PACE_H
#define QUERY_PACE_H

#include "base/siphash.h"
#include "net/addr.h"

#include <stdbool.h>

struct pace;

/* The key is borrowed. NULL: out of memory. */
struct pace *pace_new(const struct siphash_key *);
/* NULL is nothing. */
void pace_free(struct pace *);

struct pace_asks {
	const struct addr *client;
	/* Over a stream: counted apart, since anybody can send datagrams in somebody's name. */
	bool proved;
	uint64_t now_ms;
};

/* One more query, where so many may come in a second. 0: it may; else how many of this network's
 * have been too many by now. From any thread. */
unsigned pace_take(struct pace *, const struct pace_asks *, unsigned per_second);

#endif
