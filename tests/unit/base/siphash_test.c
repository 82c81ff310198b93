#include "base/siphash.h"

#include "case.h"

/* SipHash-1-3 of 00 01 02 ... with the key 00 01 ... 0f, computed by an implementation that
 * gives the published values of SipHash-2-4. */
CASE(it_is_siphash_1_3)
{
	const struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	uint8_t bytes[16];

	for (uint8_t i = 0; i < sizeof bytes; i++)
		bytes[i] = i;
	OK(siphash(&key, bytes, 0) == 0xabac0158050fc4dc);
	OK(siphash(&key, bytes, 1) == 0xc9f49bf37d57ca93);
	OK(siphash(&key, bytes, 8) == 0x369095118d299a8e);
	OK(siphash(&key, bytes, 15) == 0xd320d86d2a519956);
}

CASE(it_depends_on_the_key_and_on_every_octet)
{
	const struct siphash_key a = { { 1, 2 } }, b = { { 1, 3 } };
	uint8_t bytes[20] = { 0 };
	uint64_t before = siphash(&a, bytes, sizeof bytes);

	OK(before != siphash(&b, bytes, sizeof bytes));
	OK(before != siphash(&a, bytes, sizeof bytes - 1));
	for (unsigned i = 0; i < sizeof bytes; i++) {
		bytes[i] = 1;
		OK(before != siphash(&a, bytes, sizeof bytes));
		bytes[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(it_is_siphash_1_3),
		CLAIM(it_depends_on_the_key_and_on_every_octet),
	};

	return RUN(cases);
}
