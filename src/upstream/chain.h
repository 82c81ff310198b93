/* chain: the addresses of a host in a reply, at the end of its chain of aliases. A pure function.
 */
#ifndef UPSTREAM_CHAIN_H
#define UPSTREAM_CHAIN_H

#include "upstream/upstream.h"

struct chain {
	struct addr addrs[ADDRS_MAX]; /* the port is 0 */
	size_t count;
	uint32_t ttl_s; /* the shortest of all records on the way; of use with addresses only */
};

/* Reads the A or AAAA records of the name that was asked, or of the last alias (CNAME) that starts
 * there; those of other names do not count, wherever they stand. No more than ADDRS_MAX; none that
 * no single host has. */
void chain_read(const struct reply *, uint16_t type, struct chain *);

/* One list of both: the first of a, the first of b, and so on (RFC 8305 §4). At most ADDRS_MAX,
 * whose number is returned. */
size_t chain_interleave(const struct chain *a, const struct chain *b, struct addr out[ADDRS_MAX]);

#endif
