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
		CLAIM(rcodes_have_names_or_numbers),
	};

	return RUN(cases);
}
