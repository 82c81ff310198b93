/* rules: what one rule is, as it is written. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config/parts.h"
#include "rules/rrset.h"

/* An element of `except`: a suffix, or KIND:TEXT. */
struct pattern_conf rules_exception(const char *text, struct memory *);

/* What a rule's action stands for. */
enum act rules_act(const struct written_rule *);

/* Why a name that is written like this means something else than it says: a blank is in it, or * or
 * ? where there are no patterns. NULL: it does not. What is escaped is an octet like others. */
const char *rules_stray(const char *name);

/* Can it be a pattern, or a record, of a rule? False: why says what is wrong. */
bool rules_is_pattern(const struct pattern_conf *, char why[PATTERN_WHY]);
bool rules_is_record(const char *text, char why[RRSET_WHY]);
/* Does an alias (ACT_CNAME) or ACT_REWRITE of names of such a pattern lead each to itself? */
bool rules_leads_to_itself(const struct pattern_conf *, enum act, const char *target);

/* Writes them as elements of a list, each in a line of its own behind so many blanks. */
void rules_print(const struct written_rule_list *, int indent, FILE *);

#endif
