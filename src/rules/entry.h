/* entry: one thing that is said of a name, or of a network of addresses, and who goes before whom
 * (docs/decisions/016). Entries of one place are a chain, the lowest rank first.
 */
#ifndef RULES_ENTRY_H
#define RULES_ENTRY_H

#include "rules/ruleset.h"

#include <stdbool.h>
#include <stdint.h>

/* Sixteen octets, since a list has a million of them: where it is written is in its rank. */
struct entry {
	uint64_t rank;
	uint32_t next; /* of the same place; 0: none */
	uint32_t kind : 3; /* of its pattern */
	uint32_t of : 29; /* what it is about, by tier (set.h) */
};

/* ---- ranks ---- */

/* What a rank is made of, and in this order. */
struct standing {
	enum tier tier;
	int priority; /* -1000 to 1000; the larger goes first */
	bool exact; /* goes before what is not */
	unsigned fixed; /* labels, or bits of a network; more goes first */
	uint32_t order; /* in the configuration, or, of lists, entry_order() */
};

uint64_t rank_of(const struct standing *);
enum tier rank_tier(uint64_t rank);
unsigned rank_fixed(uint64_t rank);
uint32_t rank_order(uint64_t rank);

/* The lines of a list that can be told from each other. */
#define ENTRY_LINES (1u << 26)

/* The order of what stands in lists: the list, then its line. */
uint32_t entry_order(unsigned list, unsigned line);
unsigned entry_list(uint64_t rank);
unsigned entry_line(uint64_t rank);

/* ---- chains ---- */

/* The most that one place has, so that no question costs more than looking at so many. */
#define ENTRY_CHAIN_MAX 4096

struct entries {
	struct entry *at; /* [0] is nobody's */
	uint32_t count, room;
};

enum filed {
	FILED,
	FILED_BEFORE, /* another one always decides in its place */
	FILED_TOO_MANY, /* the chain is as long as one may be */
	FILED_NO_MEMORY
};

/* Files a copy into the chain whose first is *first. */
enum filed entries_file(struct entries *, uint32_t *first, const struct entry *);
/* Gives back what was taken for growth. */
void entries_seal(struct entries *);
void entries_clear(struct entries *);

/* The place whose first entry has the lowest rank, of the chains that begin at first[]; count: all
 * are at their ends. */
static inline unsigned entries_lowest(
	const struct entries *all, const uint32_t *first, unsigned count)
{
	uint64_t rank = UINT64_MAX;
	unsigned lowest = count;

	for (unsigned i = 0; i < count; i++) {
		if (first[i] && all->at[first[i]].rank < rank) {
			rank = all->at[first[i]].rank;
			lowest = i;
		}
	}
	return lowest;
}

#endif
