#include "ask/report.h"

#include "ask/padding.h"
#include "dns/message.h"

/* With the upper bits of OPT; an exit status has no room for more than 63 of them. */
static int rcode_of(const struct ask_reply *r)
{
	struct reply reply;

	if (!reply_parse(r->message, &reply))
		return ASK_MALFORMED;
	return reply.rcode < ASK_USAGE ? reply.rcode : ASK_USAGE - 1;
}

static bool has_reply(int status)
{
	return !status || status == ASK_MALFORMED || status == ASK_TSIG;
}

/* In clear there is nothing that padding could hide, and no server pads (RFC 8467 §3). */
static bool lacks_padding(const struct ask_plan *p, const struct ask_reply *r)
{
	struct padding padding;

	padding_read(r->message, &padding);
	return p->edns.pad && r->over == SCHEME_TLS && !padding.present;
}

int report(const struct ask_plan *p, const struct ask_reply *r, int status)
{
	if (!has_reply(status))
		return status;
	if (p->show.json)
		json_reply(p, r, stdout);
	else
		show_reply(p, r, stdout);
	/* Whoever reads it need not wait for the rest, which may be interrupted. */
	fflush(stdout);
	if (status)
		return status;
	if (lacks_padding(p, r)) {
		fputs("sotto query: +padding: the reply over TLS is not padded\n", stderr);
		return ASK_UNMET;
	}
	return p->exit_zero ? 0 : rcode_of(r);
}
