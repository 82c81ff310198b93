/* splice: an answer put together: aliases of ours in front, and behind them what was found for the
 * name that was asked instead. */
#ifndef DNS_SPLICE_H
#define DNS_SPLICE_H

#include "dns/dns64.h"
#include "dns/pack.h"

/* One alias. Its owner is where the one before it leads, or the name of the question. */
struct alias {
	uint32_t ttl_s;
	uint8_t target[NAME_MAX_WIRE]; /* uncompressed */
	uint8_t target_len;
	/* It follows from a DNAME, which stands in front of it: so many octets at the end of the
	 * owner are the DNAME's, and at the end of the target, the DNAME's target. 0: it does not.
	 */
	uint8_t dname_len, dname_target_len;
};

struct splice {
	const struct question *question; /* as it is told */
	const struct alias *aliases;
	size_t alias_count;
	/* What was asked instead; its records are told under the name to which the aliases lead.
	 * NULL: nothing was, and there is nothing behind the aliases. */
	const struct packed *answer;
	struct span asked; /* the name, uncompressed */
	uint32_t age_s, ttl_s; /* its TTLs are told as build.h says */
	const struct dns64_prefix *dns64; /* A of its answer section is told as AAAA; NULL: no */
	uint32_t dns64_ttl_s; /* ... with a TTL of no more */
	/* AAAA of its answer section that are told, by their 16 octets; NULL: all. */
	bool (*tells)(const void *of, const uint8_t *octets);
	const void *of;
};

/* Packs it into memory of PACKED_MAX octets; scratch has DNS_MESSAGE_MAX. Neither may overlap what
 * is put together. Nobody vouches for it: AD is clear. False: a message cannot hold it. */
bool splice_answer(struct packed *, void *memory, uint8_t *scratch, const struct splice *);

#endif
