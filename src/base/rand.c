#include "base/rand.h"

#include "base/bug.h"

#include <string.h>
#include <sys/random.h>

/* getrandom() below 256 octets is never interrupted once the generator is seeded; larger requests
 * may come back short. */
static void refill(struct rand *r)
{
	size_t have = 0;

	while (have < sizeof r->bytes) {
		ssize_t n = getrandom(r->bytes + have, sizeof r->bytes - have, 0);

		if (n > 0)
			have += (size_t)n;
	}
	r->left = sizeof r->bytes;
}

uint16_t rand_u16(struct rand *r)
{
	uint16_t v;

	if (r->left < sizeof v)
		refill(r);
	r->left -= sizeof v;
	memcpy(&v, r->bytes + r->left, sizeof v);
	memset(r->bytes + r->left, 0, sizeof v);
	return v;
}

uint32_t rand_below(struct rand *r, uint32_t below)
{
	MUST(below > 0);
	/* Values under this would make the first remainders likelier. */
	uint32_t too_small = -below % below;
	uint32_t v;

	do {
		v = (uint32_t)rand_u16(r) << 16 | rand_u16(r);
	} while (v < too_small);
	return v % below;
}
