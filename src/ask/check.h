/* check: what is wrong with a message that came, in words, and where. */
#ifndef ASK_CHECK_H
#define ASK_CHECK_H

#include "ask/message.h"
#include "ask/why.h"
#include "base/span.h"

enum check {
	CHECK_GOOD, /* the reply to the message */
	CHECK_ODD, /* the reply, but why says what is remarkable (question spelled otherwise, AD
		      without asking ...) */
	CHECK_OTHER, /* no reply to this message: another ID or question; waiting goes on */
	CHECK_MALFORMED /* no DNS message, or broken at an offset */
};

enum check check_reply(const struct ask_plan *, const struct ask_message *sent,
	const struct ask_question *, struct span reply, char why[WHY_MAX]);

#endif
