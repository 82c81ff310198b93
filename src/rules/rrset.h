/* rrset: records of ours, without an owner: what text says, as octets. */
#ifndef RULES_RRSET_H
#define RULES_RRSET_H

#include "base/span.h"
#include "net/addr.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stdint.h>

/* What an address stands for that is known only when it is asked for. */
enum macro {
	MACRO_NONE,
	MACRO_SELF, /* @self: the address that the question came to */
	MACRO_IFACE, /* @iface:NAME: those of an interface */
	MACRO_HOSTNAME, /* @hostname: those of this host's name, as the hosts file or the system has
			   them */
	MACRO_FIRST /* @first-nonloopback */
};

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

/* Adds `[TTL] TYPE RDATA` to the sets of an owner, read by ldns; twice the same is once. Names in
 * RDATA are absolute. False: why says what is wrong. */
bool rrset_read(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY]);
/* The same of octets. */
bool rrset_add(struct rrset **sets, uint16_t type, uint32_t ttl_s, struct span rdata);
/* Adds A or AAAA of an address or a macro; one that names nothing now adds nothing. */
bool rrset_add_address(struct rrset **sets, const char *text, uint32_t ttl_s, char why[RRSET_WHY]);
const struct rrset *rrset_find(const struct rrset *sets, uint16_t type);
void rrset_free(struct rrset *sets);

#endif
