/* filing: entries put where questions will find them, while a set is built. */
#ifndef RULES_FILING_H
#define RULES_FILING_H

#include "rules/set.h"

/* Who builds, and where what is being filed is written. */
struct filing {
	struct ruleset *set;
	struct names *into; /* names or except of the set */
	struct rules_place place;
	struct ruleset_fault *fault;
};

/* Each returns false where the fault says why. A standing lacks what the pattern, or the network,
 * fixes. `of`: see set.h. */
bool filing_put(struct filing *, const struct pattern_conf *, const struct standing *, uint32_t of);
/* The same of a kind that needs nothing but a name (on the wire, in lower case). */
bool filing_put_plain(
	struct filing *, enum pattern_kind, struct span name, const struct standing *, uint32_t of);
/* The same of names that are written nowhere that one could tell, with all below. */
bool filing_put_suffixes(
	struct filing *, const char **names, size_t count, const struct standing *, uint32_t of);
/* The same of addresses. */
bool filing_put_network(
	struct filing *, const struct prefix *, const struct standing *, uint32_t of);

/* What is done where such entries decide: with records of ours, or with a target. */
bool filing_address(struct filing *, struct rrset **, const char *text, uint32_t ttl_s);
bool filing_target(struct filing *, struct outcome *, const char *text, uint32_t ttl_s);

/* False, with a fault at the place. */
bool filing_fails(struct filing *, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool filing_lacks_memory(struct filing *);

#endif
