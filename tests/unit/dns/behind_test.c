#include "dns/behind.h"

#include <stdio.h>
#include <string.h>

#include "case.h"

static struct behind b;

#define READS(options)   OK(behind_read(&b, SPAN(options)))
#define REFUSES(options) OK(!behind_read(&b, SPAN(options)))

/* The octets of options: a subnet's code, and MAC addresses in the three forms of dnsmasq. */
#define SUBNET "\0\x08"
#define MAC    "\xfd\xe9\0\6\0\x11\x22\xaa\xbb\xcc"
#define TEXT                                                                                       \
	"\xfe\x31\0\x11"                                                                           \
	"00:11:22:AA:bb:cc"
#define BASE64                                                                                     \
	"\xfe\x31\0\x08"                                                                           \
	"ABEiqrvM"
#define OTHER "\xfd\xe9\0\6\0\x11\x22\xaa\xbb\xcd"
#define CPE                                                                                        \
	"\xfe\x32\0\x03"                                                                           \
	"den"

/* The subnet as text; "" if none is told. */
static const char *subnet(void)
{
	static char text[80];

	text[0] = '\0';
	for (unsigned i = 0; i < b.address_len; i++)
		sprintf(text + strlen(text), "%02x", b.address[i]);
	if (b.address_len)
		sprintf(text + strlen(text), "/%u", b.bits);
	return text;
}

CASE(nothing_is_said_where_there_is_no_such_option)
{
	READS("");
	READS("\0\x0c\0\2\0\0"
	      "\xff\xfe\0\3abc");
	OK(!b.has_subnet && !*b.mac && !*b.cpe_id);
}

CASE(a_subnet_has_the_octets_that_its_prefix_needs)
{
	READS(SUBNET "\0\7\0\1\x18\0\12\1\2");
	STR(subnet(), "0a010200/24");
	READS(SUBNET "\0\6\0\1\xc\0\12\x10");
	STR(subnet(), "0a100000/12");
	READS(SUBNET "\0\x8\0\1\x20\0\12\1\2\3");
	STR(subnet(), "0a010203/32");
	READS(SUBNET "\0\5\0\2\x8\0\xfd");
	STR(subnet(), "fd000000000000000000000000000000/8");
}

CASE(a_prefix_of_no_bits_says_no_address)
{
	READS(SUBNET "\0\4\0\1\0\0");
	OK(b.has_subnet);
	STR(subnet(), "");
	READS(SUBNET "\0\4\0\2\0\0");
	STR(subnet(), "");
	READS(SUBNET "\0\4\0\0\0\0");
	STR(subnet(), "");
}

CASE(a_malformed_subnet_is_refused)
{
	REFUSES(SUBNET "\0\0");
	REFUSES(SUBNET "\0\3\0\1\0");
	REFUSES(SUBNET "\0\7\0\1\x18\x18\12\1\2"); /* a scope in a query */
	REFUSES(SUBNET "\0\7\0\3\x18\0\12\1\2"); /* an unknown family */
	REFUSES(SUBNET "\0\5\0\0\x8\0\12"); /* no family */
	REFUSES(SUBNET "\0\6\0\1\x18\0\12\1"); /* too short */
	REFUSES(SUBNET "\0\x8\0\1\x18\0\12\1\2\0"); /* too long */
	REFUSES(SUBNET "\0\5\0\1\0\0\12");
	REFUSES(SUBNET "\0\7\0\1\x17\0\12\1\1"); /* a bit beyond */
	REFUSES(SUBNET "\0\x9\0\1\x21\0\12\1\2\3\0"); /* more bits than there are */
}

CASE(a_mac_address_comes_in_three_forms)
{
	READS(MAC);
	STR(b.mac, "00:11:22:aa:bb:cc");
	READS(TEXT);
	STR(b.mac, "00:11:22:aa:bb:cc");
	READS(BASE64);
	STR(b.mac, "00:11:22:aa:bb:cc");
	READS(MAC BASE64 TEXT);
	STR(b.mac, "00:11:22:aa:bb:cc");
}

