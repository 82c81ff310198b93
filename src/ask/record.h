/* record: a resource record as text: ldns's, or that of RFC 3597 where ldns does not know it. */
#ifndef ASK_RECORD_H
#define ASK_RECORD_H

#include "ask/plan.h"
#include "base/span.h"
#include "dns/record.h"

#include <stdio.h>

/* Reads the record at *at and moves *at behind it. False: it is broken. */
bool record_read(struct span message, size_t *at, struct record *);

/* Writes it as OWNER TTL CLASS TYPE DATA, with tabs between; nothing in it can move a terminal's
 * cursor. */
void record_put(const struct ask_show *, struct span message, const struct record *, FILE *);
/* Only the data. */
void record_put_data(const struct ask_show *, struct span message, const struct record *, FILE *);

/* "IN", or "CLASS4"; of types as dns/text, and as of RFC 3597 if generic. */
void record_put_class(uint16_t class, bool generic, FILE *);
void record_put_type(uint16_t type, bool generic, FILE *);
void record_put_name(struct span message, size_t at, FILE *);

#endif
