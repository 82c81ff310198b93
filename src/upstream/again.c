#include "upstream/again.h"

#define TTL_LEAST_S 30
#define TTL_MOST_S  86400

#define PAUSE_FIRST_MS 1000
#define PAUSE_MOST_MS  30000

void again_init(struct again *a)
{
	*a = (struct again){ .pause_ms = PAUSE_FIRST_MS };
}

void again_found(struct again *a, uint64_t now_ms, uint32_t ttl_s)
{
	uint32_t kept_s = ttl_s < TTL_LEAST_S ? TTL_LEAST_S
		: ttl_s > TTL_MOST_S          ? TTL_MOST_S
					      : ttl_s;

	a->is_known = true;
	a->expires_ms = now_ms + 1000ull * kept_s;
}

void again_wait(struct again *a, uint64_t now_ms, bool was_of_use)
{
	if (was_of_use)
		a->pause_ms = PAUSE_FIRST_MS;
	a->not_before_ms = now_ms + a->pause_ms;
	a->pause_ms = a->pause_ms < PAUSE_MOST_MS / 2 ? 2 * a->pause_ms : PAUSE_MOST_MS;
}

void again_forgive(struct again *a)
{
	a->not_before_ms = 0;
	a->pause_ms = PAUSE_FIRST_MS;
	a->expires_ms = 0;
}

bool again_is_due(const struct again *a, uint64_t now_ms)
{
	return !a->is_known || now_ms >= a->expires_ms;
}

uint64_t again_pause_ms(const struct again *a, uint64_t now_ms)
{
	return now_ms < a->not_before_ms ? a->not_before_ms - now_ms : 0;
}
