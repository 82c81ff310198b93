/* draft: an answer of ours while it is written: the question, then records, then it is packed. Like
 * the writer's, its end decides whether all of it had room. */
#ifndef DNS_DRAFT_H
#define DNS_DRAFT_H

#include "dns/pack.h"
#include "dns/writer.h"

struct draft {
	struct writer w;
	const struct question *question;
	uint16_t *ttl_at;
	uint16_t ttl_count;
	uint16_t count[SECTIONS];
};

/* Begins in memory of PACKED_MAX octets, aligned for uint16_t; the question is borrowed. */
void draft_begin(struct draft *, void *memory, const struct question *);
/* Writes a name: the last octets of the question's, of which there are so many. */
void draft_pointer(struct draft *, size_t len);
void draft_u32(struct draft *, uint32_t);
/* Writes all of a record that is between its owner and its data; sections in their order. What it
 * gives is for draft_close(), when the data is written. */
size_t draft_record(struct draft *, int section, uint16_t type, uint32_t ttl_s);
/* Writes the length of something, which draft_close() fills in when that is written. */
size_t draft_open(struct draft *);
void draft_close(struct draft *, size_t open);
/* An SOA that stands for a zone of ours, the last octets of the question's name, as RFC 6303 §3 has
 * it. That something is not there may be remembered for ttl_s. */
void draft_soa(struct draft *, int section, size_t zone_len, uint32_t ttl_s);

/* What is written, to be told but not to be kept. False: it had no room. */
bool draft_end(struct draft *, struct packed *, enum rcode);

#endif
