/* walk: the names of a zone, from NSEC record to NSEC record (RFC 4034 §4.1).
 *
 * It says what to ask next, and is fed the replies; who drives it leaves time between two
 * questions. Names must come in the order of the zone (RFC 4034 §6.1), so no server can lead it in
 * a circle.
 *
 * At a zone cut a server refers, or answers from the zone below. So the first name behind all that
 * can be below the cut is asked for: the NSEC of the cut proves that there is none such (RFC 4035
 * §3.1.3.2). It comes only to who sets DO.
 */
#ifndef ASK_WALK_H
#define ASK_WALK_H

#include "ask/plan.h"
#include "ask/why.h"
#include "base/span.h"
#include "dns/record.h"

/* A zone of more names is not walked to its end. */
#define WALK_NAMES_MAX 1000000

enum walk_verdict {
	WALK_BAD,
	WALK_MORE,
	WALK_AGAIN, /* no record came yet; there is another question for it */
	WALK_DONE
};

struct walk {
	struct ask_question question; /* to be asked next */
	uint8_t name[NAME_MAX_WIRE]; /* whose NSEC is wanted; that of the question, or ... */
	size_t name_len;
	bool is_behind; /* ... a cut, and the question is for a name behind it */
	unsigned names;
};

/* Starts at a name; that of the zone, for all of it. */
void walk_init(struct walk *, const uint8_t *name, size_t name_len);

/* Takes the reply to the question, which must have passed reply_parse() and be of that question.
 * MORE, DONE: *nsec becomes the record of it. BAD: why. */
enum walk_verdict walk_take(
	struct walk *, struct span reply, struct record *nsec, char why[WHY_MAX]);

#endif
