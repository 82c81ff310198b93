#include "rules/prefixes.h"

#include <string.h>

#include "case.h"

#define NETWORKS 2000

static struct prefix networks[NETWORKS];
static uint64_t chance = 88172645463325252u;

static unsigned below(unsigned n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)(chance >> 33) % n;
}

/* Few octets differ, so that networks are within others. */
static struct addr an_address(void)
{
	uint8_t octets[16] = { 0x20, 1 };
	bool v4 = below(2);
	struct addr a;

	for (unsigned i = 2; i < 16; i++)
		octets[i] = (uint8_t)(below(4) ? 0 : below(256));
	OK(addr_from_octets(&a, octets, v4 ? 4 : 16));
	return a;
}

static struct prefix a_network(void)
{
	struct addr a = an_address();
	struct span octets = addr_octets(&a);
	unsigned bits = below((unsigned)(8 * octets.len + 1));
	uint8_t cut[16] = { 0 };
	struct prefix p;

	for (unsigned n = 0; n < bits; n++)
		cut[n / 8] |= (uint8_t)(octets.at[n / 8] & 0x80 >> n % 8);
	OK(prefix_from_octets(&p, cut, octets.len, bits));
	return below(2) ? p : prefix_of_host(&a);
}

CASE(what_a_network_is_in_is_found_the_longest_first)
{
	struct prefixes *p = prefixes_new();
	unsigned most = 0;

	OK(p);
	for (unsigned i = 0; i < NETWORKS; i++) {
		struct addr a = an_address();

		networks[i] = (struct prefix){ a, below(a.any.sa_family == AF_INET ? 33 : 129) };
		uint32_t *number = prefixes_put(p, &networks[i]);

		OK(number);
		if (!*number)
			*number = i + 1;
	}
	for (unsigned i = 0; i < NETWORKS; i++) {
		struct prefix a = a_network();
		uint32_t numbers[PREFIXES_DEPTH];
		unsigned count = prefixes_find(p, &a, numbers), lengths = 0;
		bool is_in[129] = { false };

		for (unsigned k = 0; k < NETWORKS; k++)
			if (prefix_is_within(&a, &networks[k]))
				is_in[networks[k].bits] = true;
		for (unsigned bits = 0; bits <= 128; bits++)
			lengths += is_in[bits];
		EQ(count, lengths);
		for (unsigned k = 0; k < count; k++) {
			OK(prefix_is_within(&a, &networks[numbers[k] - 1]));
			OK(!k || networks[numbers[k] - 1].bits < networks[numbers[k - 1] - 1].bits);
		}
		most = count > most ? count : most;
	}
	OK(most > 5);
	prefixes_free(p);
}

int main(void)
{
	const struct CMUnitTest cases[] = { CLAIM(
		what_a_network_is_in_is_found_the_longest_first) };

	return RUN(cases);
}
