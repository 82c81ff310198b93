#include "net/system_names.h"

#include "case.h"

CASE(localhost_is_at_an_address_of_loopback)
{
	struct system_names found;
	struct addr v4, v6;

	system_names_find(&found, "localhost");
	OK(addr_parse(&v4, "127.0.0.1", 0) && addr_parse(&v6, "::1", 0));
	OK(found.count > 0);
	OK(addr_same_host(&found.addrs[0], &v4) || addr_same_host(&found.addrs[0], &v6));
	EQ(addr_port(&found.addrs[0]), 0);
}

CASE(a_name_that_cannot_be_has_no_address_and_a_reason)
{
	struct system_names found;

	system_names_find(&found, "no..name");
	EQ(found.count, 0);
	OK(found.reason && *found.reason);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(localhost_is_at_an_address_of_loopback),
		CLAIM(a_name_that_cannot_be_has_no_address_and_a_reason),
	};

	return RUN(cases);
}
