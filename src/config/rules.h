/* rules: what one rule is, as it is written. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config/parts.h"

/* An element of `except`: a suffix, or KIND:TEXT. */
struct pattern_conf rules_exception(const char *text, struct memory *);

/* What a rule's action stands for. */
enum act rules_act(const struct written_rule *);

/* Writes them as elements of a list, each in a line of its own behind so many blanks. */
void rules_print(const struct written_rule_list *, int indent, FILE *);

#endif
