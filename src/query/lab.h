/* lab: what rules of test benches do by time, number and chance (`lab: true`).
 *
 * Shared by all workers. Counts are kept in a table of fixed size; what finds no room in it is not
 * counted, and no rule holds for it that has to count. All of it is of one configuration: another
 * one begins anew.
 */
#ifndef QUERY_LAB_H
#define QUERY_LAB_H

#include "base/rand.h"
#include "base/siphash.h"
#include "base/span.h"
#include "rules/rules.h"

/* Counts that are kept at most. */
#define LAB_COUNTS 4096

struct lab;

/* The key is borrowed. NULL: out of memory. */
struct lab *lab_new(const struct siphash_key *);
/* NULL is nothing. */
void lab_free(struct lab *);

/* One question that a rule is about. */
struct lab_question {
	const void *of; /* the configuration; it is only compared */
	const struct rule_conf *rule; /* likewise, but for its lab */
	const struct addr *client;
	struct span name; /* in lower case */
	struct rand *rand;
};

/* By chance, and if it is among the first: does the rule hold? It counts. From any thread. */
bool lab_holds(struct lab *, const struct lab_question *);
/* How long this one waits. */
unsigned lab_delay_ms(struct lab *, const struct lab_question *);

#endif
