#include "upstream/again.h"

#include "case.h"

static struct again again;

CASE(what_was_never_found_is_due_and_may_be_looked_up_at_once)
{
	again_init(&again);
	OK(again_is_due(&again, 5000));
	EQ(again_pause_ms(&again, 5000), 0);
}

CASE(what_was_found_is_due_when_its_ttl_is_over)
{
	again_init(&again);
	again_found(&again, 5000, 60);
	OK(!again_is_due(&again, 64999));
	OK(again_is_due(&again, 65000));
}

CASE(nobody_can_make_us_ask_all_the_time_or_never)
{
	again_init(&again);
	again_found(&again, 0, 0);
	EQ(again.expires_ms, 30000);
	again_found(&again, 0, UINT32_MAX);
	EQ(again.expires_ms, 86400000);
}

CASE(pauses_double_up_to_half_a_minute_until_it_was_of_use)
{
	static const unsigned pauses[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };

	again_init(&again);
	for (unsigned i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		again_wait(&again, 5000, false);
		EQ(again_pause_ms(&again, 5000), pauses[i]);
		EQ(again_pause_ms(&again, 5000 + pauses[i]), 0);
	}
	again_wait(&again, 5000, true);
	EQ(again_pause_ms(&again, 5000), 1000);
}

CASE(when_the_world_has_changed_it_is_due_at_once)
{
	again_init(&again);
	again_found(&again, 5000, 60);
	again_wait(&again, 5000, false);
	again_forgive(&again);
	OK(again_is_due(&again, 5000));
	EQ(again_pause_ms(&again, 5000), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_was_never_found_is_due_and_may_be_looked_up_at_once),
		CLAIM(what_was_found_is_due_when_its_ttl_is_over),
		CLAIM(nobody_can_make_us_ask_all_the_time_or_never),
		CLAIM(pauses_double_up_to_half_a_minute_until_it_was_of_use),
		CLAIM(when_the_world_has_changed_it_is_due_at_once),
	};

	return RUN(cases);
}
