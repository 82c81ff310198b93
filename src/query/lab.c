#include "query/lab.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1000000

/* What is counted of a rule: each has counts of its own. */
enum purpose { FIRST, CHANCE, JITTER };

struct count {
	uint64_t hash; /* of whose it is; 0: nobody's */
	uint64_t n;
};

struct lab {
	pthread_mutex_t lock;
	const struct siphash_key *key;
	const void *of;
	struct count counts[LAB_COUNTS];
};

struct lab *lab_new(const struct siphash_key *key)
{
	struct lab *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	l->key = key;
	return l;
}

void lab_free(struct lab *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ---- counting ---- */

static struct span whose(const struct lab_question *q, enum purpose purpose)
{
	if (purpose == FIRST && q->rule->lab.per == PER_CLIENT)
		return addr_octets(q->client);
	if (purpose == FIRST && q->rule->lab.per == PER_NAME)
		return q->name;
	return (struct span){ (const uint8_t *)"", 0 };
}

static uint64_t hash_of(const struct lab *l, const struct lab_question *q, enum purpose purpose)
{
	struct span of = whose(q, purpose);
	uint8_t bytes[sizeof q->rule + 1 + NAME_MAX_WIRE];
	size_t len = sizeof q->rule;

	memcpy(bytes, &q->rule, len);
	bytes[len++] = (uint8_t)purpose;
	memcpy(bytes + len, of.at, of.len);
	return siphash(l->key, bytes, len + of.len) | 1;
}

/* NULL: there is no room for one more. */
static struct count *find(struct lab *l, uint64_t hash)
{
	size_t at = (hash >> 1) % LAB_COUNTS;

	for (size_t i = 0; i < LAB_COUNTS; i++, at = (at + 1) % LAB_COUNTS) {
		struct count *c = &l->counts[at];

		if (c->hash == hash)
			return c;
		if (c->hash)
			continue;
		c->hash = hash;
		return c;
	}
	return NULL;
}

/* How many there have been before this one. False: they are not counted. */
static bool count(struct lab *l, const struct lab_question *q, enum purpose purpose, uint64_t *n)
{
	pthread_mutex_lock(&l->lock);
	if (l->of != q->of) {
		memset(l->counts, 0, sizeof l->counts);
		l->of = q->of;
	}
	struct count *c = find(l, hash_of(l, q, purpose));

	if (c)
		*n = c->n++;
	pthread_mutex_unlock(&l->lock);
	return c;
}

/* ---- chance ---- */

/* Below that: unpredictable, or the next of those that follow from the seed. */
static uint32_t draw(
	struct lab *l, const struct lab_question *q, enum purpose purpose, uint32_t below)
{
	const struct siphash_key seed = { { q->rule->lab.seed, (uint64_t)purpose } };
	uint64_t n;

	if (!seed.k[0] || !count(l, q, purpose, &n))
		return rand_below(q->rand, below);
	return (uint32_t)(siphash(&seed, &n, sizeof n) % below);
}

bool lab_holds(struct lab *l, const struct lab_question *q)
{
	const struct lab_conf *conf = &q->rule->lab;
	uint64_t before;

	if (conf->chance && draw(l, q, CHANCE, MILLION) >= conf->chance)
		return false;
	return !conf->first || (count(l, q, FIRST, &before) && before < conf->first);
}

unsigned lab_delay_ms(struct lab *l, const struct lab_question *q)
{
	const struct lab_conf *conf = &q->rule->lab;

	return conf->delay_ms + (conf->jitter_ms ? draw(l, q, JITTER, conf->jitter_ms + 1) : 0);
}
