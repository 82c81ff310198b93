/* show: what came, for people (in pydig's order of lines) and for programs. */
#ifndef ASK_SHOW_H
#define ASK_SHOW_H

#include "ask/agreed.h"
#include "ask/message.h"

#include <stdio.h>

/* One reply and how it came. */
struct ask_reply {
	const struct ask_question *question;
	const struct ask_message *sent;
	struct span message;
	enum scheme over;
	const struct addr *from;
	uint64_t took_us;
	unsigned tries;
	const struct agreed *tls; /* NULL: none */
	const char *tsig; /* "ok", a reason; NULL: none was asked for */
	const char *remark; /* NULL: none */
};

void show_reply(const struct ask_plan *, const struct ask_reply *, FILE *out);
/* The same as one JSON object (docs/query.md). */
void json_reply(const struct ask_plan *, const struct ask_reply *, FILE *out);

/* One record at *at of a message, on one line, as +generic and so on say; false: it is broken. */
bool show_record(const struct ask_plan *, struct span message, size_t *at, FILE *out);

#endif
