#include "dns/svcb.h"

#include "case.h"

#include <string.h>

/* The target of most: a.example */
#define A_EXAMPLE "\1a\7example\0"

static struct svcb svcb;

#define READS(octets)   OK(svcb_parse(SPAN(octets), &svcb))
#define REFUSES(octets) OK(!svcb_parse(SPAN(octets), &svcb))

CASE(a_record_says_what_is_spoken_where)
{
	READS("\0\1" A_EXAMPLE "\0\1\0\7\3dot\2h2"
	      "\0\3\0\2\x21\x34"
	      "\0\4\0\10\xc0\0\2\1\xc0\0\2\2"
	      "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	EQ(svcb.priority, 1);
	EQ(svcb.target.len, sizeof A_EXAMPLE - 1);
	MEM(svcb.target.at, A_EXAMPLE, svcb.target.len);
	OK(svcb.is_understood && svcb.has_port);
	EQ(svcb.port, 8500);
	EQ(svcb.ipv4hint.len, 8);
	EQ(svcb.ipv6hint.len, 16);
	OK(svcb_speaks(&svcb, "dot") && svcb_speaks(&svcb, "h2"));
	OK(!svcb_speaks(&svcb, "do") && !svcb_speaks(&svcb, "dots") && !svcb_speaks(&svcb, ""));
}

CASE(nothing_need_be_said_but_priority_and_target)
{
	READS("\0\1\0");
	EQ(svcb.target.len, 1);
	OK(!svcb.has_port && !svcb.alpn.len && !svcb.ipv4hint.len && !svcb.ipv6hint.len);
	OK(svcb.is_understood && !svcb_speaks(&svcb, "dot"));
}

CASE(what_an_alias_says_beside_its_target_is_ignored)
{
	READS("\0\0" A_EXAMPLE "\0\3\0\1\1 and whatever else");
	EQ(svcb.priority, 0);
	OK(!svcb.has_port);
}

CASE(keys_that_nobody_knows_are_passed_over)
{
	READS("\0\1" A_EXAMPLE "\0\1\0\4\3dot\0\7\0\2/x\xfd\xe8\0\0");
	OK(svcb.is_understood && svcb_speaks(&svcb, "dot"));
}

CASE(a_key_that_must_be_understood_and_is_not_makes_the_record_useless)
{
	READS("\0\1" A_EXAMPLE "\0\0\0\4\0\1\0\3\0\1\0\4\3dot\0\3\0\2\3\x55");
	OK(svcb.is_understood);
	READS("\0\1" A_EXAMPLE "\0\0\0\4\0\1\xfd\xe8\0\1\0\4\3dot\xfd\xe8\0\0");
	OK(!svcb.is_understood);
	READS("\0\1" A_EXAMPLE "\0\0\0\2\0\5\0\1\0\4\3dot\0\5\0\1x"); /* ECH */
	OK(!svcb.is_understood);
}

CASE(keys_rise_and_stand_once)
{
	REFUSES("\0\1" A_EXAMPLE "\0\3\0\2\3\x55\0\1\0\4\3dot");
	REFUSES("\0\1" A_EXAMPLE "\0\3\0\2\3\x55\0\3\0\2\3\x55");
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\2\0\3\0\0\0\2\0\3\0\3\0\2\3\x55");
}

CASE(mandatory_keys_rise_are_there_and_are_not_that_key_itself)
{
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\0\0\1\0\4\3dot");
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\1\1\0\1\0\4\3dot");
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\2\0\0\0\1\0\4\3dot");
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\2\0\3\0\1\0\4\3dot");
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\4\0\3\0\1\0\1\0\4\3dot\0\3\0\2\3\x55");
	REFUSES("\0\1" A_EXAMPLE "\0\0\0\4\0\1\0\1\0\1\0\4\3dot");
}

CASE(values_have_the_form_of_their_keys)
{
	REFUSES("\0\1" A_EXAMPLE "\0\1\0\0"); /* no protocol at all */
	REFUSES("\0\1" A_EXAMPLE "\0\1\0\1\0"); /* one without a name */
	REFUSES("\0\1" A_EXAMPLE "\0\1\0\4\4dot"); /* one that is longer than the value */
	REFUSES("\0\1" A_EXAMPLE "\0\1\0\5\3dot\3");
	REFUSES("\0\1" A_EXAMPLE "\0\2\0\0"); /* no other than the named, and none is named */
	REFUSES("\0\1" A_EXAMPLE "\0\1\0\4\3dot\0\2\0\1x");
	REFUSES("\0\1" A_EXAMPLE "\0\3\0\1\1");
	REFUSES("\0\1" A_EXAMPLE "\0\3\0\3\0\3\x55");
	REFUSES("\0\1" A_EXAMPLE "\0\4\0\0");
	REFUSES("\0\1" A_EXAMPLE "\0\4\0\5\xc0\0\2\1\xc0");
	REFUSES("\0\1" A_EXAMPLE "\0\6\0\4\xc0\0\2\1");
}

CASE(a_record_ends_where_it_ends)
{
	const struct span whole = SPAN("\0\1" A_EXAMPLE "\0\1\0\4\3dot\0\3\0\2\3\x55");
	const size_t ends[] = { 2 + sizeof A_EXAMPLE - 1, 2 + sizeof A_EXAMPLE - 1 + 8, whole.len };

	for (size_t len = 0, next = 0; len <= whole.len; len++) {
		bool good = svcb_parse((struct span){ whole.at, len }, &svcb);

		EQ(good, len == ends[next]);
		next += good;
	}
	REFUSES("\0\1\xc0\0"); /* its name is not compressed */
	REFUSES("\0\1" A_EXAMPLE "\0\1\xff\xff\3dot");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_record_says_what_is_spoken_where),
		CLAIM(nothing_need_be_said_but_priority_and_target),
		CLAIM(what_an_alias_says_beside_its_target_is_ignored),
		CLAIM(keys_that_nobody_knows_are_passed_over),
		CLAIM(a_key_that_must_be_understood_and_is_not_makes_the_record_useless),
		CLAIM(keys_rise_and_stand_once),
		CLAIM(mandatory_keys_rise_are_there_and_are_not_that_key_itself),
		CLAIM(values_have_the_form_of_their_keys),
		CLAIM(a_record_ends_where_it_ends),
	};

	return RUN(cases);
}
