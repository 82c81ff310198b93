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
	SAYS("a.test --all", "--client, --at and --identity");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_name_alone_is_asked_for_its_address),
		CLAIM(words_come_in_any_order),
		CLAIM(what_means_nothing_is_told),
	};

	return RUN(cases);
}
