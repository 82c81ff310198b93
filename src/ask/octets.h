/* octets: as people write them. */
#ifndef ASK_OCTETS_H
#define ASK_OCTETS_H

#include "base/span.h"
#include "config/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Reads hexadecimal digits, two for each octet, into memory. */
bool octets_from_hex(struct memory *, const char *text, uint8_t **out, size_t *len);
/* Writes them so. */
void octets_put_hex(FILE *, struct span);
/* Writes what came from somewhere as text: what could move a terminal's cursor is \DDD. */
void octets_put_text(FILE *, struct span);

#endif
