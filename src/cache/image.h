/* image: the cache as octets of a file, for the next run. No clock, and no file but those given.
 *
 *	head	"sotto cache\n", version, boot, since_boot_ms, date_ms, groups
 *	entry	length, flags, group, age_ms, message; as often as there are entries
 *	end	0, count of entries, sum
 *
 * Numbers are as on the wire. A message is what a server might have sent, its extended errors in an
 * OPT record: so what is read is read as if it came from a server, and nothing else is believed.
 * The sum, over all octets before it, finds what broke; it is no proof of who wrote the file.
 */
#ifndef CACHE_IMAGE_H
#define CACHE_IMAGE_H

#include "cache/cache.h"

#include <stdio.h>

/* The groups whose answers are kept: the first ones of a configuration. */
#define IMAGE_GROUPS 256
/* Octets of the name that a kernel gives itself at each start. */
#define IMAGE_BOOT 36
/* Octets of a piece: an entry with the longest message, which is more than the longest head. */
#define IMAGE_PIECE (4 + 10 + DNS_MESSAGE_MAX)

/* When, and beside which servers, it was written. */
struct image_head {
	char boot[IMAGE_BOOT]; /* zeros: not known */
	int64_t since_boot_ms, date_ms; /* date_ms is 0 where nobody could tell */
	uint16_t group_count;
	uint64_t groups[IMAGE_GROUPS]; /* of each group, a number that tells it from all others */
};

/* An answer. */
struct image_entry {
	uint8_t group; /* by index into the groups of the head */
	bool dnssec_ok, checking_disabled;
	int64_t age_ms; /* at the time of the head */
	struct span message; /* a header at least */
};

/* ---- writing ---- */

struct image_writer {
	FILE *out; /* borrowed */
	uint64_t sum, count;
	uint8_t piece[IMAGE_PIECE];
};

/* False: it was not written; errno says why. */
bool image_write_head(struct image_writer *, FILE *out, const struct image_head *);
/* Failures, and answers of further groups, are passed over, which is no failure. now_ms:
 * since_boot_ms of the head. */
bool image_write_entry(struct image_writer *, const struct cache_entry *, int64_t now_ms);
bool image_write_end(struct image_writer *);

/* ---- reading ---- */

struct image_reader {
	FILE *in; /* borrowed */
	unsigned group_count;
	uint64_t sum, count; /* of what was read so far */
	const char *fault; /* half a sentence; NULL: none so far */
	uint8_t piece[IMAGE_PIECE];
};

/* False: it makes no sense, as the fault says. */
bool image_read_head(struct image_reader *, FILE *in, struct image_head *);
/* The next entry; its message is in the reader. False: there is none, or, with a fault, what is
 * there makes no sense. Only the end shows whether the octets are as they were written. */
bool image_read_entry(struct image_reader *, struct image_entry *);

/* Packs the message of an entry as if it had just come, into memory as of pack_reply(). False: it
 * is not worth it. */
bool image_unpack(
	const struct image_entry *, const struct pack_limits *, struct packed *, void *memory);

#endif
