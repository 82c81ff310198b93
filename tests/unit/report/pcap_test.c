#include "report/pcap.h"

#include "case.h"
#include "dns/octets.h"

#include <string.h>

static const struct timespec when = { 0x01020304, 5000 };
static uint8_t out[80000];

/* Of client and server, in text. */
static void put(const char *client, const char *server, struct span message, bool answer)
{
	struct addr c, s = { .any.sa_family = AF_UNSPEC };

	OK(addr_parse(&c, client, 0) && (!server || addr_parse(&s, server, 0)));
	const struct packet p = { &c, &s, answer, message };

	memset(out, 0xaa, sizeof out);
	OK(pcap_size(&p) < sizeof out);
	pcap_put(out, &p, &when);
	EQ(out[pcap_size(&p)], 0xaa); /* nothing is written behind it */
}

/* A sum over what a checksum protects, itself among it, comes to zero (RFC 1071 §1). */
static unsigned remainder_of(uint32_t sum, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum ^ 0xffff;
}

CASE(a_file_begins_with_its_format)
{
	pcap_put_header(out);
	MEM(out, "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\x65", PCAP_HEADER);
}

CASE(a_query_over_ipv4_is_this_octet_for_octet)
{
	put("192.0.2.7:4660", "192.0.2.53:5300", SPAN("abc"), false);
	MEM(out, "\1\2\3\4\0\0\0\5\0\0\0\x1f\0\0\0\x1f", 16);
	MEM(out + 16, "\x45\0\0\x1f\0\0\x40\0\x40\x11", 10);
	MEM(out + 28, "\xc0\0\2\7\xc0\0\2\x35", 8);
	MEM(out + 36, "\x12\x34\0\x35\0\x0b", 6);
	MEM(out + 44, "abc", 3);
}

CASE(an_answer_goes_the_other_way)
{
	put("192.0.2.7:4660", "192.0.2.53:5300", SPAN("abc"), true);
	MEM(out + 28, "\xc0\0\2\x35\xc0\0\2\7\0\x35\x12\x34", 12);
}

CASE(checksums_are_right_whatever_the_length)
{
	static uint8_t octets[3000];

	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(i * i + 251);
	for (size_t len = 0; len < sizeof octets; len += 97) {
		struct span message = { octets, len };

		put("192.0.2.7:4660", "192.0.2.53", message, len % 2);
		EQ(remainder_of(0, out + 16, 20), 0);
		EQ(remainder_of((uint32_t)(17 + 8 + len), out + 28, 8 + 8 + len), 0);
		put("[2001:db8::7]:4660", "2001:db8::35", message, len % 2);
		EQ(remainder_of((uint32_t)(17 + 8 + len), out + 24, 32 + 8 + len), 0);
	}
}

/* The message is such that its sum would be zero, which stands for none. */
CASE(a_checksum_of_zero_is_all_ones)
{
	uint8_t message[2] = { 0 };

	put("192.0.2.7:4660", "192.0.2.53", (struct span){ message, 2 }, false);
	put_u16(message, get_u16(out + 42));
	put("192.0.2.7:4660", "192.0.2.53", (struct span){ message, 2 }, false);
	EQ(get_u16(out + 42), 0xffff);
}

CASE(ipv6_has_a_header_of_its_own)
{
	put("[2001:db8::7]:4660", "2001:db8::35", SPAN("abc"), false);
	EQ(get_u32(out + 8), 40 + 8 + 3);
	MEM(out + 16, "\x60\0\0\0\0\x0b\x11\x40\x20\1\x0d\xb8", 12);
	EQ(out[16 + 23], 7);
	EQ(out[16 + 39], 0x35);
	MEM(out + 56, "\x12\x34\0\x35\0\x0b", 6);
}

CASE(an_ipv4_mapped_client_is_one_of_ipv4)
{
	put("[::ffff:192.0.2.7]:4660", "::ffff:192.0.2.53", SPAN("abc"), false);
	MEM(out + 28, "\xc0\0\2\7\xc0\0\2\x35", 8);
}

CASE(an_address_of_ours_that_is_not_known_is_zeros)
{
	put("192.0.2.7:4660", NULL, SPAN("abc"), false);
	MEM(out + 28, "\xc0\0\2\7\0\0\0\0", 8);
}

CASE(who_comes_over_a_unix_socket_is_this_host)
{
	const struct addr client = { .any.sa_family = AF_UNIX }, none = { .any.sa_family = 0 };
	const struct packet p = { &client, &none, false, SPAN("abc") };

	pcap_put(out, &p, &when);
	MEM(out + 28, "\x7f\0\0\1\x7f\0\0\1\0\0\0\x35", 12);
	EQ(remainder_of(17 + 11, out + 28, 19), 0);
}

CASE(what_udp_cannot_carry_is_cut_and_says_so)
{
	static uint8_t octets[65535];
	const struct span message = { octets, sizeof octets };

	put("192.0.2.7:4660", "192.0.2.53", message, true);
	EQ(get_u32(out + 8), 65535);
	EQ(get_u32(out + 12), 65535 + 28);
	EQ(get_u16(out + 18), 65535);
	put("[2001:db8::7]:4660", "2001:db8::35", message, true);
	EQ(get_u32(out + 12) - get_u32(out + 8), 28);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_file_begins_with_its_format),
		CLAIM(a_query_over_ipv4_is_this_octet_for_octet),
		CLAIM(an_answer_goes_the_other_way),
		CLAIM(checksums_are_right_whatever_the_length),
		CLAIM(a_checksum_of_zero_is_all_ones),
		CLAIM(ipv6_has_a_header_of_its_own),
		CLAIM(an_ipv4_mapped_client_is_one_of_ipv4),
		CLAIM(an_address_of_ours_that_is_not_known_is_zeros),
		CLAIM(who_comes_over_a_unix_socket_is_this_host),
		CLAIM(what_udp_cannot_carry_is_cut_and_says_so),
	};
	return RUN(cases);
}
