/* chase: another question of the same query: where an alias leads, what is asked instead of a name,
 * or, by DNS64, addresses of the other kind. The answer is told as one to the client's question.
 */
#ifndef QUERY_CHASE_H
#define QUERY_CHASE_H

#include "dns/splice.h"
#include "query/reply.h"

/* How often one query may become another one; a loop ends there. */
#define CHASE_STEPS 8

struct chase {
	struct question question; /* that is asked now, ... */
	uint8_t name[NAME_MAX_WIRE]; /* ... its name */
	struct alias aliases[CHASE_STEPS]; /* in front of the answer */
	unsigned alias_count, steps;
	bool authoritative; /* the first of them is of what is served here */
	bool is_dns64;
	struct dns64_prefix prefix;
	uint32_t dns64_ttl_s;
	bool (*tells)(const void *of, const uint8_t *octets); /* as of a splice */
	const void *of;
};

void chase_init(struct chase *);

/* Each makes chase->question the next one; all is copied. False: it has been too many. */

/* What is asked, of that type, is an alias. */
bool chase_alias(struct chase *, const struct alias *, uint16_t type, bool authoritative);
/* The target is asked instead. */
bool chase_rewrite(struct chase *, struct span target, uint16_t type);
/* A is asked instead of AAAA, and told as that, for no longer than ttl_s. */
bool chase_dns64(struct chase *, struct span name, const struct dns64_prefix *, uint32_t ttl_s);

/* What is asked stays that, but not all AAAA of its answer are told: tells() and what it is of are
 * borrowed until chase_tell(). */
void chase_choose(struct chase *, const struct question *asked,
	bool (*tells)(const void *of, const uint8_t *octets), const void *of);

/* Where answers are put together. */
struct chase_room {
	struct packed packed;
	void *memory; /* PACKED_MAX octets */
	uint8_t *scratch; /* DNS_MESSAGE_MAX */
};

/* An answer to chase->question becomes one to what the client asked; it borrows from the room.
 * False: a message cannot hold it. */
bool chase_tell(
	const struct chase *, const struct question *client, struct answer *, struct chase_room *);

#endif
