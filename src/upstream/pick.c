#include "upstream/pick.h"

static bool is_usable(const struct candidate *c, uint64_t now_ms)
{
	return c->connected || now_ms >= c->retry_at_ms;
}

static bool may_be_probed(const struct candidate *c, uint64_t now_ms)
{
	return !c->dialled_ms || now_ms - c->dialled_ms >= PICK_PROBE_MS;
}

int pick_next(const struct candidate *c, size_t count, unsigned sends_max, uint64_t now_ms)
{
	int usable = -1, probe = -1;

	for (size_t i = 0; i < count; i++) {
		if (c[i].sends >= sends_max)
			continue;
		if (is_usable(&c[i], now_ms)) {
			if (usable < 0 || c[i].sends < c[usable].sends)
				usable = (int)i;
		} else if (may_be_probed(&c[i], now_ms)) {
			if (probe < 0 || c[i].dialled_ms < c[probe].dialled_ms)
				probe = (int)i;
		}
	}
	return usable >= 0 ? usable : probe;
}
