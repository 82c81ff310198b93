#include "tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const fault_names[] = {
#define X(name, help) #name,
	FAULTS(X)
#undef X
};

static const char *const server_names[] = {
#define X(name, help) #name,
	SERVER_COUNTERS(X)
#undef X
};

enum { SERVER_COUNTS = sizeof server_names / sizeof *server_names };

/* What no random world can bring about: there are no names of servers, sessions are not resumed,
 * nobody speaks for others, clients ask for less than the least that limits.unsent can be, none
 * comes over TLS, limits that leave queries without an answer are not set, nobody is told by a dump
 * or by events, and there are neither lists nor protection against rebinding. */
static const char *const elsewhere[] = { "connections_resumed", "resumed", "names_asked",
	"names_failed", "clients_unread", "proxies_malformed", "clients_passed",
	"clients_not_passed", "queries_tls", "clients_unwelcome", "clients_tls",
	"clients_tls_resumed", "clients_tls_failed", "pace_dropped", "pace_truncated", "pace_held",
	"clients_asked_all", "clients_old", "rules_blocked", "rules_judged", "rules_exceeded", "dumped",
	"dump_lost", "events", "events_lost" };

const char *fault_name(enum fault_kind kind)
{
	return fault_names[kind];
}

int fault_by_name(const char *name, size_t len)
{
	for (int i = 0; i < FAULT_KINDS; i++)
		if (strlen(fault_names[i]) == len && memcmp(fault_names[i], name, len) == 0)
			return i;
	return -1;
}

void tally_add(struct tally *sum, const struct tally *t)
{
#define X(name, help) sum->name += t->name;
	SIGHTS(X)
#undef X
	for (int i = 0; i < FAULT_KINDS; i++)
		sum->faults[i] += t->faults[i];
	for (int i = 0; i < SERVER_COUNTS; i++)
		sum->servers[i] += t->servers[i];
	metrics_add(&sum->metrics, &t->metrics);
}

void tally_add_server(struct tally *t, const struct server_status *s)
{
	int i = 0;

#define X(name, help) t->servers[i++] += s->name;
	SERVER_COUNTERS(X)
#undef X
}

/* ---- telling ---- */

static void print_metric(void *arg, const char *name, const char *help, uint64_t value)
{
	(void)arg, (void)help;
	printf(" %s %" PRIu64, name, value);
}

void tally_print(const struct tally *t)
{
	printf("seen:");
#define X(name, help) printf(" %s %" PRIu64, #name, t->name);
	SIGHTS(X)
#undef X
	printf("\nfaults:");
	for (int i = 0; i < FAULT_KINDS; i++)
		printf(" %s %" PRIu64, fault_names[i], t->faults[i]);
	printf("\ndaemon:");
	metrics_each(&t->metrics, print_metric, NULL);
	printf("\nservers:");
	for (int i = 0; i < SERVER_COUNTS; i++)
		printf(" %s %" PRIu64, server_names[i], t->servers[i]);
	printf("\n");
}

/* ---- did everything happen? ---- */

static bool check(const char *what, const char *name, uint64_t value)
{
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (strcmp(name, elsewhere[i]) == 0)
			return true;
	if (!value)
		fprintf(stderr, "this never happened: %s %s\n", what, name);
	return value > 0;
}

static void check_metric(void *arg, const char *name, const char *help, uint64_t value)
{
	(void)help;
	*(bool *)arg &= check("counter", name, value);
}

bool tally_is_complete(const struct tally *t)
{
	bool complete = true;

#define X(name, help) complete &= check("sight", #name, t->name);
	SIGHTS(X)
#undef X
	for (int i = 0; i < FAULT_KINDS; i++)
		complete &= check("fault", fault_names[i], t->faults[i]);
	for (int i = 0; i < SERVER_COUNTS; i++)
		complete &= check("counter of servers", server_names[i], t->servers[i]);
	metrics_each(&t->metrics, check_metric, &complete);
	return complete;
}
