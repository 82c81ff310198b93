/* explain_show: what `explain` has told, for people. */
#ifndef CONTROL_EXPLAIN_SHOW_H
#define CONTROL_EXPLAIN_SHOW_H

#include <jansson.h>
#include <stdio.h>

void explain_show(const json_t *, FILE *);

#endif
