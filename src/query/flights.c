#include "query/flights.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { STRIPES = 16, PLACES = 256 }; /* powers of two */

/* A part of the table, with a lock of its own. */
struct stripe {
	_Alignas(64) pthread_mutex_t lock;
	struct flight *leaders[PLACES];
};

struct flights {
	struct stripe stripes[STRIPES];
};

/* What all who follow are told: one copy, freed by the last of them. */
struct landing {
	atomic_uint readers;
	bool told; /* there is a result */
	struct result result;
	struct packed packed;
	_Alignas(uint16_t) uint8_t memory[];
};

struct flights *flights_new(void)
{
	struct flights *all = aligned_alloc(64, sizeof *all);

	for (size_t i = 0; all && i < STRIPES; i++) {
		all->stripes[i] = (struct stripe){ .leaders = { NULL } };
		pthread_mutex_init(&all->stripes[i].lock, NULL);
	}
	return all;
}

void flights_free(struct flights *all)
{
	for (size_t i = 0; all && i < STRIPES; i++)
		pthread_mutex_destroy(&all->stripes[i].lock);
	free(all);
}

static struct stripe *stripe_of(struct flights *all, const struct flight *f)
{
	return &all->stripes[(f->key->hash >> 60) & (STRIPES - 1)];
}

static struct flight **leaders_at(struct stripe *s, const struct flight *f)
{
	return &s->leaders[(f->key->hash >> 32) & (PLACES - 1)];
}

bool flights_take_off(struct flights *all, struct flight *f)
{
	struct stripe *s = stripe_of(all, f);

	f->followers = f->leader = NULL;
	f->landing = NULL;
	pthread_mutex_lock(&s->lock);
	struct flight **at = leaders_at(s, f), *leader = *at;

	while (leader && !key_equals(leader->key, f->key))
		leader = leader->next;
	f->leader = leader;
	at = leader ? &leader->followers : at;
	f->next = *at;
	*at = f;
	pthread_mutex_unlock(&s->lock);
	return !leader;
}

static void take_out(struct flight **at, const struct flight *f)
{
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

/* NULL, out of memory, is as if nothing had come of it. */
static struct landing *landing_new(const struct result *r, unsigned readers)
{
	struct landing *l = malloc(sizeof *l + (r ? packed_size(r->packed) : 0));

	if (!l)
		return NULL;
	atomic_init(&l->readers, readers);
	l->told = r;
	if (!r)
		return l;
	l->packed = *r->packed;
	packed_move(&l->packed, l->memory);
	l->result = (struct result){ &l->packed, r->good };
	return l;
}

static void on_landing(void *arg)
{
	struct flight *f = arg;
	struct landing *l = f->landing;

	f->landing = NULL;
	f->landed(f, l && l->told ? &l->result : NULL);
	if (l && atomic_fetch_sub(&l->readers, 1) == 1)
		free(l);
}

void flights_land(struct flights *all, struct flight *leader, const struct result *r)
{
	struct stripe *s = stripe_of(all, leader);
	unsigned count = 0;

	pthread_mutex_lock(&s->lock);
	take_out(leaders_at(s, leader), leader);
	struct flight *followers = leader->followers;

	for (struct flight *f = followers; f; f = f->next) {
		f->leader = NULL; /* from here on it cannot leave */
		count++;
	}
	pthread_mutex_unlock(&s->lock);
	struct landing *landing = count ? landing_new(r, count) : NULL;

	while (followers) {
		struct flight *f = followers;

		followers = f->next; /* once posted, it may be gone */
		f->landing = landing;
		loop_post(f->loop, &f->post, on_landing, f);
	}
}

bool flights_leave(struct flights *all, struct flight *f)
{
	struct stripe *s = stripe_of(all, f);
	bool leaves;

	pthread_mutex_lock(&s->lock);
	leaves = f->leader;
	if (leaves)
		take_out(&f->leader->followers, f);
	f->leader = NULL;
	pthread_mutex_unlock(&s->lock);
	return leaves;
}
