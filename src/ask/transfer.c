#include "ask/transfer.h"

enum transfer_verdict transfer_take(
	struct transfer *t, uint8_t *message, size_t len, uint64_t now_s, char why[TRANSFER_WHY])
{
	(void)t, (void)message, (void)len, (void)now_s;
	*why = 0;
	return TRANSFER_BAD;
}

const char *transfer_lacks(const struct transfer *t)
{
	(void)t;
	return "all of it";
}
