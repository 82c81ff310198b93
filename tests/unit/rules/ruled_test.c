/* Sets of rules here are nothing but the count of their owners. A sanitizer for threads sees more.
 */
#include "rules/ruled.h"

#include <stdlib.h>

#include "case.h"

struct ruleset {
	atomic_uint owners;
	unsigned number;
};

static atomic_uint alive;
static _Thread_local unsigned freed_here;

static struct ruleset *set_new(unsigned number)
{
	struct ruleset *set = malloc(sizeof(*set));

	OK(set);
	atomic_init(&set->owners, 1);
	set->number = number;
	alive++;
	return set;
}

struct ruleset *ruleset_share(struct ruleset *set)
{
	set->owners++;
	return set;
}

void ruleset_free(struct ruleset *set)
{
	if (!set || --set->owners > 0)
		return;
	free(set);
	alive--;
	freed_here++;
}

CASE(a_worker_has_the_set_in_force)
{
	struct ruled_here here = { NULL };
	struct ruled r;

	ruled_init(&r, set_new(1));
	EQ(ruled_get(&r, &here)->number, 1);
	EQ(ruled_get(&r, &here)->number, 1);
	EQ(here.set->owners, 2);

	struct ruleset *before = ruled_replace(&r, set_new(2));
	EQ(before->number, 1);
	EQ(ruled_get(&r, &here)->number, 2);
	EQ(before->owners, 1);
	ruleset_free(before);
	ruled_here_clear(&here);
	ruled_clear(&r);
	EQ(alive, 0);
}

/* The second one lies where the first one lay, as a worker may find it after a reload. */
CASE(a_set_of_another_configuration_is_not_taken_for_the_old_one)
{
	struct ruled_here here = { NULL };
	struct ruled r;

	ruled_init(&r, set_new(1));
	ruled_get(&r, &here);
	ruled_clear(&r);
	EQ(alive, 1);
	ruled_init(&r, set_new(2));
	EQ(ruled_get(&r, &here)->number, 2);
	EQ(alive, 1);
	ruled_here_clear(&here);
	ruled_here_clear(&here);
	ruled_clear(&r);
	EQ(alive, 0);
}

#define WORKERS 4
#define SETS    2000

static struct ruled shared;
static atomic_uint went_back, last_freed_by_worker;

/* Asks until the last set is in force. */
static void *work(void *arg)
{
	struct ruled_here here = { NULL };
	unsigned seen = 0;

	(void)arg;
	while (seen < SETS) {
		const unsigned now = ruled_get(&shared, &here)->number;

		went_back += now < seen;
		seen = now;
	}
	last_freed_by_worker += freed_here;
	ruled_here_clear(&here);
	return NULL;
}

/* What is replaced is kept until no worker has it. */
static void replace_all(struct ruleset *old[SETS])
{
	for (unsigned i = 0; i < SETS; i++)
		old[i] = ruled_replace(&shared, set_new(i + 1));
}

CASE(workers_go_on_while_sets_are_replaced)
{
	static struct ruleset *old[SETS];
	pthread_t threads[WORKERS];

	ruled_init(&shared, set_new(0));
	for (unsigned i = 0; i < WORKERS; i++)
		EQ(pthread_create(&threads[i], NULL, work, NULL), 0);
	replace_all(old);
	for (unsigned i = 0; i < WORKERS; i++)
		EQ(pthread_join(threads[i], NULL), 0);
	for (unsigned i = 0; i < SETS; i++) {
		EQ(old[i]->number, i);
		EQ(old[i]->owners, 1);
		ruleset_free(old[i]);
	}
	EQ(went_back, 0);
	EQ(last_freed_by_worker, 0);
	ruled_clear(&shared);
	EQ(alive, 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_worker_has_the_set_in_force),
		CLAIM(a_set_of_another_configuration_is_not_taken_for_the_old_one),
		CLAIM(workers_go_on_while_sets_are_replaced),
	};

	return RUN(cases);
}
