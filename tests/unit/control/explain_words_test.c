#include "control/explain_words.h"

#include "case.h"
#include "dns/types.h"

#include <stdio.h>
#include <string.h>

static struct explain_words e;
static char text[WORDS_LINE];

/* What is wrong with these words; NULL: nothing. */
static const char *why(const char *words)
{
	struct words w;

	snprintf(text, sizeof text, "%s", words);
	OK(words_cut(&w, text));
	return explain_words_read(&e, &w);
}

#define SAYS(words, what) OK(why(words) && strstr(why(words), what))

CASE(a_name_alone_is_asked_for_its_address)
{
	OK(!why("a.test"));
	EQ(e.name_len, 8);
	EQ(e.type, TYPE_A);
	OK(!e.has_client && !e.listener && !e.identity);
}

CASE(words_come_in_any_order)
{
	char client[ADDR_TEXT];

	OK(!why("--client 2001:db8::1 a.test --identity ann.test AAAA --at [::1]:53"));
	EQ(e.type, TYPE_AAAA);
	STR(addr_print_host(&e.client, client), "2001:db8::1");
	STR(e.identity, "ann.test");
	STR(e.listener, "[::1]:53");
}

CASE(a_client_may_say_for_whom_it_asks)
{
	OK(!why("a.test"));
	OK(!e.behind.has_subnet && !*e.behind.mac && !*e.behind.cpe_id);
	OK(!why("a.test --subnet fd00::/16 --mac 00-11-22-AA-BB-CC --cpe-id den"));
	OK(e.behind.has_subnet && e.behind.address_len == 16 && e.behind.bits == 16);
	EQ(e.behind.address[0], 0xfd);
	STR(e.behind.mac, "00:11:22:aa:bb:cc");
	STR(e.behind.cpe_id, "den");
	OK(!why("a.test --subnet 10.0.0.5") && e.behind.bits == 32);
	SAYS("a.test --subnet 10.0.0.5/24", "--subnet is");
	SAYS("a.test --subnet 0.0.0.0/0", "--subnet is");
	SAYS("a.test --mac 00:11", "--mac is like");
	SAYS("a.test --cpe-id "
	     "0123456789012345678901234567890123456789012345678901234567890123x",
		"--cpe-id has");
}

CASE(what_means_nothing_is_told)
{
	SAYS("", "a name is missing");
	SAYS("--client 192.0.2.1", "a name is missing");
	SAYS("a..b", "no domain name");
	SAYS("a.test NOTYPE", "no such type");
	SAYS("a.test A b", "too many words");
	SAYS("a.test --client", "a value is missing");
	SAYS("a.test --identity", "a value is missing");
	SAYS("a.test --client example", "without a port");
	SAYS("a.test --client 192.0.2.1:53", "without a port");
	SAYS("a.test --all", "--subnet, --mac and --cpe-id");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_name_alone_is_asked_for_its_address),
		CLAIM(words_come_in_any_order),
		CLAIM(a_client_may_say_for_whom_it_asks),
		CLAIM(what_means_nothing_is_told),
	};

	return RUN(cases);
}
