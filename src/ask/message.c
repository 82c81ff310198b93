#include "ask/message.h"

bool message_make(
	struct ask_message *m, const struct ask_plan *p, const struct ask_question *q, uint16_t id)
{
	(void)m, (void)p, (void)q, (void)id;
	return false;
}
