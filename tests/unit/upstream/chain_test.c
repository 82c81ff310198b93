#include "upstream/chain.h"

#include "../dns/wire.h"

#include <string.h>

static struct wire wire;
static struct chain chain;

static struct span name(const char *text)
{
	static uint8_t bytes[8][NAME_MAX_WIRE];
	static unsigned next;
	uint8_t *to = bytes[next++ % 8];

	return (struct span){ to, name_from_text(text, to) };
}

/* A reply to the question for dns.example. */
static void begin(void)
{
	wire_begin(&wire, DNS_QR | DNS_RD | DNS_RA);
	wire_question(&wire, "dns.example", TYPE_A);
}

static void alias(const char *from, const char *to, uint32_t ttl_s)
{
	wire_record(&wire, SECTION_ANSWER, name(from), TYPE_CNAME, CLASS_IN, ttl_s, name(to));
}

static void address_in(int section, const char *owner, const char *text, uint32_t ttl_s)
{
	struct addr a;

	OK(addr_parse(&a, text, 0));
	if (a.any.sa_family == AF_INET)
		wire_record(&wire, section, name(owner), TYPE_A, CLASS_IN, ttl_s,
			(struct span){ (const uint8_t *)&a.v4.sin_addr, 4 });
	else
		wire_record(&wire, section, name(owner), TYPE_AAAA, CLASS_IN, ttl_s,
			(struct span){ a.v6.sin6_addr.s6_addr, 16 });
}

static void address(const char *owner, const char *text, uint32_t ttl_s)
{
	address_in(SECTION_ANSWER, owner, text, ttl_s);
}

/* What is found, as text, with spaces. */
static const char *found(uint16_t type)
{
	static char text[ADDRS_MAX * ADDR_TEXT];
	struct reply reply;
	char one[ADDR_TEXT];

	*text = '\0';
	OK(reply_parse(wire_span(&wire), &reply));
	chain_read(&reply, type, &chain);
	for (size_t i = 0; i < chain.count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, addr_print_host(&chain.addrs[i], one));
	}
	return text;
}

CASE(the_addresses_of_the_name_are_found_with_the_shortest_ttl)
{
	begin();
	address("dns.example", "192.0.2.1", 300);
	address("DNS.example", "192.0.2.2", 60);
	address("dns.example", "2001:db8::1", 10);
	STR(found(TYPE_A), "192.0.2.1 192.0.2.2");
	EQ(chain.ttl_s, 60);
	STR(found(TYPE_AAAA), "2001:db8::1");
	EQ(chain.ttl_s, 10);
}

CASE(aliases_are_followed_in_whatever_order_they_stand)
{
	begin();
	address("c.example", "192.0.2.1", 300);
	alias("b.example", "c.example", 200);
	alias("dns.example", "b.example", 100);
	STR(found(TYPE_A), "192.0.2.1");
	EQ(chain.ttl_s, 100);
}

CASE(addresses_of_other_names_do_not_count_wherever_they_stand)
{
	begin();
	address("evil.example", "192.0.2.66", 300);
	alias("evil.example", "worse.example", 300);
	address("worse.example", "192.0.2.67", 300);
	address_in(SECTION_AUTHORITY, "dns.example", "192.0.2.68", 300);
	address_in(SECTION_ADDITIONAL, "dns.example", "192.0.2.69", 300);
	STR(found(TYPE_A), "");
}

CASE(an_alias_takes_the_place_of_the_name)
{
	begin();
	alias("dns.example", "b.example", 100);
	address("dns.example", "192.0.2.66", 300);
	STR(found(TYPE_A), "");
}

CASE(a_circle_of_aliases_leads_nowhere)
{
	begin();
	alias("dns.example", "b.example", 100);
	alias("b.example", "dns.example", 100);
	STR(found(TYPE_A), "");
}

CASE(what_no_host_can_have_is_left_out)
{
	begin();
	address("dns.example", "0.0.0.0", 300);
	address("dns.example", "224.0.0.1", 300);
	address("dns.example", "192.0.2.1", 300);
	STR(found(TYPE_A), "192.0.2.1");
}

CASE(no_more_are_taken_than_there_is_room_for)
{
	begin();
	for (int i = 0; i < 2 * ADDRS_MAX; i++)
		address("dns.example", "192.0.2.1", 300);
	found(TYPE_A);
	EQ(chain.count, ADDRS_MAX);
}

CASE(a_ttl_with_its_highest_bit_set_is_none)
{
	begin();
	address("dns.example", "192.0.2.1", 0x80000001);
	found(TYPE_A);
	EQ(chain.ttl_s, 0);
}

static struct chain of(const char *const *texts)
{
	struct chain c = { 0 };

	for (; *texts; texts++)
		OK(addr_parse(&c.addrs[c.count++], *texts, 0));
	return c;
}

CASE(families_take_turns)
{
	const struct chain v6 = of((const char *const[]){ "2001:db8::1", NULL });
	const struct chain v4 =
		of((const char *const[]){ "192.0.2.1", "192.0.2.2", "192.0.2.3", NULL });
	struct addr out[ADDRS_MAX];
	char text[ADDR_TEXT];

	EQ(chain_interleave(&v6, &v4, out), 4);
	STR(addr_print_host(&out[0], text), "2001:db8::1");
	STR(addr_print_host(&out[1], text), "192.0.2.1");
	STR(addr_print_host(&out[3], text), "192.0.2.3");
}

CASE(of_two_full_lists_each_gets_half_the_room)
{
	const struct chain v6 = of((const char *const[]){ "2001:db8::1", "2001:db8::2",
		"2001:db8::3", "2001:db8::4", "2001:db8::5", "2001:db8::6", NULL });
	const struct chain v4 = of((const char *const[]){ "192.0.2.1", "192.0.2.2", "192.0.2.3",
		"192.0.2.4", "192.0.2.5", "192.0.2.6", NULL });
	struct addr out[ADDRS_MAX];
	char text[ADDR_TEXT];

	EQ(chain_interleave(&v6, &v4, out), ADDRS_MAX);
	STR(addr_print_host(&out[ADDRS_MAX - 1], text), "192.0.2.4");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_addresses_of_the_name_are_found_with_the_shortest_ttl),
		CLAIM(aliases_are_followed_in_whatever_order_they_stand),
		CLAIM(addresses_of_other_names_do_not_count_wherever_they_stand),
		CLAIM(an_alias_takes_the_place_of_the_name),
		CLAIM(a_circle_of_aliases_leads_nowhere),
		CLAIM(what_no_host_can_have_is_left_out),
		CLAIM(no_more_are_taken_than_there_is_room_for),
		CLAIM(a_ttl_with_its_highest_bit_set_is_none),
		CLAIM(families_take_turns),
		CLAIM(of_two_full_lists_each_gets_half_the_room),
	};

	return RUN(cases);
}
