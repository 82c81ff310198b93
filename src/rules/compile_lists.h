/* compile_lists: what lists name, filed as it is read. */
#ifndef RULES_COMPILE_LISTS_H
#define RULES_COMPILE_LISTS_H

#include "rules/filing.h"

bool compile_lists(struct filing *);

#endif
