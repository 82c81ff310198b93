/* set: what a ruleset is made of, for those files that build and read it. */
#ifndef RULES_SET_H
#define RULES_SET_H

#include <stdatomic.h>

#include "rules/entry.h"
#include "rules/marks.h"
#include "rules/names.h"
#include "rules/prefixes.h"
#include "rules/ruleset.h"
#include "rules/special.h"

/* What is done where an entry decides. Owned but for conf's text. */
struct outcome {
	enum act act;
	struct rrset *sets; /* of ANSWER; of CNAME, that record alone */
	uint8_t *target; /* of CNAME and REWRITE, on the wire; NULL: none */
	size_t target_len;
	char *target_text;
	bool prepends; /* of CNAME: the name that is asked for stands in front of the target */
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
#define OF_MASK 0x1fffffffu
/* Of addresses that the configuration itself blocks, and those that mean that there is no such
 * name. */
#define OF_BLOCKED (OF_MASK - 1)
#define OF_BOGUS   OF_MASK
/* Of special names that are asked upstream all the same. */
#define OF_ASKED OF_MASK

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
	struct marks macs, cpe_ids; /* likewise */
	struct entries entries; /* of all of these */
	struct rule *rules;
	struct local *local[VIEWS_MAX]; /* NULL: none */
	struct outcome lists[LISTS_MAX]; /* what is done with what they block */
	struct rrset **special; /* what special names have, by their index */
	struct outcome *own; /* of entries of lists that say it themselves */
	struct held *held;
	size_t held_count, held_room, own_count, own_room;
	size_t list_entries; /* that could decide */
	uint64_t blocks_names, blocks_addresses; /* by views, as bits */
	bool wants_facts, wants_who;
	struct acl private; /* addresses that a name of others does not lead to */
};

/* A question that is being decided on, or an address of an answer. */
struct asked {
	const struct ruleset *set;
	const struct asker_facts *asker;
	struct span name;
	uint16_t type;
	const uint32_t *nodes; /* on the way to the name */
	const char *address; /* NULL: it is about the name */
	struct decision *d;
	struct trace *trace;
};

/* The entry of the lowest rank, of the chains that begin at first[], that why_not() says nothing
 * against; NULL: none. first[] is used up. */
const struct entry *set_lowest(const struct asked *, uint32_t *first, unsigned count,
	const char *(*why_not)(const struct asked *, const struct entry *));

/* Why an entry of a list does not hold; NULL: it does. */
const char *set_list_why_not(const struct asked *, const struct entry *);
/* The decision is what an entry of TIER_ALLOW or TIER_BLOCK says. */
void set_take_listed(const struct asked *, const struct entry *);

/* Is it an exception of the rule of this index (or see `except`)? */
bool set_is_excepted(const struct ruleset *, uint32_t of, struct span name);

/* What the entry is about. */
static inline uint32_t set_of(const struct ruleset *set, const struct entry *e)
{
	return e->kind > PATTERN_BELOW ? set->held[e->of].of : e->of;
}

#endif
