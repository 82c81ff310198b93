/* svcb: what a service binding says: the RDATA of an SVCB or HTTPS record (RFC 9460). No I/O, no
 * memory: everything borrows from the RDATA.
 */
#ifndef DNS_SVCB_H
#define DNS_SVCB_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct svcb {
	uint16_t priority; /* lower is better; 0: an alias, of which only the target counts */
	struct span
		target; /* uncompressed, with its root label; that alone: the owner's own name */
	/* Of what must be understood to use the record, all is read here (RFC 9460 §8). */
	bool is_understood;
	struct span alpn; /* protocols, each behind its length; empty: none are named */
	bool has_port;
	uint16_t port;
	struct span ipv4hint, ipv6hint; /* addresses, one behind the other, or empty */
};

/* False: malformed (RFC 9460 §2.2, §7, §8), and with it the whole RRset. */
bool svcb_parse(struct span rdata, struct svcb *);
/* Is this one of the protocols? */
bool svcb_speaks(const struct svcb *, const char *protocol);

#endif
