/* tsig: signed messages (RFC 8945), over their octets.
 *
 * A MAC is over the message as it was sent and the MAC of the message before it, so one struct tsig
 * goes through an exchange: it signs the question, and judges every message of the reply in order.
 */
#ifndef ASK_TSIG_H
#define ASK_TSIG_H

#include "ask/plan.h"
#include "ask/why.h"
#include "base/span.h"

#define TSIG_MAC_MAX 64
/* The seconds by which two clocks may differ (RFC 8945 §10). */
#define TSIG_FUDGE 300
/* Messages that may come between two signed ones (RFC 8945 §5.3.1). */
#define TSIG_UNSIGNED_MAX 99

/* What ties the messages of one exchange together. */
struct tsig {
	const struct ask_key *key; /* borrowed */
	uint8_t mac[TSIG_MAC_MAX]; /* of the message before: first, of the question */
	size_t mac_len;
	bool is_later; /* a message of the reply was good */
	bool failed; /* one was not: nothing behind it can be judged */
	unsigned unsigned_count; /* messages since the last signed one (RFC 8945 §5.3.1) */
	struct evp_mac_ctx_st *digest; /* of these */
};

/* Is there such an algorithm? "hmac-sha256" and its kin, in any case. */
bool tsig_knows(const char *algorithm);

/* The key is borrowed; its algorithm is one that tsig_knows(). */
void tsig_init(struct tsig *, const struct ask_key *);
void tsig_clear(struct tsig *);
/* Appends the record to a message of len octets in memory of cap; the new length, 0: no room, or no
 * memory. */
size_t tsig_sign(struct tsig *, uint8_t *message, size_t len, size_t cap, uint64_t now_s);

enum tsig_verdict {
	TSIG_BAD,
	TSIG_GOOD, /* it is the server's, as are those without a signature before it */
	TSIG_UNSIGNED /* nothing is known of it before the next signed one; the last has to be */
};
/* Judges the next message of the reply. GOOD: *len becomes that without the record, which the
 * header counts no more; else the message stays as it is. BAD: why. */
enum tsig_verdict tsig_verify(
	struct tsig *, uint8_t *message, size_t *len, uint64_t now_s, char why[WHY_MAX]);

#endif
