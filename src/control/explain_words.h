/* explain_words: what the words behind `explain` mean, for the daemon and for who asks it. */
#ifndef CONTROL_EXPLAIN_WORDS_H
#define CONTROL_EXPLAIN_WORDS_H

#include "control/words.h"
#include "dns/behind.h"
#include "dns/name.h"
#include "net/addr.h"

#include <stdint.h>

struct explain_words {
	size_t name_len;
	uint8_t name[NAME_MAX_WIRE]; /* as it was spelled */
	uint16_t type;
	bool has_client;
	struct addr client; /* without a port */
	const char *listener, *identity; /* of the words; NULL: none was named */
	struct behind behind; /* for whom it asks, as it says */
};

/* NAME [TYPE] [--client ADDRESS] [--at ENDPOINT] [--identity NAME] [--subnet PREFIX] [--mac MAC]
 * [--cpe-id TEXT], in any order. NULL, or why they mean nothing: a constant. */
const char *explain_words_read(struct explain_words *, const struct words *);

#endif
