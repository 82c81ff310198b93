/* rrset: records of ours, without an owner: what text says, as octets. */
#ifndef RULES_RRSET_H
#define RULES_RRSET_H

#include "base/span.h"
#include "rules/macro.h"

#include <stdbool.h>
#include <stdint.h>

struct rdata {
	struct rdata *next;
	enum macro macro; /* of SELF alone; all others are addresses when a set is built */
	uint16_t len;
	uint8_t octets[]; /* uncompressed; names as they were spelled */
};

struct rrset {
	struct rrset *next; /* of the same owner; one for each type */
	uint16_t type, count;
	uint32_t ttl_s;
	struct rdata *first;
};

#define RRSET_WHY 200
/* Octets that the records of one owner may take in a message. */
#define RRSET_ROOM 60000

/* Adds `[TTL] TYPE RDATA` to the sets of an owner, read by ldns; twice the same is once, and all of
 * one type have the lowest TTL of them (RFC 2181 §5.2). Names in RDATA are absolute. False: why
 * says what is wrong. */
bool rrset_read(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY]);
/* The same of octets. False: there is no memory, or no room: all records of an owner fit into one
 * message, with aliases in front of them (RRSET_ROOM). */
bool rrset_add(struct rrset **sets, uint16_t type, uint32_t ttl_s, struct span rdata);
/* The same of what ldns has read; its owner does not matter. */
struct ldns_struct_rr;
bool rrset_add_rr(struct rrset **sets, const struct ldns_struct_rr *, char why[RRSET_WHY]);
/* Adds A or AAAA of an address or a macro; one that names nothing now adds nothing. */
bool rrset_add_address(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY]);
/* Why they cannot be of one name: an alias has nothing beside it but what proves it (RFC 2181
 * §10.1, RFC 4034 §3, §4), and leads to one name, as does DNAME (RFC 6672 §2.4). NULL: they can. */
const char *rrset_clash(const struct rrset *sets);
const struct rrset *rrset_find(const struct rrset *sets, uint16_t type);
void rrset_free(struct rrset *sets);

#endif
