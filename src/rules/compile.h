/* compile: a ruleset built of what the configuration says, and of the files that it names. */
#ifndef RULES_COMPILE_H
#define RULES_COMPILE_H

#include "rules/set.h"

/* Fills a set that has its conf and nothing else; what is in it afterwards is the caller's to free.
 * False: the fault says why. */
bool compile(struct ruleset *, struct ruleset_fault *);

#endif
