/* answer: what is answered here, packed: records of ours, aliases, and that there is nothing. Each
 * writes into memory of PACKED_MAX octets, as pack.h says, and is WORTH_NOTHING: none of it is for
 * the cache. */
#ifndef RULES_ANSWER_H
#define RULES_ANSWER_H

#include "dns/pack.h"
#include "rules/rrset.h"
#include "rules/rules.h"

/* What it is an answer to, and what is said if there is nothing. */
struct answer_to {
	const struct question *question; /* the name as it was spelled */
	const struct addr *self; /* the address that was asked, for @self; NULL: not known */
	enum any_answer any;
	struct span
		zone; /* whose SOA it is: the question's name, or one above it; empty: its name */
	const struct rrset *soa; /* NULL: one is made up */
	uint32_t ttl_s; /* of what is made up */
};

/* The set of the type that is asked for; to ANY as `any` says; of a name that is an alias, CNAME,
 * for the caller to follow. None of them: that there is nothing. */
void answer_records(
	struct packed *, void *memory, const struct answer_to *, const struct rrset *sets);

/* The name is an alias of the target (uncompressed). */
void answer_alias(struct packed *, void *memory, const struct answer_to *, struct span target);

/* The name is below an owner of DNAME: that, and the alias that follows from it (RFC 6672 §3.1),
 * whose target is written as well; its length. 0: it would be too long, which is YXDOMAIN. */
struct answer_dname {
	struct span owner;
	const struct rrset *set;
	uint8_t target[NAME_MAX_WIRE];
};
size_t answer_dname(struct packed *, void *memory, const struct answer_to *, struct answer_dname *);
/* What a name is an alias of by that; its length, 0: it is not below the owner, or too long. */
size_t answer_dname_target(
	struct span name, struct span owner, struct span to, uint8_t target[NAME_MAX_WIRE]);

/* That there is no record of this type, or no such name, with SOA (RFC 2308 §2); other rcodes stand
 * alone. */
void answer_negative(struct packed *, void *memory, const struct answer_to *, enum rcode);

#endif
