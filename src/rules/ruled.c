#include "rules/ruled.h"

void ruled_init(struct ruled *r, struct ruleset *set)
{
	pthread_mutex_init(&r->lock, NULL);
	atomic_init(&r->set, set);
}

void ruled_clear(struct ruled *r)
{
	ruleset_free(atomic_exchange(&r->set, NULL));
	pthread_mutex_destroy(&r->lock);
}

struct ruleset *ruled_replace(struct ruled *r, struct ruleset *set)
{
	pthread_mutex_lock(&r->lock);
	struct ruleset *before = atomic_exchange(&r->set, set);
	pthread_mutex_unlock(&r->lock);
	return before;
}

/* The lock keeps the set's owner while this worker becomes another one. */
static struct ruleset *share(struct ruled *r)
{
	pthread_mutex_lock(&r->lock);
	struct ruleset *set = atomic_load(&r->set);

	if (set)
		ruleset_share(set);
	pthread_mutex_unlock(&r->lock);
	return set;
}

const struct ruleset *ruled_get(struct ruled *of, struct ruled_here *here)
{
	if (here->set == atomic_load_explicit(&of->set, memory_order_acquire))
		return here->set;
	struct ruleset *before = here->set;

	here->set = share(of);
	ruleset_free(before);
	return here->set;
}

void ruled_here_clear(struct ruled_here *here)
{
	ruleset_free(here->set);
	here->set = NULL;
}
