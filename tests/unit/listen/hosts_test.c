#include "listen/hosts.h"

#include "case.h"

#include <errno.h>

static const struct siphash_key key = { { 1, 2 } };
static struct hosts hosts;

static struct addr client(const char *text)
{
	struct addr a;

	OK(addr_parse(&a, text, 4000));
	return a;
}

static bool enter(const char *text, size_t most)
{
	struct addr a = client(text);

	int err = hosts_enter(&hosts, &a, most);

	OK(err == 0 || err == -EUSERS);
	return err == 0;
}

static void leave(const char *text)
{
	struct addr a = client(text);

	hosts_leave(&hosts, &a);
}

CASE(addresses_of_ipv4_are_counted_apart)
{
	hosts_init(&hosts, &key);
	OK(enter("192.0.2.1", 2) && enter("192.0.2.1:5000", 2));
	OK(!enter("192.0.2.1:5001", 2));
	OK(enter("192.0.2.2", 2));
	EQ(hosts.connections, 3);
	leave("192.0.2.1");
	OK(enter("[::ffff:192.0.2.1]", 2) && !enter("192.0.2.1", 2));
	leave("192.0.2.1");
	leave("192.0.2.1");
	leave("192.0.2.2");
	EQ(hosts.connections, 0);
}

CASE(addresses_of_one_network_of_ipv6_are_counted_together)
{
	hosts_init(&hosts, &key);
	OK(enter("2001:db8:0:7::1", 2) && enter("2001:db8:0:7::2", 2));
	OK(!enter("2001:db8:0:7:ffff:ffff:ffff:ffff", 2));
	OK(enter("2001:db8:0:8::1", 2));
	leave("2001:db8:0:7::2"); /* whichever leaves */
	OK(enter("2001:db8:0:7::3", 2) && !enter("2001:db8:0:7::4", 2));
	leave("2001:db8:0:7::1");
	leave("2001:db8:0:7::3");
	leave("2001:db8:0:8::1");
	EQ(hosts.connections, 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(addresses_of_ipv4_are_counted_apart),
		CLAIM(addresses_of_one_network_of_ipv6_are_counted_together),
	};

	return RUN(cases);
}
