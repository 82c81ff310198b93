#include "ask/once.h"

int once_ask(struct means *m, const struct ask_question *q, struct once *o)
{
	(void)m, (void)q, (void)o;
	return ASK_HOST;
}
