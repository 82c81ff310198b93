#include "dns/text.h"

#include "case.h"
#include "dns/types.h"

CASE(known_types_have_their_names)
{
	char text[TEXT_MAX];

	STR(text_type(TYPE_A, text), "A");
	STR(text_type(TYPE_NULL, text), "NULL");
	STR(text_type(TYPE_HTTPS, text), "HTTPS");
	STR(text_type(TYPE_ANY, text), "ANY");
}

CASE(unknown_types_have_their_number)
{
	char text[TEXT_MAX];

	STR(text_type(0, text), "TYPE0");
	STR(text_type(65535, text), "TYPE65535");
}

CASE(a_type_is_read_as_it_is_written_in_any_case)
{
	uint16_t type;
	char text[TEXT_MAX];

	for (unsigned n = 0; n <= 65535; n++) {
		type = (uint16_t)~n;
		OK(text_read_type(text_type((uint16_t)n, text), &type));
		EQ(type, n);
	}
	OK(text_read_type("aaaa", &type));
	EQ(type, TYPE_AAAA);
	OK(text_read_type("tYpE28", &type));
	EQ(type, TYPE_AAAA);
}

CASE(what_is_no_type_is_none)
{
	static const char *const none[] = { "", "AAAAA", "B", "TYPE", "TYPE65536", "TYPE-1",
		"TYPE 1", "TYPE1x", "TYPE4294967297", "28" };
	uint16_t type;

	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		OK(!text_read_type(none[i], &type));
}

CASE(rcodes_have_names_or_numbers)
{
	char text[TEXT_MAX];

	STR(text_rcode(RCODE_SERVFAIL, text), "SERVFAIL");
	STR(text_rcode(RCODE_BADVERS, text), "BADVERS");
	STR(text_rcode(3841, text), "RCODE3841");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(known_types_have_their_names),
		CLAIM(unknown_types_have_their_number),
		CLAIM(a_type_is_read_as_it_is_written_in_any_case),
		CLAIM(what_is_no_type_is_none),
		CLAIM(rcodes_have_names_or_numbers),
	};

	return RUN(cases);
}
