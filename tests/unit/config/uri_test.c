#include "config/uri.h"

#include "case.h"

#include <string.h>

#define PIN  "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN2 "sha256/AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct memory memory;
static struct server_conf server;
static struct uri_reading reading;

static int forget(void **unused)
{
	(void)unused;
	memory_clear(&memory);
	return 0;
}

/* What is printed of what was read, or what was wrong with it. */
static const char *again(const char *text)
{
	return uri_read(&server, text, &memory, &reading) ? uri_print(&server, &memory)
							  : reading.problem;
}

CASE(what_is_printed_reads_back_to_the_same)
{
	static const char *const all[] = {
		"tls://192.0.2.1",
		"tls://192.0.2.1:8853",
		"tls://[2001:db8::1]#dns.example",
		"tls://[2001:db8::1]:8853",
		"tls://dns.example",
		"tls://dns.example:8853#other.example",
		"tls://resolver",
		"tcp://192.0.2.1",
		"tcp://dns.example:5353",
		"udp://192.0.2.1:5353",
		"udp://[fd00::1]",
		"tls://192.0.2.1?pin=" PIN "&pin=" PIN2,
		"tls://192.0.2.1?ca=/etc/a b.pem",
		"tls://192.0.2.1#dns.example?cert=a.pem&key=b.pem",
		"tls://192.0.2.1?tls=1.3",
		"tls://192.0.2.1?verify=no",
		"ddr://192.0.2.1",
		"ddr://[2001:db8::1]:5353?pin=" PIN "&ca=a.pem&tls=1.3&weight=7",
		"tls://dns.example?verify=no&tls=1.3",
		"tls://dns.example?bootstrap=192.0.2.1,2001:db8::1",
		"udp://10.0.0.53?source=10.0.0.1&interface=eth0&weight=1",
		"tls://192.0.2.1#dns.example?source=192.0.2.7&interface=lo&pin=" PIN
		"&ca=a.pem&cert=b.pem&key=c.pem&tls=1.3&weight=1000",
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		STR(again(all[i]), all[i]);
		OK(!reading.is_foreign);
	}
}

CASE(spellings_that_differ_in_nothing_are_printed_alike)
{
	STR(again("TLS://192.0.2.1:853#DNS.Example."), "tls://192.0.2.1#dns.example");
	STR(again("tls://192.0.2.1?tls=1.3#dns.example"), "tls://192.0.2.1#dns.example?tls=1.3");
	STR(again("tls://DNS.Example.:853#dns.example"), "tls://dns.example");
	STR(again("udp://192.0.2.1:53?weight=100"), "udp://192.0.2.1");
	STR(again("tls://[::ffff:192.0.2.1]:8853"), "tls://192.0.2.1:8853");
	STR(again("tls://a.example?bootstrap=192.0.2.1&bootstrap=192.0.2.2"),
		"tls://a.example?bootstrap=192.0.2.1,192.0.2.2");
}

CASE(a_host_is_its_name_unless_another_one_is_given)
{
	again("tls://dns.example");
	STR(server.host, "dns.example");
	STR(server.auth_name, "dns.example");
	EQ(server.addr.any.sa_family, AF_UNSPEC);
	EQ(addr_port(&server.addr), 853);

	again("tls://dns.example:8853#other.example");
	STR(server.host, "dns.example");
	STR(server.auth_name, "other.example");
	EQ(addr_port(&server.addr), 8853);

	again("tls://192.0.2.1");
	OK(!server.host);
	OK(!server.auth_name);
}

CASE(plain_schemes_prove_nothing_and_have_port_53)
{
	again("udp://dns.example");
	EQ(server.scheme, SCHEME_UDP);
	EQ(addr_port(&server.addr), 53);
	OK(!server.auth_name);
	again("tcp://192.0.2.1");
	EQ(server.scheme, SCHEME_TCP);
	EQ(addr_port(&server.addr), 53);
}

CASE(a_resolver_that_designates_is_an_address_where_plain_dns_is_spoken)
{
	again("DDR://192.0.2.1");
	STR(server.text, "ddr://192.0.2.1");
	EQ(server.scheme, SCHEME_TLS);
	OK(server.designated && !server.opportunistic && !server.auth_name && !server.host);
	EQ(addr_port(&server.addr), 53);
	again("ddr://192.0.2.1:5353");
	EQ(addr_port(&server.addr), 5353);
	again("tls://192.0.2.1");
	OK(!server.designated);
}

