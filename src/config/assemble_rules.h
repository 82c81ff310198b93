/* assemble_rules: rules, lists and views that were written become what rules/ takes. */
#ifndef CONFIG_ASSEMBLE_RULES_H
#define CONFIG_ASSEMBLE_RULES_H

#include "config/config.h"

/* Fills in config->rules, when groups and zones are assembled. Tells what does not fit together. */
void assemble_rules(struct config *, struct problems *);

#endif
