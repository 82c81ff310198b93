#include "ask/patience.h"

#include "case.h"

static struct ask_plan plan(unsigned time_ms, unsigned tries)
{
	return (struct ask_plan){ .time_ms = time_ms, .tries = tries };
}

CASE(without_a_time_each_try_over_udp_waits_twice_as_long)
{
	const struct ask_plan p = plan(0, 99);

	EQ(patience_reply_ms(&p, SCHEME_UDP, 1, 0), 500);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 2, 500), 1000);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 3, 1500), 2000);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 8, 60000), 64000);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 99, 600000), 64000);
}

CASE(without_a_time_a_connection_and_its_reply_have_their_own)
{
	const struct ask_plan p = plan(0, 3);

	EQ(patience_open_ms(&p, SCHEME_TCP, 3500), 5000);
	EQ(patience_reply_ms(&p, SCHEME_TCP, 1, 8000), 5000);
	EQ(patience_reply_ms(&p, SCHEME_TLS, 1, 8000), 5000);
}

CASE(a_time_is_that_of_all_tries_and_the_last_has_the_rest)
{
	const struct ask_plan p = plan(5000, 3);

	EQ(patience_reply_ms(&p, SCHEME_UDP, 1, 0), 500);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 2, 500), 1000);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 3, 1500), 3500);
}

CASE(a_time_that_is_short_cuts_tries_off)
{
	const struct ask_plan p = plan(700, 3);

	EQ(patience_reply_ms(&p, SCHEME_UDP, 1, 0), 500);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 2, 500), 200);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 3, 700), 0);
	EQ(patience_reply_ms(&p, SCHEME_UDP, 3, 100000), 0);
}

CASE(tcp_behind_udp_has_what_is_left)
{
	const struct ask_plan p = plan(2000, 3);

	EQ(patience_open_ms(&p, SCHEME_TCP, 600), 1400);
	EQ(patience_reply_ms(&p, SCHEME_TCP, 1, 900), 1100);
	EQ(patience_open_ms(&p, SCHEME_TCP, 2000), 0);
}

CASE(tls_leaves_time_for_what_may_follow_it)
{
	struct ask_plan p = plan(2000, 3);

	EQ(patience_open_ms(&p, SCHEME_TLS, 0), 2000);
	p.tls_fallback = true;
	EQ(patience_open_ms(&p, SCHEME_TLS, 0), 1000);
	EQ(patience_open_ms(&p, SCHEME_TCP, 1000), 1000);
	EQ(patience_reply_ms(&p, SCHEME_TLS, 1, 300), 1700);
	p.time_ms = 1;
	EQ(patience_open_ms(&p, SCHEME_TLS, 0), 1);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(without_a_time_each_try_over_udp_waits_twice_as_long),
		CLAIM(without_a_time_a_connection_and_its_reply_have_their_own),
		CLAIM(a_time_is_that_of_all_tries_and_the_last_has_the_rest),
		CLAIM(a_time_that_is_short_cuts_tries_off),
		CLAIM(tcp_behind_udp_has_what_is_left),
		CLAIM(tls_leaves_time_for_what_may_follow_it),
	};

	return RUN(cases);
}
