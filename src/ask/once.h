/* once: one question, asked until there is its reply: tries, TC, warnings, the end of patience. */
#ifndef ASK_ONCE_H
#define ASK_ONCE_H

#include "ask/means.h"
#include "ask/message.h"
#include "ask/show.h"

/* A question and what came of it. Large: not for the stack. */
struct once {
	struct ask_message sent;
	struct ask_reply reply; /* its message is in octets, and may be shorter by a TSIG record */
	uint8_t octets[65535];
	struct addr from;
	struct tls_facts tls; /* copied: texts of it are constants or in words */
	char words[3][64];
	struct fault doubt;
	char remark[256], tsig[128];
};

/* Runs the loop until it is known: 0, and the reply is there; or an ask_status: why has been
 * written to standard error, as have been warnings. A CHECK_MALFORMED reply is status
 * ASK_MALFORMED, and there all the same, for +hex. */
int once_ask(struct means *, const struct ask_question *, struct once *);

#endif
