/* ruleset: all rules, local data, lists and special names as one thing that decides what is done
 * with a question (docs/decisions/016). Built once, outside of the loops; never changed; shared.
 */
#ifndef RULES_RULESET_H
#define RULES_RULESET_H

#include "dns/pack.h"
#include "rules/lists.h"
#include "rules/local.h"
#include "rules/rules.h"

struct ruleset;
struct rule; /* as it is run */

/* What cannot be used. */
struct ruleset_fault {
	char file[256];
	unsigned line;
	char why[RRSET_WHY];
};

/* Builds it; files are read. The configuration must outlive it. NULL: the fault says why. Notes for
 * people (lines of lists that were ignored) are logged. */
struct ruleset *ruleset_new(const struct rules_conf *, struct ruleset_fault *);
struct ruleset *ruleset_share(struct ruleset *);
/* What it was built of. */
const struct rules_conf *ruleset_conf(const struct ruleset *);
/* Is there another owner than who asks? */
bool ruleset_is_shared(const struct ruleset *);
/* The last owner frees it, which takes as long as it is large. */
void ruleset_free(struct ruleset *);

/* There is nothing in it that could say anything of a question, or of an answer. */
bool ruleset_is_empty(const struct ruleset *);
/* Some rule wants to know more of a client than its address. */
bool ruleset_wants_facts(const struct ruleset *);
/* Does it matter who asks? If not, nobody looks at asker_facts.who, and all are in view 0. */
bool ruleset_wants_who(const struct ruleset *);

/* Who asks, as far as it is known. */
struct who {
	struct prefix client; /* its address, or a network that it is in: a condition on addresses
				 holds where it does for all of that */
	const char *mac, *cpe_id; /* as dns/behind.h writes them; NULL: not known */
};

/* Of whom a question is. */
struct asker_facts {
	const struct who *who;
	unsigned view; /* as ruleset_view() says */
	bool stream;
	const char *identity; /* of its certificate; NULL: none */
	const char *listener; /* endpoint as `listen` spells it; NULL: not known */
	bool inside; /* an answer is judged that comes from servers reached in clear within this
			network, which may tell private addresses */
	/* The last condition of a rule with lab.first or lab.chance, asked when all others hold.
	 * NULL: it holds. */
	bool (*lab)(const struct asker_facts *, const struct rule_conf *, struct span name);
};

/* The view of a client; 0: that of everybody. */
unsigned ruleset_view(const struct ruleset *, const struct who *);
const struct view_conf *ruleset_view_conf(const struct ruleset *, unsigned view);

/* What an entry is of. */
enum tier { TIER_VIEW, TIER_RULE, TIER_LOCAL, TIER_ROUTED, TIER_ALLOW, TIER_BLOCK, TIER_SPECIAL };

struct decision {
	bool decided; /* if not, nothing below counts but the act */
	enum act act; /* PASS if nothing decides */
	bool too_long; /* of an alias or a rewrite: its target would be no name, which is what
			  ANSWER says then (YXDOMAIN) */
	enum tier tier;
	const struct rule_conf *rule; /* TIER_VIEW, TIER_RULE; NULL otherwise */
	const struct rrset *sets; /* of ANSWER */
	const char *target; /* of CNAME, REWRITE by rules and lists. An alias of local data is CNAME
			       too, but where it is what is asked for: by CNAME, or, by DNAME, a
			       name that follows from it; then local.sets has the record */
	struct span target_name; /* the same on the wire, as it is to be asked, in memory of the
				    caller (name); of ANSWER, that of an alias which follows from
				    the name, and is what is asked for */
	uint8_t name[NAME_MAX_WIRE]; /* room for that */
	struct local_found local; /* TIER_LOCAL */
	const struct list_conf *list; /* TIER_ALLOW, TIER_BLOCK */
	const struct special *special; /* TIER_SPECIAL */
	struct span zone; /* what negations are of: what the pattern fixes */
	uint32_t ttl_s;
	enum ede ede;
	const char *ede_text;
	struct lab_conf lab;
	struct rules_place place; /* where that is written; file NULL: built in */
};

/* Is told of every entry that was on the way, and why it did not decide. */
struct trace {
	void (*tried)(struct trace *, enum tier, const struct rules_place *, const char *pattern,
		const char *why_not); /* NULL: it holds */
};

/* Decides on a name (uncompressed, in lower case) and type. trace may be NULL. Nothing is changed
 * by it. The decision borrows from the set. */
void ruleset_decide(const struct ruleset *, struct span name, uint16_t type,
	const struct asker_facts *, struct decision *, struct trace *);

/* Packs what a decision says (ANSWER, NODATA, NXDOMAIN, local data, special names, blocks) into
 * memory of PACKED_MAX octets, as pack.h says. self: the address that was asked, for @self; may be
 * NULL. */
void ruleset_answer(const struct ruleset *, const struct decision *, const struct question *,
	const struct addr *self, struct packed *, void *memory);

/* ---- answers of servers ---- */

/* What a view might object to in an answer, as bits of packed.holds. 0: nothing. */
unsigned ruleset_objects_to(const struct ruleset *, unsigned view);
/* May this answer be told? True, or the decision says what is told instead. */
bool ruleset_judge(const struct ruleset *, const struct packed *, const struct asker_facts *,
	struct decision *, struct trace *);

/* How its files stand: a number that differs when one was changed, made or removed. Looks at the
 * files. */
uint64_t ruleset_files(const struct rules_conf *);

struct ruleset_count {
	size_t rules, names, list_entries, memory; /* octets */
};
void ruleset_count(const struct ruleset *, struct ruleset_count *);

#endif
