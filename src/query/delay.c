#include "query/delay.h"

#include <stdlib.h>
#include <string.h>

/* Frees itself when its time has come. */
struct delayed {
	struct timer timer;
	struct query *query;
	enum verdict verdict;
	struct packed packed;
	char ede_text[EDNS_EDE_TEXT + 1];
	_Alignas(uint16_t) uint8_t memory[]; /* of what is packed */
};

/* Servers of a group that a reload has replaced take nothing new. */
static void renew_group(struct query *q)
{
	struct group *group = q->group ? upstreams_group_now(q->env->upstreams, q->group) : NULL;

	if (group == q->group)
		return;
	if (group)
		group_hold(group);
	group_let_go(q->group);
	q->group = group;
}

static void on_time(struct timer *t)
{
	struct delayed *d = container_of(t, struct delayed, timer);

	query_take_rules(d->query); /* other clients have asked meanwhile, maybe by other rules */
	renew_group(d->query);
	query_resume(d->query, d->verdict);
	free(d);
}

/* Rules, and what is packed here, are others by then. */
static void keep_answer(struct delayed *d, struct answer *a)
{
	if (a->packed) {
		d->packed = *a->packed;
		packed_move(&d->packed, d->memory);
		a->packed = &d->packed;
	}
	if (a->ede_text) {
		strncpy(d->ede_text, a->ede_text, EDNS_EDE_TEXT);
		a->ede_text = d->ede_text;
	}
}

enum verdict delay(struct query *q, enum verdict v, unsigned ms)
{
	bool has_answer = v == ANSWER && q->answer.packed;
	struct delayed *d;

	if (v == WAIT)
		return v;
	const char *refusal = query_take_place(q);

	if (refusal)
		return query_refuse_overload(q, refusal);
	d = calloc(1, sizeof *d + (has_answer ? packed_size(q->answer.packed) : 0));
	if (!d)
		return query_refuse_overload(q, "out of memory");
	d->timer.fire = on_time;
	d->query = q;
	d->verdict = v;
	if (v == ANSWER)
		keep_answer(d, &q->answer);
	timer_start(q->env->loop, &d->timer, ms);
	return WAIT;
}
