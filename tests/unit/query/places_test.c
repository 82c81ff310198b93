#include "query/places.h"

#include "case.h"

#include <stdio.h>
#include <string.h>

#define PLENTY 1000000

static const struct siphash_key key = { { 1, 2 } };
static struct places places;

static void begin(size_t most_of_host)
{
	memset(&places, 0, sizeof places);
	places.key = &key;
	places.most_of_host = most_of_host;
}

static bool take(const char *client, size_t left, struct place_held *place)
{
	struct addr a;

	OK(addr_parse(&a, client, 4000));
	return places_take(&places, &a, left, place);
}

/* How many a client gets of so many that nobody else wants. */
static unsigned takes_alone(const char *client, size_t all)
{
	struct place_held ignored;
	unsigned n = 0;

	while (take(client, all - n, &ignored))
		n++;
	return n;
}

CASE(a_host_holds_as_many_as_it_may)
{
	begin(10);
	EQ(takes_alone("192.0.2.1", PLENTY), 10);
	EQ(takes_alone("192.0.2.1:5000", PLENTY), 0); /* whatever its port */
	EQ(takes_alone("192.0.2.2", PLENTY), 10);
	EQ(takes_alone("2001:db8::1", PLENTY), 10);
	EQ(takes_alone("2001:db8::2", PLENTY), 10);
}

CASE(what_is_given_back_can_be_taken_again)
{
	struct place_held place;

	begin(1);
	OK(take("192.0.2.1", PLENTY, &place));
	for (int i = 0; i < 100; i++) {
		struct place_held refused;

		OK(!take("192.0.2.1", PLENTY, &refused));
		places_give_back(&places, &place);
		OK(take("192.0.2.1", PLENTY, &place));
	}
}

CASE(one_alone_gets_half_of_all)
{
	begin(PLENTY);
	EQ(takes_alone("192.0.2.1", 1000), 500);
	EQ(takes_alone("192.0.2.2", 1), 1); /* the only one there is */
}

CASE(however_many_are_greedy_one_more_finds_a_place)
{
	size_t left = 1000;
	struct place_held ignored;
	unsigned got[10] = { 0 };

	begin(PLENTY);
	for (bool any = true; any;) {
		any = false;
		for (unsigned i = 0; i < 9; i++) {
			char client[] = { '1', '0', '.', '0', '.', '0', '.', (char)('1' + i), 0 };

			if (take(client, left, &ignored)) {
				left--;
				got[i]++;
				any = true;
			}
		}
	}
	for (unsigned i = 0; i < 9; i++)
		EQ(got[i], 100);
	EQ(left, 100);
	OK(take("10.0.1.1", left, &ignored));
}

CASE(who_has_a_network_to_choose_addresses_from_gets_no_more_by_that)
{
	struct place_held ignored;
	char client[40];
	size_t left = 1000;

	begin(10);
	for (unsigned i = 1; i <= 2000; i++) {
		snprintf(client, sizeof client, "2001:db8:0:7::%x", i);
		if (take(client, left, &ignored))
			left--;
	}
	EQ(left, 500);
	OK(take("2001:db8:0:8::1", left, &ignored));
}

CASE(an_address_of_ipv4_is_the_same_in_ipv6)
{
	begin(10);
	EQ(takes_alone("::ffff:192.0.2.1", PLENTY), 10);
	EQ(takes_alone("192.0.2.1", PLENTY), 0);
	EQ(takes_alone("::ffff:192.0.2.2", PLENTY), 10);
}

/* Many greedy ones stand in the way of few others, and those are others under another key. */
CASE(counts_are_hardly_ever_shared)
{
	struct place_held ignored;
	char client[40];
	unsigned refused = 0;

	begin(1);
	for (unsigned i = 0; i < 400; i++) {
		snprintf(client, sizeof client, "10.1.%u.%u", i / 200, i % 200);
		refused += !take(client, PLENTY, &ignored);
	}
	OK(refused < 40);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_host_holds_as_many_as_it_may),
		CLAIM(what_is_given_back_can_be_taken_again),
		CLAIM(one_alone_gets_half_of_all),
		CLAIM(however_many_are_greedy_one_more_finds_a_place),
		CLAIM(who_has_a_network_to_choose_addresses_from_gets_no_more_by_that),
		CLAIM(an_address_of_ipv4_is_the_same_in_ipv6),
		CLAIM(counts_are_hardly_ever_shared),
	};

	return RUN(cases);
}
