#include "upstream/pick.h"

#include "case.h"

#define SENDS 3

CASE(the_first_server_is_asked_first)
{
	struct candidate c[2] = { 0 };

	EQ(pick_next(c, 2, SENDS, 1000), 0);
}

CASE(a_server_that_was_asked_comes_after_one_that_was_not)
{
	struct candidate c[2] = { { .sends = 1 }, { .sends = 0 } };

	EQ(pick_next(c, 2, SENDS, 1000), 1);
}

CASE(nobody_is_asked_more_often_than_allowed)
{
	struct candidate c[2] = { { .sends = SENDS }, { .sends = SENDS } };

	EQ(pick_next(c, 2, SENDS, 1000), -1);
}

CASE(a_server_that_backs_off_is_passed_over)
{
	struct candidate c[2] = { { .retry_at_ms = 5000, .dialled_ms = 900 }, { 0 } };

	EQ(pick_next(c, 2, SENDS, 1000), 1);
	EQ(pick_next(c, 2, SENDS, 5000), 0);
}

CASE(where_all_back_off_one_is_tried_each_second)
{
	struct candidate c[2] = { { .retry_at_ms = 30000, .dialled_ms = 1000 },
		{ .retry_at_ms = 30000, .dialled_ms = 1500 } };

	EQ(pick_next(c, 2, SENDS, 1900), -1);
	EQ(pick_next(c, 2, SENDS, 2000), 0);
	c[0].dialled_ms = 2000;
	EQ(pick_next(c, 2, SENDS, 2400), -1);
	EQ(pick_next(c, 2, SENDS, 2500), 1);
}

CASE(a_connected_server_is_usable_whatever_happened_before)
{
	struct candidate c[1] = { { .connected = true, .retry_at_ms = 30000, .dialled_ms = 999 } };

	EQ(pick_next(c, 1, SENDS, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(the_first_server_is_asked_first),
		CLAIM(a_server_that_was_asked_comes_after_one_that_was_not),
		CLAIM(nobody_is_asked_more_often_than_allowed),
		CLAIM(a_server_that_backs_off_is_passed_over),
		CLAIM(where_all_back_off_one_is_tried_each_second),
		CLAIM(a_connected_server_is_usable_whatever_happened_before),
	};

	return RUN(cases);
}
