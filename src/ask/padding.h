/* padding: does a reply hide its size (RFC 7830), and behind which block (RFC 8467 §4.1)? */
#ifndef ASK_PADDING_H
#define ASK_PADDING_H

#include "base/span.h"

#include <stdbool.h>
#include <stdio.h>

/* What servers are to pad to. */
#define PADDING_BLOCK 468u

struct padding {
	bool present;
	size_t octets; /* of the option */
	size_t size; /* of the message */
	unsigned block; /* that the size is a multiple of: PADDING_BLOCK, else 128; 0: neither */
};

/* Of a message that passes reply_parse(); of another, none is present. */
void padding_read(struct span message, struct padding *);
/* In words, as one line. */
void padding_put(const struct padding *, FILE *);

#endif
