#include "ask/padding.h"

#include "case.h"
#include "dns/message.h"

#include <string.h>

#define HEAD (DNS_HEADER + 11) /* with the head of an OPT record */

/* A reply of that size without a question; padded: its OPT has one option, that fills it. */
static struct span reply_of(uint8_t *m, size_t size, bool padded)
{
	size_t rdata = size - HEAD;

	memset(m, 0, size);
	m[2] = 0x80;
	m[11] = 1;
	m[DNS_HEADER + 2] = 41;
	m[DNS_HEADER + 3] = 4;
	m[HEAD - 2] = (uint8_t)(rdata >> 8);
	m[HEAD - 1] = (uint8_t)rdata;
	m[HEAD + 1] = padded ? 12 : 10;
	m[HEAD + 2] = (uint8_t)((rdata - 4) >> 8);
	m[HEAD + 3] = (uint8_t)(rdata - 4);
	return (struct span){ m, size };
}

static struct padding of(size_t size, bool padded)
{
	uint8_t m[2048];
	struct padding p;

	padding_read(reply_of(m, size, padded), &p);
	return p;
}

CASE(padding_is_measured)
{
	struct padding p = of(468, true);

	OK(p.present);
	EQ(p.octets, 468 - HEAD - 4);
	EQ(p.size, 468);
}

CASE(the_block_of_servers_is_known_and_that_of_clients)
{
	EQ(of(468, true).block, 468);
	EQ(of(936, true).block, 468);
	EQ(of(256, true).block, 128);
	EQ(of(469, true).block, 0);
}

CASE(other_options_are_no_padding)
{
	OK(!of(468, false).present);
}

CASE(what_is_no_reply_is_not_padded)
{
	uint8_t m[468];
	struct padding p;
	struct span whole = reply_of(m, sizeof m, true);

	padding_read((struct span){ whole.at, whole.len - 1 }, &p);
	OK(!p.present);
	padding_read((struct span){ whole.at, 0 }, &p);
	OK(!p.present);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(padding_is_measured),
		CLAIM(the_block_of_servers_is_known_and_that_of_clients),
		CLAIM(other_options_are_no_padding),
		CLAIM(what_is_no_reply_is_not_padded),
	};

	return RUN(cases);
}
