#include "ask/check.h"

#include "dns/message.h"

enum check check_reply(const struct ask_plan *plan, const struct ask_message *sent,
	const struct ask_question *question, struct span m, char why[CHECK_WHY])
{
	struct reply reply;

	(void)plan, (void)question;
	*why = 0;
	if (!reply_parse(m, &reply))
		return CHECK_MALFORMED;
	return reply.id == sent->id ? CHECK_GOOD : CHECK_OTHER;
}
