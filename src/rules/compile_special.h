/* compile_special: names that no server outside is asked for, and what they have. */
#ifndef RULES_COMPILE_SPECIAL_H
#define RULES_COMPILE_SPECIAL_H

#include "rules/filing.h"

bool compile_special(struct filing *);

#endif
