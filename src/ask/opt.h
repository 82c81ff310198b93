/* opt: the OPT record of a reply, in words. */
#ifndef ASK_OPT_H
#define ASK_OPT_H

#include "base/span.h"
#include "dns/record.h"

#include <stdio.h>

/* The record's flags and options, a line each; rcode: all bits of it. */
void opt_put(struct span message, const struct record *, uint16_t rcode, FILE *);
/* "Stale Answer"; NULL: nobody has given the code a name. */
const char *opt_error(uint16_t code);
/* "NSID"; NULL: likewise. */
const char *opt_name(uint16_t code);

#endif
