#include "ask/patience.h"

#define FIRST_TRY_MS   500u
#define CONNECTION_MS  5000u
#define DOUBLINGS_MOST 7 /* up to a minute */

static unsigned left_of(unsigned whole_ms, uint64_t passed_ms)
{
	return passed_ms < whole_ms ? whole_ms - (unsigned)passed_ms : 0;
}

unsigned patience_open_ms(const struct ask_plan *p, enum scheme scheme, uint64_t passed_ms)
{
	bool leaves_half = scheme == SCHEME_TLS && p->tls_fallback;

	if (!p->time_ms)
		return CONNECTION_MS;
	return left_of(leaves_half ? (p->time_ms + 1) / 2 : p->time_ms, passed_ms);
}

unsigned patience_reply_ms(
	const struct ask_plan *p, enum scheme scheme, unsigned which, uint64_t passed_ms)
{
	unsigned doublings = which < DOUBLINGS_MOST ? which - 1 : DOUBLINGS_MOST;
	unsigned step = scheme == SCHEME_UDP ? FIRST_TRY_MS << doublings : CONNECTION_MS;
	unsigned left = left_of(p->time_ms, passed_ms);

	if (!p->time_ms)
		return step;
	return scheme == SCHEME_UDP && which < p->tries && step < left ? step : left;
}
