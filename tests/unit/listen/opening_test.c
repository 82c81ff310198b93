#include "listen/opening.h"

#include "case.h"

#include <string.h>

static enum opening of(const char *octets, size_t len)
{
	return opening_of((struct span){ (const uint8_t *)octets, len });
}

#define OF(literal) of(literal, sizeof(literal) - 1)

/* How many octets it takes to tell. */
static size_t needed(const char *octets, size_t len)
{
	size_t n = 0;

	while (n <= len && of(octets, n) == OPENING_UNKNOWN)
		n++;
	return n;
}

CASE(a_client_hello_is_tls_by_its_first_six_octets)
{
	OK(OF("\x16\x03\x01\x02\x00\x01") == OPENING_TLS);
	OK(OF("\x16\x03\x03\x02\x00\x01\x00\x01\xfc\x03\x03") == OPENING_TLS);
	EQ(needed("\x16\x03\x01\x02\x00\x01", 6), 6);
}

CASE(other_records_of_tls_are_nothing_that_we_know)
{
	OK(OF("\x16\x03\x01\x02\x00\x02") == OPENING_DNS); /* a ServerHello */
	OK(OF("\x15\x03\x01\x00\x02\x02") == OPENING_DNS); /* an alert */
	OK(OF("\x17\x03\x03\x00\x20\x00") == OPENING_DNS);
	OK(OF("\x16\x02\x01\x02\x00\x01") == OPENING_DNS);
}

CASE(a_message_of_5635_octets_is_dns)
{
	/* Its ID may be anything; the second octet of its flags is not 1. */
	OK(OF("\x16\x03\x01\x02\x01\x00") == OPENING_DNS);
	OK(OF("\x16\x03\x01\x00\x01\x10") == OPENING_DNS);
}

CASE(frames_of_usual_length_are_dns_at_their_first_octet)
{
	EQ(needed("\x00\x1c\x12\x34\x01\x00", 6), 1);
	EQ(needed("\x02\x00\x12\x34\x01\x00", 6), 1);
	EQ(needed("\xff\xff\x12\x34\x01\x00", 6), 1);
}

CASE(a_request_of_http_is_known_by_its_method)
{
	static const char *const requests[] = { "GET /dns-query?dns=AAAB HTTP/1.1\r\n",
		"POST /dns-query HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n", "OPTIONS * HTTP/1.1\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT x:53 HTTP/1.1\r\n" };

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		OK(of(requests[i], strlen(requests[i])) == OPENING_HTTP);
		EQ(needed(requests[i], strlen(requests[i])), 4);
	}
	OK(OF("GET") == OPENING_UNKNOWN);
	OK(OF("GETX") == OPENING_DNS);
	OK(OF("get ") == OPENING_DNS);
}

CASE(nothing_tells_nothing)
{
	OK(OF("") == OPENING_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_client_hello_is_tls_by_its_first_six_octets),
		CLAIM(other_records_of_tls_are_nothing_that_we_know),
		CLAIM(a_message_of_5635_octets_is_dns),
		CLAIM(frames_of_usual_length_are_dns_at_their_first_octet),
		CLAIM(a_request_of_http_is_known_by_its_method),
		CLAIM(nothing_tells_nothing),
	};

	return RUN(cases);
}
