#include "upstream/designation.h"

#include "../dns/wire.h"

#include <stdio.h>
#include <string.h>

#define DOT "\0\1\0\4\3dot"

static struct wire wire;
static struct designation designation;

static void begin(void)
{
	wire_begin(&wire, DNS_QR | DNS_RD | DNS_RA);
	wire_question(&wire, "_dns.resolver.arpa", TYPE_SVCB);
}

/* A record of the question's name. */
static void record(unsigned priority, const char *target, uint32_t ttl_s, struct span parameters)
{
	uint8_t rdata[512];
	size_t len = 2 + name_from_text(target, rdata + 2);

	put_u16(rdata, (uint16_t)priority);
	memcpy(rdata + len, parameters.at, parameters.len);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_SVCB, CLASS_IN, ttl_s,
		(struct span){ rdata, len + parameters.len });
}

/* The names of those who are found, in their order; or a number: what the best one lacks. */
static const char *found(void)
{
	static char text[DESIGNATION_MAX * (DESIGNATION_NAME + 1)];
	struct rand rand = { .left = 0 };
	struct reply reply;

	OK(reply_parse(wire_span(&wire), &reply));
	designation_read(&reply, &rand, &designation);
	snprintf(text, sizeof text, "%s", "");
	for (size_t i = 0; i < designation.count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, designation.endpoints[i].name);
	}
	return text;
}

#define LACKS(what)                                                                                \
	do {                                                                                       \
		STR(found(), "");                                                                  \
		EQ(designation.lack, what);                                                        \
	} while (0)

CASE(who_speaks_dns_over_tls_is_found_with_port_and_addresses)
{
	char text[ADDR_TEXT];

	begin();
	record(1, "DNS.Example", 300,
		SPAN(DOT "\0\3\0\2\x21\x35\0\4\0\10\xc0\0\2\1\xc0\0\2\2"
			 "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	STR(found(), "DNS.Example");
	EQ(designation.lack, LACKS_NOTHING);
	EQ(designation.ttl_s, 300);
	EQ(designation.endpoints[0].hint_count, 3);
	STR(addr_print(&designation.endpoints[0].hints[0], text), "[2001:db8::1]:8501");
	STR(addr_print(&designation.endpoints[0].hints[1], text), "192.0.2.1:8501");
	STR(addr_print(&designation.endpoints[0].hints[2], text), "192.0.2.2:8501");
}

CASE(without_a_port_it_is_853_and_addresses_need_not_be_told)
{
	begin();
	record(1, "dns.example", 300, SPAN(DOT));
	STR(found(), "dns.example");
	EQ(designation.endpoints[0].port, 853);
	EQ(designation.endpoints[0].hint_count, 0);
}

CASE(the_lowest_number_is_first_and_the_shortest_ttl_counts)
{
	begin();
	record(3, "c.example", 300, SPAN(DOT));
	record(1, "a.example", 900, SPAN(DOT));
	record(2, "b.example", 600, SPAN(DOT));
	record(1, "h2.example", 60, SPAN("\0\1\0\3\2h2"));
	STR(found(), "a.example b.example c.example");
	EQ(designation.ttl_s, 300);
}

CASE(of_more_than_there_is_room_for_the_best_are_kept)
{
	begin();
	for (unsigned i = 9; i > 0; i--) {
		char name[16];

		snprintf(name, sizeof name, "%u.example", i);
		record(i, name, 300, SPAN(DOT));
	}
	record(99, "last.example", 300, SPAN(DOT));
	STR(found(), "1.example 2.example 3.example");
}

/* Of 200 times, that one of two never is first has a chance of 2 in 2^200. */
CASE(equals_are_in_an_order_of_chance)
{
	unsigned first = 0;

	begin();
	record(1, "a.example", 300, SPAN(DOT));
	record(1, "b.example", 300, SPAN(DOT));
	for (int i = 0; i < 200; i++)
		first += *found() == 'a';
	OK(first > 0 && first < 200);
}

CASE(only_records_of_the_name_that_was_asked_count)
{
	begin();
	wire_record(&wire, SECTION_ANSWER, SPAN("\1x\7example\0"), TYPE_SVCB, CLASS_IN, 300,
		SPAN("\0\1\1a\7example\0" DOT));
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_HTTPS, CLASS_IN, 300,
		SPAN("\0\1\1a\7example\0" DOT));
	wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, TYPE_SVCB, CLASS_IN, 300,
		SPAN("\0\1\1a\7example\0" DOT));
	LACKS(LACKS_RECORDS);
}

CASE(what_came_nearest_says_what_is_lacking)
{
	begin();
	LACKS(LACKS_RECORDS);
	record(0, "a.example", 300, NOTHING);
	LACKS(LACKS_SERVICE);
	record(1, "a.example", 300, SPAN("\0\0\0\2\0\5\0\1\0\4\3dot\0\5\0\1x"));
	LACKS(LACKS_KEY);
	record(1, "a.example", 300, NOTHING);
	LACKS(LACKS_DOT);
	record(1, ".", 300, SPAN(DOT));
	LACKS(LACKS_NAME);
	record(1, "a.example", 300, SPAN(DOT "\0\3\0\2\0\x35"));
	LACKS(LACKS_PORT);
	record(1, "a.example", 300, SPAN(DOT "\0\3\0\2\0\0"));
	LACKS(LACKS_PORT);
	record(1, "a.example", 300, SPAN(DOT));
	STR(found(), "a.example");
}

CASE(a_name_is_one_that_a_certificate_could_bear)
{
	static const char *const none[] = { "resolver.arpa", "_dns.RESOLVER.arpa", "a_b.example",
		"a\\000.example", "a\\.b.example", "a b.example", "192.0.2.1" };

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		begin();
		record(1, none[i], 300, SPAN(DOT));
		LACKS(LACKS_NAME);
	}
}

CASE(one_malformed_record_makes_all_of_them_void)
{
	begin();
	record(1, "a.example", 300, SPAN(DOT));
	record(2, "a.example", 300, SPAN("\0\3\0\1\1"));
	record(3, "a.example", 300, SPAN(DOT));
	LACKS(LACKS_SENSE);
}

CASE(what_no_host_can_have_is_no_address)
{
	begin();
	record(1, "a.example", 300, SPAN(DOT "\0\4\0\10\0\0\0\0\xe0\0\0\1"));
	STR(found(), "a.example");
	EQ(designation.endpoints[0].hint_count, 0);
}

CASE(each_lack_has_words)
{
	struct fault f;

	for (enum lack lack = LACKS_RECORDS; lack < LACKS_NOTHING; lack++) {
		designation.lack = lack;
		designation_fault(&designation, "192.0.2.1:53", &f);
		EQ(f.phase, PHASE_RESOLVE);
		OK(strncmp(f.reason, "192.0.2.1:53 ", 13) == 0 && strlen(f.reason) > 30);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(who_speaks_dns_over_tls_is_found_with_port_and_addresses),
		CLAIM(without_a_port_it_is_853_and_addresses_need_not_be_told),
		CLAIM(the_lowest_number_is_first_and_the_shortest_ttl_counts),
		CLAIM(of_more_than_there_is_room_for_the_best_are_kept),
		CLAIM(equals_are_in_an_order_of_chance),
		CLAIM(only_records_of_the_name_that_was_asked_count),
		CLAIM(what_came_nearest_says_what_is_lacking),
		CLAIM(a_name_is_one_that_a_certificate_could_bear),
		CLAIM(one_malformed_record_makes_all_of_them_void),
		CLAIM(what_no_host_can_have_is_no_address),
		CLAIM(each_lack_has_words),
	};

	return RUN(cases);
}
