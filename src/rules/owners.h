/* owners: names with their records. */
#ifndef RULES_OWNERS_H
#define RULES_OWNERS_H

#include "rules/names.h"
#include "rules/rrset.h"

struct owner {
	uint32_t node; /* of the name */
	uint32_t line; /* where it is named first */
	struct rrset *sets;
};

struct owners {
	struct names *names; /* a node's number is that of its owner and 1, or 0 */
	struct owner *owners;
	uint32_t count, room;
};

/* False: out of memory. */
bool owners_init(struct owners *);
void owners_clear(struct owners *);

/* The owner of this name (uncompressed, in lower case), made if need be; valid until the next one
 * is. NULL: out of memory. */
struct owner *owners_put(struct owners *, struct span name);
/* Gives back what was taken for growth; none is made afterwards. */
void owners_seal(struct owners *);

/* The owner that a node is of; NULL: there are but names below it. */
const struct owner *owners_find(const struct owners *, uint32_t node);
/* Its records; NULL: it has none. */
const struct rrset *owners_sets(const struct owners *, uint32_t node);

#endif
