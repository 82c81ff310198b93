#include "query/shared.h"

#include "base/log.h"

static void say_no_memory(uint64_t size)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "cannot start: no memory for the cache");
	log_count(&l, "octets", size);
	log_str(&l, "hint", "set a smaller cache.size");
	log_end(&l);
}

bool shared_init(struct query_shared *s, const struct cache_conf *conf, unsigned workers)
{
	struct rand rand = { .left = 0 };

	*s = (struct query_shared){ 0 };
	siphash_key_make(&s->key, &rand);
	if (conf->size > 0)
		s->cache = cache_new(conf, &s->key);
	if (workers > 1)
		s->flights = flights_new();
	s->pace = pace_new(&s->key);
	s->lab = lab_new(&s->key);
	s->dump = dump_new();
	s->events = events_new();
	if ((conf->size > 0 && !s->cache) || (workers > 1 && !s->flights) || !s->pace || !s->lab ||
		!s->dump || !s->events) {
		say_no_memory(conf->size);
		return false;
	}
	return true;
}

void shared_clear(struct query_shared *s)
{
	cache_free(s->cache);
	flights_free(s->flights);
	pace_free(s->pace);
	lab_free(s->lab);
	dump_free(s->dump);
	events_free(s->events);
}
