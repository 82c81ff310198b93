/* tsig: signed messages (RFC 8945), over their octets. */
#ifndef ASK_TSIG_H
#define ASK_TSIG_H

#include "ask/plan.h"
#include "base/span.h"

#define TSIG_MAC_MAX 64
#define TSIG_WHY     120

/* What ties the messages of one exchange together. */
struct tsig {
	const struct ask_key *key; /* borrowed */
	uint8_t mac[TSIG_MAC_MAX]; /* of the message before */
	size_t mac_len;
	unsigned unsigned_count; /* messages since the last signed one (RFC 8945 §5.3.1) */
	void *digest; /* of these */
};

/* Is there such an algorithm? */
bool tsig_knows(const char *algorithm);

void tsig_init(struct tsig *, const struct ask_key *);
void tsig_clear(struct tsig *);
/* Appends the record to a message of len octets in memory of cap; the new length, 0: no room. */
size_t tsig_sign(struct tsig *, uint8_t *message, size_t len, size_t cap, uint64_t now_s);

enum tsig_verdict { TSIG_GOOD, TSIG_UNSIGNED, TSIG_BAD };
/* Judges the next message of the reply; *len becomes that without the record. BAD: why. */
enum tsig_verdict tsig_verify(
	struct tsig *, uint8_t *message, size_t *len, uint64_t now_s, char why[TSIG_WHY]);

#endif
