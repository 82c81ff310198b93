#include "upstream/status.h"

#include <string.h>

const char *standing_name(enum standing standing)
{
	static const char *const names[] = {
		[UNTRIED] = "untried", [GOOD] = "answers", [DOUBTFUL] = "late", [DOWN] = "down"
	};

	return names[standing];
}

const char *policy_name(enum policy policy)
{
	static const char *const names[] = { [POLICY_FASTEST] = "fastest",
		[POLICY_ORDERED] = "ordered",
		[POLICY_RACE] = "race",
		[POLICY_SPREAD] = "spread" };

	return names[policy];
}

static void add_standing(struct server_status *sum, const struct server_status *s)
{
	bool better =
		s->standing != UNTRIED && (sum->standing == UNTRIED || s->standing < sum->standing);

	if (better || (s->standing == sum->standing && s->standing_ms > sum->standing_ms)) {
		sum->standing = s->standing;
		sum->standing_ms = s->standing_ms;
	}
}

static void add_facts(struct server_status *sum, const struct server_status *s)
{
	bool later =
		s->connected_once && (!sum->connected_once || s->connected_ms < sum->connected_ms);

	if (later || sum->addr.any.sa_family == AF_UNSPEC)
		sum->addr = s->addr;
	if (!later)
		return;
	sum->connected_once = true;
	sum->connected_ms = s->connected_ms;
	sum->facts = s->facts;
	memcpy(sum->designated, s->designated, sizeof sum->designated);
}

static void add_faults(struct server_status *sum, const struct server_status *s)
{
	bool later = s->last_fault.phase != PHASE_NONE &&
		(sum->last_fault.phase == PHASE_NONE || s->last_fault_ms < sum->last_fault_ms);

	if (later) {
		sum->last_fault = s->last_fault;
		sum->last_fault_ms = s->last_fault_ms;
	}
	for (unsigned i = 0; i < PHASES; i++)
		sum->errors[i] += s->errors[i];
}

void server_status_add(struct server_status *sum, const struct server_status *s)
{
	sum->conf = s->conf;
	add_standing(sum, s);
	add_facts(sum, s);
	add_faults(sum, s);
	rtt_add(&sum->rtt, &s->rtt);
	sum->connections += s->connections;
	sum->in_flight += s->in_flight;
#define X(name, help) sum->name += s->name;
	SERVER_COUNTERS(X)
#undef X
}
