/* once: one question, asked until there is its reply: tries, TC, warnings, the end of patience. */
#ifndef ASK_ONCE_H
#define ASK_ONCE_H

#include "ask/check.h"
#include "ask/means.h"
#include "ask/message.h"
#include "ask/show.h"

/* A question and what came of it. Large: not for the stack. */
struct once {
	struct ask_message sent;
	struct ask_reply reply; /* its message is in octets, and may be shorter by a TSIG record */
	uint8_t octets[65535];
	struct addr from;
	struct agreed tls;
	char remark[WHY_MAX], tsig[WHY_MAX];
};

/* Runs the loop until it is known: 0, and the reply is there; or an ask_status: why has been
 * written to standard error, as have been warnings. A CHECK_MALFORMED reply is status
 * ASK_MALFORMED, and there all the same, for +hex. */
int once_ask(struct means *, const struct ask_question *, struct once *);

/* For who has asked it himself, and has filled in `sent`, `from`, `remark`, and of the reply what
 * does not follow from these: keeps a message that is judged to be the reply, and verifies its
 * TSIG. 0, ASK_MALFORMED or ASK_TSIG. */
int once_take(struct once *, const struct ask_plan *, struct span message, enum check verdict);

#endif
