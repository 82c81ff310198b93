#include "dns/edns.h"

#include <string.h>

#include "case.h"

static struct edns parsed(uint16_t class, uint32_t ttl, struct span options)
{
	struct edns e;

	OK(edns_parse(&e, class, ttl, options));
	OK(e.present);
	return e;
}

CASE(the_ttl_holds_rcode_version_and_do)
{
	struct edns e = parsed(1232, 0x12348000, SPAN(""));

	EQ(e.rcode_high, 0x12);
	EQ(e.version, 0x34);
	OK(e.dnssec_ok);
	EQ(e.udp_size, 1232);
	OK(!parsed(1232, 0x7fff, SPAN("")).dnssec_ok);
}

CASE(a_size_below_512_counts_as_512)
{
	EQ(parsed(0, 0, SPAN("")).udp_size, 512);
	EQ(parsed(511, 0, SPAN("")).udp_size, 512);
	EQ(parsed(513, 0, SPAN("")).udp_size, 513);
	EQ(parsed(65535, 0, SPAN("")).udp_size, 65535);
}

CASE(keepalive_may_be_empty_or_two_octets)
{
	struct edns e = parsed(512, 0, SPAN("\0\x0b\0\0"));

	OK(e.has_keepalive && e.keepalive == 0);
	e = parsed(512, 0, SPAN("\0\x0b\0\2\1\2"));
	OK(e.has_keepalive && e.keepalive == 0x0102);
	e = parsed(512, 0, SPAN("\0\x0b\0\1\1"));
	OK(!e.has_keepalive);
}

CASE(padding_is_seen_and_unknown_options_are_ignored)
{
	OK(parsed(512, 0, SPAN("\0\x0c\0\3\0\0\0")).has_padding);
	OK(!parsed(512, 0, SPAN("\xff\xfe\0\3abc\0\x0a\0\0")).has_padding);
}

CASE(options_must_not_run_past_the_end)
{
	struct span whole = SPAN("\0\x0c\0\3\0\0\0");
	struct edns e;

	for (size_t len = 1; len < whole.len; len++) {
		OK(!edns_parse(&e, 512, 0, (struct span){ whole.at, len }));
		OK(e.present && e.options.len == 0);
	}
	OK(!edns_parse(&e, 512, 0, SPAN("\0\x0c\xff\xff\0\0\0")));
}

CASE(options_before_a_broken_one_do_not_count)
{
	struct edns e;

	OK(!edns_parse(&e, 512, 0, SPAN("\0\x0b\0\0\0\x0c\0\0\xff\xff\xff\xff")));
	OK(e.present && !e.has_keepalive && !e.has_padding && e.options.len == 0);
}

CASE(more_options_than_a_query_needs_are_refused)
{
	static uint8_t options[65532];
	struct edns e;

	OK(edns_parse(&e, 512, 0, (struct span){ options, 4 * EDNS_OPTIONS_MAX }));
	OK(!edns_parse(&e, 512, 0, (struct span){ options, 4 * EDNS_OPTIONS_MAX + 4 }));
	OK(!edns_parse(&e, 512, 0, (struct span){ options, sizeof(options) }));
}

CASE(one_option_may_be_very_long)
{
	static uint8_t options[60004] = { 0xff, 0xf0, 60000 >> 8, 60000 & 0xff };

	EQ(parsed(512, 0, (struct span){ options, sizeof(options) }).options.len, 60004);
}

CASE(extended_errors_are_found_among_other_options)
{
	struct edns e = parsed(512, 0,
		SPAN("\0\x0c\0\1\0"
		     "\0\x0f\0\5\0\x16"
		     "one"
		     "\0\x0f\0\1\0" /* too short to be one */
		     "\0\x0f\0\2\0\x17"));
	struct edns_error error;

	OK(edns_error_at(&e, 0, &error));
	EQ(error.code, EDE_NO_REACHABLE_AUTHORITY);
	EQ(error.text.len, 3);
	MEM(error.text.at, "one", 3);
	OK(edns_error_at(&e, 1, &error));
	EQ(error.code, EDE_NETWORK_ERROR);
	EQ(error.text.len, 0);
	OK(!edns_error_at(&e, 2, &error));
}

CASE(without_opt_there_is_no_extended_error)
{
	struct edns none = { .present = false };
	struct edns_error error;

	OK(!edns_error_at(&none, 0, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_ttl_holds_rcode_version_and_do),
		CLAIM(a_size_below_512_counts_as_512),
		CLAIM(keepalive_may_be_empty_or_two_octets),
		CLAIM(padding_is_seen_and_unknown_options_are_ignored),
		CLAIM(options_must_not_run_past_the_end),
		CLAIM(options_before_a_broken_one_do_not_count),
		CLAIM(more_options_than_a_query_needs_are_refused),
		CLAIM(one_option_may_be_very_long),
		CLAIM(extended_errors_are_found_among_other_options),
		CLAIM(without_opt_there_is_no_extended_error),
	};

	return RUN(cases);
}
