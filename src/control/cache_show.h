/* cache_show: what `sotto cache` is answered, for people. As of struct asker. */
#ifndef CONTROL_CACHE_SHOW_H
#define CONTROL_CACHE_SHOW_H

#include <jansson.h>
#include <stdio.h>

void cache_show_stats(const json_t *, FILE *);
/* Records in presentation form; those that cannot be read as what they are, as unknown ones
 * (RFC 3597 §5). */
void cache_show_lookup(const json_t *, FILE *);
void cache_show_flush(const json_t *, FILE *);

#endif
