#include "query/pace.h"

#include "case.h"

#include <pthread.h>
#include <stdio.h>

static const struct siphash_key key = { { 1, 2 } };
static struct pace *pace;
static uint64_t now_ms = 5000;

static unsigned take(const char *client, unsigned per_second)
{
	struct addr a;

	OK(addr_parse(&a, client, 4000));
	return pace_take(pace, &(struct pace_asks){ &a, false, now_ms }, per_second);
}

/* How many a client may ask at this moment, until one is too many. */
static unsigned takes(const char *client, unsigned per_second)
{
	unsigned n = 0;

	while (!take(client, per_second))
		n++;
	return n;
}

static void begin(void)
{
	pace_free(pace);
	pace = pace_new(&key);
	OK(pace);
}

CASE(a_burst_is_what_comes_in_a_second)
{
	static const unsigned rates[] = { 1, 2, 3, 7, 20, 100, 999, 1000, 12345, 1000000 };

	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
		begin();
		unsigned n = takes("192.0.2.1", rates[i]);

		/* A token takes whole nanoseconds. */
		OK(n >= rates[i] && n <= rates[i] + rates[i] / 10000);
		EQ(take("192.0.2.2", rates[i]), 0);
	}
}

CASE(tokens_come_back_at_the_rate)
{
	begin();
	EQ(takes("192.0.2.1", 10), 10);
	now_ms += 99;
	EQ(takes("192.0.2.1", 10), 0);
	now_ms += 1;
	EQ(takes("192.0.2.1", 10), 1);
	now_ms += 300;
	EQ(takes("192.0.2.1", 10), 3);
	now_ms += 1000000; /* and are never more than those of a second */
	EQ(takes("192.0.2.1", 10), 10);
}

CASE(who_asks_at_the_rate_is_never_refused)
{
	begin();
	for (int i = 0; i < 10000; i++, now_ms += 50)
		EQ(take("192.0.2.1", 20), 0);
}

CASE(what_is_too_many_is_counted_and_takes_no_token)
{
	begin();
	EQ(takes("192.0.2.1", 2), 2); /* and one too many */
	for (unsigned n = 2; n < 1000; n++)
		EQ(take("192.0.2.1", 2), n);
	now_ms += 500;
	EQ(take("192.0.2.1", 2), 0);
}

CASE(addresses_of_one_network_ask_together)
{
	char client[40];

	begin();
	for (unsigned i = 0; i < 20; i++) {
		snprintf(client, sizeof client, "2001:db8:0:7::%x", i);
		EQ(take(client, 10) == 0, i < 10);
	}
	EQ(take("2001:db8:0:8::", 10), 0);
	EQ(takes("192.0.2.1", 10), 10);
	EQ(takes("[::ffff:192.0.2.1]:77", 10), 0);
}

CASE(who_proves_the_address_is_not_held_up_by_who_does_not)
{
	struct addr a;

	begin();
	EQ(takes("192.0.2.1", 10), 10);
	OK(addr_parse(&a, "192.0.2.1", 53));
	for (unsigned i = 0; i < 20; i++)
		EQ(pace_take(pace, &(struct pace_asks){ &a, true, now_ms }, 10) == 0, i < 10);
}

/* Half a million addresses that ask once each do not have anybody refused, and do not win back the
 * tokens of who has none. */
CASE(a_flood_of_made_up_addresses_is_nobody_elses_matter)
{
	char client[40];
	unsigned refused = 0, forgiven = 0;

	begin();
	takes("192.0.2.1", 10);
	for (unsigned i = 0; i < 500000; i++) {
		snprintf(client, sizeof client, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		refused += take(client, 10) != 0;
		if (i % 1000 == 0)
			forgiven += take("192.0.2.1", 10) == 0;
	}
	EQ(refused, 0);
	EQ(forgiven, 0);
}

static void *ask(void *count)
{
	unsigned *n = count;

	for (int i = 0; i < 100000; i++)
		*n += take("192.0.2.1", 1000) == 0;
	return NULL;
}

CASE(threads_share_the_tokens)
{
	pthread_t threads[4];
	unsigned counts[4] = { 0 }, all = 0;

	begin();
	take("192.0.2.1", 1000); /* it is there */
	for (int i = 0; i < 4; i++)
		EQ(pthread_create(&threads[i], NULL, ask, &counts[i]), 0);
	for (int i = 0; i < 4; i++) {
		EQ(pthread_join(threads[i], NULL), 0);
		all += counts[i];
	}
	EQ(all, 999);
	pace_free(pace);
	pace = NULL;
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_burst_is_what_comes_in_a_second),
		CLAIM(tokens_come_back_at_the_rate),
		CLAIM(who_asks_at_the_rate_is_never_refused),
		CLAIM(what_is_too_many_is_counted_and_takes_no_token),
		CLAIM(addresses_of_one_network_ask_together),
		CLAIM(who_proves_the_address_is_not_held_up_by_who_does_not),
		CLAIM(a_flood_of_made_up_addresses_is_nobody_elses_matter),
		CLAIM(threads_share_the_tokens),
	};

	return RUN(cases);
}