CASE(parameters_reach_the_server)
{
	struct addr a;

	again("tls://dns.example:8853?pin=" PIN2 "&ca=ca.pem&cert=c.pem&key=k.pem&tls=1.3"
	      "&bootstrap=192.0.2.1,[2001:db8::1]&source=192.0.2.7&interface=lo&weight=7");
	STR(reading.problem, "");
	EQ(server.pin_count, 1);
	EQ(server.pins[0][0], 1);
	STR(server.ca, "ca.pem");
	STR(server.cert, "c.pem");
	STR(server.key, "k.pem");
	OK(server.tls13);
	OK(!server.opportunistic);
	STR(server.interface, "lo");
	EQ(server.weight, 7);
	EQ(server.hint_count, 2);
	OK(addr_parse(&a, "192.0.2.1:8853", 0) && addr_equal(&a, &server.hints[0]));
	OK(addr_parse(&a, "[2001:db8::1]:8853", 0) && addr_equal(&a, &server.hints[1]));
	OK(addr_parse(&a, "192.0.2.7", 0) && addr_equal(&a, &server.source));
	EQ(again("tls://192.0.2.1") && server.weight == 100, 1);
}

CASE(the_short_text_tells_servers_apart_and_says_who_is_not_verified)
{
	again("tls://dns.example?verify=no&source=192.0.2.7&interface=lo&weight=7&tls=1.3");
	STR(server.text, "tls://dns.example?verify=no&source=192.0.2.7&interface=lo");
	OK(server.opportunistic);
	STR(server.auth_name, "dns.example"); /* sent, and held against nobody */
	again("tls://192.0.2.1#dns.example?pin=" PIN "&ca=a.pem");
	STR(server.text, "tls://192.0.2.1#dns.example");
}

CASE(spellings_of_other_products_are_understood_and_marked)
{
	static const char *const all[][2] = {
		{ "tls://dns.example@192.0.2.1", "tls://192.0.2.1#dns.example" },
		{ "192.0.2.1#dns.example", "tls://192.0.2.1#dns.example" },
		{ "192.0.2.1@8853#dns.example", "tls://192.0.2.1:8853#dns.example" },
		{ "tcp-tls:dns.example:8853", "tls://dns.example:8853" },
		{ "tcp-tls:192.0.2.1:853#dns.example", "tls://192.0.2.1#dns.example" },
		{ "tls://192.0.2.1%dns.example", "tls://192.0.2.1#dns.example" },
		{ "tcp+udp:10.0.0.53", "udp://10.0.0.53" },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		STR(again(all[i][0]), all[i][1]);
		OK(reading.is_foreign);
	}
}

/* Each of these must say what is wrong, whatever the words. */
CASE(what_cannot_be_meant_is_refused)
{
	static const char *const all[] = { "", "tls://", "tls://:853", "192.0.2.1", "dns.example",
		"2001:db8::1", "tls://2001:db8::1", "tls://0.0.0.0", "tls://[::]",
		"tls://224.0.0.1", "tls://[ff02::1]", "tls://192.0.2.1:0", "tls://192.0.2.1:65536",
		"tls://a.example:0", "tls://a.example:99999", "tls://192.0.2.1:53",
		"tls://a.example:53", "udp://192.0.2.1:853", "tls://a..example", "tls://-a.example",
		"tls://a-.example", "tls://1.2.3", "tls://a b", "tls://a.example/dns-query",
		"tls://192.0.2.1#", "tls://192.0.2.1#192.0.2.1",
		"tls://192.0.2.1#a.example#b.example", "tls://192.0.2.1?", "tls://192.0.2.1?pin",
		"tls://192.0.2.1?weight=", "tls://192.0.2.1?pin=" PIN "&verify=no",
		"tls://a.example?verify=no#a.example", "tls://a.example?bootstrap=a.b",
		"tls://192.0.2.1?bootstrap=192.0.2.2",
		"tls://a.example?bootstrap=::1,::2,::3,::4,::5,::6,::7,::8,::9",
		"tls://192.0.2.1?source=192.0.2.7:53", "tls://192.0.2.1?source=::1", "ddr://",
		"ddr://a.example", "ddr://192.0.2.1:853", "ddr://192.0.2.1#a.example",
		"ddr://192.0.2.1?verify=no", "ddr://192.0.2.1?bootstrap=192.0.2.2", "ddr://0.0.0.0",
		"ddr://2001:db8::1", "ddr://a.example@192.0.2.1", "udp://10.0.0.53?tls=1.3",
		"quic://192.0.2.1", "xyz://192.0.2.1" };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (uri_read(&server, all[i], &memory, &reading) || !*reading.problem)
			fail_msg("\"%s\" is taken for %s", all[i], server.text);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_is_printed_reads_back_to_the_same),
		CLAIM(spellings_that_differ_in_nothing_are_printed_alike),
		CLAIM(a_host_is_its_name_unless_another_one_is_given),
		CLAIM(plain_schemes_prove_nothing_and_have_port_53),
		CLAIM(a_resolver_that_designates_is_an_address_where_plain_dns_is_spoken),
		CLAIM(parameters_reach_the_server),
		CLAIM(the_short_text_tells_servers_apart_and_says_who_is_not_verified),
		CLAIM(spellings_of_other_products_are_understood_and_marked),
		CLAIM(what_cannot_be_meant_is_refused),
	};

	return cmocka_run_group_tests(cases, NULL, forget);
}
