#include "upstream/status.h"

#include "case.h"

/* Two workers' statuses, added up in this order. */
static struct server_status sum_of(const struct server_status *a, const struct server_status *b)
{
	struct server_status sum = { 0 };

	server_status_add(&sum, a);
	server_status_add(&sum, b);
	return sum;
}

/* Whichever comes first, the sum stands like that. */
static void stands(struct server_status a, struct server_status b, enum standing standing,
	uint64_t standing_ms)
{
	struct server_status sum = sum_of(&a, &b), other_way = sum_of(&b, &a);

	EQ(sum.standing, standing);
	EQ(sum.standing_ms, standing_ms);
	EQ(other_way.standing, standing);
	EQ(other_way.standing_ms, standing_ms);
}

#define STATUS(state, ms) ((struct server_status){ .standing = (state), .standing_ms = (ms) })

CASE(a_standing_has_a_name)
{
	STR(standing_name(UNTRIED), "untried");
	STR(standing_name(GOOD), "answers");
	STR(standing_name(DOUBTFUL), "late");
	STR(standing_name(DOWN), "down");
}

CASE(one_worker_alone_is_the_sum)
{
	struct server_conf conf = { 0 };
	struct server_status sum = { 0 }, s = STATUS(DOWN, 70);

	s.conf = &conf;
	server_status_add(&sum, &s);
	EQ(sum.standing, DOWN);
	EQ(sum.standing_ms, 70);
	OK(sum.conf == &conf);
}

CASE(the_better_standing_wins_with_its_time)
{
	stands(STATUS(GOOD, 10), STATUS(DOUBTFUL, 20), GOOD, 10);
	stands(STATUS(GOOD, 10), STATUS(DOWN, 20), GOOD, 10);
	stands(STATUS(DOUBTFUL, 10), STATUS(DOWN, 20), DOUBTFUL, 10);
}

CASE(who_has_not_tried_has_no_say)
{
	stands(STATUS(UNTRIED, 20), STATUS(GOOD, 10), GOOD, 10);
	stands(STATUS(UNTRIED, 20), STATUS(DOUBTFUL, 10), DOUBTFUL, 10);
	stands(STATUS(UNTRIED, 20), STATUS(DOWN, 10), DOWN, 10);
}

CASE(the_same_standing_counts_from_when_it_began)
{
	stands(STATUS(GOOD, 10), STATUS(GOOD, 20), GOOD, 20);
	stands(STATUS(DOWN, 10), STATUS(DOWN, 20), DOWN, 20);
	stands(STATUS(UNTRIED, 10), STATUS(UNTRIED, 20), UNTRIED, 20);
}

CASE(all_counters_are_summed_up)
{
	struct server_status a = { .connections = 1, .in_flight = 2 };
	struct server_status b = { .connections = 10, .in_flight = 20 };
	uint64_t n = 3;

#define X(name, help)                                                                              \
	a.name = n++;                                                                              \
	b.name = 1000;
	SERVER_COUNTERS(X)
#undef X
	for (unsigned i = 0; i < PHASES; i++) {
		a.errors[i] = i;
		b.errors[i] = 100;
	}
	struct server_status sum = sum_of(&a, &b);

	EQ(sum.connections, 11);
	EQ(sum.in_flight, 22);
	n = 3;
#define X(name, help) EQ(sum.name, 1000 + n++);
	SERVER_COUNTERS(X)
#undef X
	for (unsigned i = 0; i < PHASES; i++)
		EQ(sum.errors[i], 100 + i);
}

CASE(round_trip_times_join)
{
	struct server_status a = { 0 }, b = { 0 };

	rtt_measure(&a.rtt, 1000, 1);
	rtt_measure(&b.rtt, 9000, 2);
	struct server_status sum = sum_of(&b, &a);

	EQ(sum.rtt.total, 2);
	EQ(sum.rtt.smoothed_us, 9000);
}

CASE(the_facts_are_of_the_latest_connection)
{
	struct server_status old = {
		.connected_once = true, .connected_ms = 5000, .facts = { .version = "TLSv1.2" }
	};
	struct server_status recent = { .connected_once = true,
		.connected_ms = 10,
		.facts = { .version = "TLSv1.3", .resumed = true } };
	struct server_status never = { .connected_ms = 0 };

	addr_parse(&old.addr, "192.0.2.1", 853);
	addr_parse(&recent.addr, "192.0.2.2", 853);
	const struct server_status *both[][2] = { { &old, &recent }, { &recent, &old } };

	for (size_t i = 0; i < 2; i++) {
		struct server_status sum = sum_of(both[i][0], both[i][1]);

		STR(sum.facts.version, "TLSv1.3");
		OK(sum.facts.resumed);
		EQ(sum.connected_ms, 10);
		OK(addr_equal(&sum.addr, &recent.addr));
	}
	struct server_status sum = sum_of(&old, &never);

	OK(sum.connected_once);
	STR(sum.facts.version, "TLSv1.2");
	OK(addr_equal(&sum.addr, &old.addr));
	OK(!sum_of(&never, &never).connected_once);
}

CASE(an_address_that_was_only_tried_is_better_than_none)
{
	struct server_status never = { 0 }, tried = { 0 };

	addr_parse(&tried.addr, "192.0.2.1", 853);
	struct server_status sum = sum_of(&tried, &never), other_way = sum_of(&never, &tried);

	OK(addr_equal(&sum.addr, &tried.addr));
	OK(addr_equal(&other_way.addr, &tried.addr));
}

CASE(the_last_failure_is_the_later_one)
{
	struct server_status old = { .last_fault = { .phase = PHASE_VERIFY },
		.last_fault_ms = 900 };
	struct server_status recent = { .last_fault = { .phase = PHASE_CONNECT },
		.last_fault_ms = 10 };
	struct server_status never = { .last_fault_ms = 0 };

	EQ(sum_of(&old, &recent).last_fault.phase, PHASE_CONNECT);
	EQ(sum_of(&recent, &old).last_fault.phase, PHASE_CONNECT);
	EQ(sum_of(&recent, &old).last_fault_ms, 10);
	EQ(sum_of(&old, &never).last_fault_ms, 900);
	EQ(sum_of(&old, &never).last_fault.phase, PHASE_VERIFY);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_standing_has_a_name),
		CLAIM(one_worker_alone_is_the_sum),
		CLAIM(the_better_standing_wins_with_its_time),
		CLAIM(who_has_not_tried_has_no_say),
		CLAIM(the_same_standing_counts_from_when_it_began),
		CLAIM(all_counters_are_summed_up),
		CLAIM(round_trip_times_join),
		CLAIM(the_facts_are_of_the_latest_connection),
		CLAIM(an_address_that_was_only_tried_is_better_than_none),
		CLAIM(the_last_failure_is_the_later_one),
	};

	return RUN(cases);
}
