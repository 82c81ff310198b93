/* transfer: a zone that comes in many messages: AXFR (RFC 5936) and IXFR (RFC 1995).
 *
 * It is fed messages and says when the zone is whole. Records are handed out as they come and
 * nothing of them is kept, so a transfer of any size takes the memory of one message. A zone is
 * only as good as its end: what was handed out before BAD is not to be believed.
 */
#ifndef ASK_TRANSFER_H
#define ASK_TRANSFER_H

#include "ask/tsig.h"
#include "dns/record.h"

/* Messages without a record of the answer section that one transfer may have. */
#define TRANSFER_EMPTY_MAX 16

enum transfer_form {
	TRANSFER_UNKNOWN, /* the first two records decide */
	TRANSFER_WHOLE, /* AXFR, also in reply to IXFR (RFC 1995 §4) */
	TRANSFER_CHANGES, /* IXFR: what was deleted, what was added */
	TRANSFER_CURRENT /* IXFR: there is nothing newer */
};

enum transfer_verdict { TRANSFER_BAD, TRANSFER_MORE, TRANSFER_DONE };

struct transfer {
	/* To be set; borrowed. */
	const struct ask_question *question;
	uint16_t id;
	struct tsig *tsig; /* that signed the question; NULL: none */
	/* Called for each record of the answer section; NULL: nobody is told. */
	void (*on_record)(void *arg, struct span message, const struct record *);
	void *arg;

	/* What came. */
	enum transfer_form form;
	uint16_t rcode; /* of the last message */
	uint32_t serial; /* of the zone, from the first SOA */
	uint64_t records, octets;
	unsigned long messages, empty;
	size_t size_min, size_max;
	unsigned long signed_good, signed_bad, unsigned_count;

	/* Where in the zone we are. */
	enum { AT_START, AT_SECOND, IN_ZONE, IN_DELETED, IN_ADDED, AT_END, IN_ERROR } at;
	uint32_t reached; /* by the changes so far */
};

/* Takes the next message, whose octets may change. After DONE or BAD nothing more may come. BAD:
 * why. */
enum transfer_verdict transfer_take(
	struct transfer *, uint8_t *message, size_t len, uint64_t now_s, char why[WHY_MAX]);

/* Why a transfer that has not ended is not whole, if no more comes. */
const char *transfer_lacks(const struct transfer *);

#endif