CASE(what_is_no_mac_address_is_nothing)
{
	READS("\xfd\xe9\0\0"
	      "\xfd\xe9\0\5\1\2\3\4\5"
	      "\xfd\xe9\0\7\1\2\3\4\5\6\7");
	STR(b.mac, "");
	READS("\xfe\x31\0\0"
	      "\xfe\x31\0\x08"
	      "ABEiqr=M"
	      "\xfe\x31\0\x11"
	      "00:11:22:AA:bb:cg");
	STR(b.mac, "");
	READS("\xfe\x31\0\x11"
	      "00.11.22.AA.bb.cc"
	      "\xfe\x31\0\x08"
	      "ABEiqr\0M");
	STR(b.mac, "");
}

CASE(a_cpe_is_a_text)
{
	char longest[4 + BEHIND_CPE] = "\xfe\x32\0";

	READS(CPE);
	STR(b.cpe_id, "den");
	READS("\xfe\x32\0\0"
	      "\xfe\x32\0\3"
	      "d\0n");
	STR(b.cpe_id, "");
	memset(longest + 4, 'x', BEHIND_CPE);
	longest[3] = BEHIND_CPE - 1;
	OK(behind_read(&b, (struct span){ (uint8_t *)longest, 4 + BEHIND_CPE - 1 }));
	EQ(strlen(b.cpe_id), BEHIND_CPE - 1);
	longest[3] = BEHIND_CPE;
	OK(behind_read(&b, (struct span){ (uint8_t *)longest, 4 + BEHIND_CPE }));
	STR(b.cpe_id, "");
}

CASE(what_is_said_twice_must_be_the_same)
{
	READS(SUBNET "\0\5\0\1\x8\0\12" CPE MAC SUBNET "\0\5\0\1\x8\0\12" CPE MAC);
	REFUSES(MAC OTHER);
	REFUSES(BASE64 OTHER);
	REFUSES(CPE "\xfe\x32\0\1"
		    "x");
	REFUSES(SUBNET "\0\5\0\1\x8\0\12" SUBNET "\0\5\0\1\x8\0\13");
	REFUSES(SUBNET "\0\5\0\1\x8\0\12" SUBNET "\0\6\0\1\x9\0\12\0");
	REFUSES(SUBNET "\0\4\0\1\0\0" SUBNET "\0\5\0\1\x8\0\12");
	REFUSES(SUBNET "\0\5\0\1\x8\0\12" SUBNET "\0\4\0\1\0\0");
}

CASE(a_mac_address_is_written_in_one_way)
{
	char mac[BEHIND_MAC];

	OK(behind_read_mac(mac, SPAN("00-11-22-AA-BB-cc")));
	STR(mac, "00:11:22:aa:bb:cc");
	OK(!behind_read_mac(mac, SPAN("")));
	OK(!behind_read_mac(mac, SPAN("00:11:22:aa:bb")));
	OK(!behind_read_mac(mac, SPAN("00:11:22:aa:bb:cc:dd")));
	OK(!behind_read_mac(mac, SPAN("0:111:22:aa:bb:cc")));
}

CASE(what_is_written_is_read_as_the_same)
{
	uint8_t out[BEHIND_OPTIONS];
	struct behind said;

	READS(SUBNET "\0\6\0\1\xc\0\12\x10" MAC CPE);
	said = b;
	OK(behind_read(&b, (struct span){ out, behind_write(out, &said) }));
	OK(memcmp(&b, &said, sizeof b) == 0);
	READS(SUBNET "\0\5\0\2\x8\0\xfd");
	said = b;
	OK(behind_read(&b, (struct span){ out, behind_write(out, &said) }));
	OK(memcmp(&b, &said, sizeof b) == 0);
	said = (struct behind){ .has_subnet = false };
	EQ(behind_write(out, &said), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(nothing_is_said_where_there_is_no_such_option),
		CLAIM(a_subnet_has_the_octets_that_its_prefix_needs),
		CLAIM(a_prefix_of_no_bits_says_no_address),
		CLAIM(a_malformed_subnet_is_refused),
		CLAIM(a_mac_address_comes_in_three_forms),
		CLAIM(what_is_no_mac_address_is_nothing),
		CLAIM(a_cpe_is_a_text),
		CLAIM(what_is_said_twice_must_be_the_same),
		CLAIM(a_mac_address_is_written_in_one_way),
		CLAIM(what_is_written_is_read_as_the_same),
	};

	return RUN(cases);
}
