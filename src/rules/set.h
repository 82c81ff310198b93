/* set: what a ruleset is made of, for those files that build and read it. */
#ifndef RULES_SET_H
#define RULES_SET_H

#include <stdatomic.h>

#include "rules/entry.h"
#include "rules/names.h"
#include "rules/prefixes.h"
#include "rules/ruleset.h"
#include "rules/special.h"

/* What is done where an entry decides. Owned but for conf's text. */
struct outcome {
	enum act act;
	struct rrset *sets; /* of ANSWER; of CNAME, that record alone */
	uint8_t *target; /* of CNAME and REWRITE, on the wire, in lower case; NULL: none */
	size_t target_len;
	char *target_text;
};

struct rule {
	const struct rule_conf *conf;
	struct outcome outcome;
	bool has_except;
};

/* A pattern that needs more than its place in the tree, and what its entry is about. */
struct held {
	struct pattern pattern;
	uint32_t of;
};

/* What entries of lists, and of addresses, are about. */
enum {
	OF_LIST, /* what their list says */
	OF_ACT, /* + an act that needs nothing else */
	OF_OWN = OF_ACT + ACT_ROUTE + 1 /* + an index into own[] */
};
/* Of addresses, those of protect.* instead. */
enum { OF_BLOCKED = (1u << 29) - 2, OF_BOGUS };
/* Of special names: asked upstream all the same. */
enum { OF_ASKED = (1u << 29) - 1 };

struct ruleset {
	atomic_uint owners;
	const struct rules_conf *conf;
	/* An entry's `of` is: of VIEW and RULE an index of rules, of LOCAL a view, of SPECIAL an
	 * index of special_names; if its pattern is held, an index of held, which has that. */
	struct names *names;
	struct names *except; /* `of`: whom it is excepted from, an index of rules, or rule_count:
				 the protection against rebinding */
	struct prefixes *addresses; /* of answers */
	struct prefixes *views; /* the number of a network is that of its view */
	struct entries entries; /* of all of these */
	struct rule *rules;
	struct local *local[VIEWS_MAX]; /* NULL: none */
	struct outcome lists[LISTS_MAX]; /* what is done with what they block */
	struct outcome *own; /* entries of lists that say it themselves */
	struct held *held;
	size_t held_count, held_room, own_count, own_room;
	size_t list_entries; /* that could decide */
	uint64_t blocks_names, blocks_addresses; /* by views, as bits */
	bool wants_facts;
};

/* A question that is being decided on, and the decision so far. */
struct asked {
	const struct ruleset *set;
	const struct asker_facts *asker;
	struct span name;
	uint16_t type;
	struct decision *d;
	struct trace *trace;
};

/* The entry of the lowest rank, of those that begin at first[], that why_not() has nothing against;
 * NULL: none. first[] is used up. */
typedef const char *set_objection(const struct asked *, const struct entry *, unsigned place);
const struct entry *set_decide(
	const struct asked *, uint32_t *first, unsigned count, set_objection *why_not);

/* What the entry is about. */
static inline uint32_t set_of(const struct ruleset *set, const struct entry *e)
{
	return e->kind > PATTERN_BELOW ? set->held[e->of].of : e->of;
}

/* Does it hold in this view? */
static inline bool set_list_holds(const struct list_conf *list, unsigned view)
{
	return list->views >> view & 1;
}

#endif
