#include "rules/entry.h"

#include <stdlib.h>

#define FIRST_ROOM 64
/* What `of` and the tables behind it can number. */
#define ENTRIES_MAX UINT32_MAX

/* From the last bit on: order, labels or bits, exact, priority, tier. */
enum { FIXED_AT = 32, EXACT_AT = 40, PRIORITY_AT = 41, TIER_AT = 52, PRIORITY_MAX = 1000 };

/* ---- ranks ---- */

uint64_t rank_of(const struct standing *s)
{
	return (uint64_t)s->tier << TIER_AT |
		(uint64_t)(PRIORITY_MAX - s->priority) << PRIORITY_AT |
		(uint64_t)!s->exact << EXACT_AT | (uint64_t)(255 - s->fixed) << FIXED_AT | s->order;
}

enum tier rank_tier(uint64_t rank)
{
	return (enum tier)(rank >> TIER_AT);
}

unsigned rank_fixed(uint64_t rank)
{
	return 255 - (rank >> FIXED_AT & 255);
}

uint32_t rank_order(uint64_t rank)
{
	return (uint32_t)rank;
}

uint32_t entry_order(unsigned list, unsigned line)
{
	return list * ENTRY_LINES + (line < ENTRY_LINES ? line : ENTRY_LINES - 1);
}

unsigned entry_list(uint64_t rank)
{
	return rank_order(rank) / ENTRY_LINES;
}

unsigned entry_line(uint64_t rank)
{
	return rank_order(rank) % ENTRY_LINES;
}

/* ---- chains ---- */

static bool is_listed(uint64_t rank)
{
	return rank_tier(rank) == TIER_ALLOW || rank_tier(rank) == TIER_BLOCK;
}

/* Does one always decide where another one would, which stands behind it? A second time in one list
 * it does, and the same pattern of the same rule. */
static bool hides(const struct entry *e, const struct entry *other)
{
	if (e->kind != other->kind || e->kind > PATTERN_BELOW)
		return false;
	if (is_listed(e->rank))
		return e->rank / ENTRY_LINES == other->rank / ENTRY_LINES;
	return e->rank == other->rank;
}

static bool has_room(struct entries *all)
{
	uint32_t room = all->room ? 2 * all->room : FIRST_ROOM;

	if (all->count < all->room)
		return true;
	struct entry *more = room < all->room ? NULL : reallocarray(all->at, room, sizeof *more);

	if (!more)
		return false;
	all->at = more;
	all->room = room;
	all->count += !all->count;
	return true;
}

enum filed entries_file(struct entries *all, uint32_t *first, const struct entry *e)
{
	uint32_t before = 0, length = 0;

	for (uint32_t i = *first; i; i = all->at[i].next) {
		if (all->at[i].rank > e->rank)
			break;
		if (hides(&all->at[i], e))
			return FILED_BEFORE;
		before = i;
	}
	for (uint32_t i = *first; i; i = all->at[i].next)
		length++;
	if (length == ENTRY_CHAIN_MAX)
		return FILED_TOO_MANY;
	if (!has_room(all))
		return FILED_NO_MEMORY;
	uint32_t *link = before ? &all->at[before].next : first;

	all->at[all->count] = *e;
	all->at[all->count].next = *link;
	*link = all->count++;
	return FILED;
}

void entries_seal(struct entries *all)
{
	struct entry *less = all->count ? reallocarray(all->at, all->count, sizeof *less) : NULL;

	if (!less)
		return;
	all->at = less;
	all->room = all->count;
}

void entries_clear(struct entries *all)
{
	free(all->at);
	*all = (struct entries){ .count = 0 };
}
