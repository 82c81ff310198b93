/* many: see many.h. Messages under way are in a list, the oldest first: all have the same patience,
 * so one timer knows who is next. */
#include "ask/many.h"

#include "ask/timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* After so many it is no use to try again. */
#define REFUSALS_MOST 3

/* One message under way. */
struct flight {
	struct list node;
	struct lane *lane;
	unsigned which;
	uint16_t id;
	uint64_t sent_us;
};

/* One way, and who is under way on it. */
struct lane {
	struct many *many;
	struct way *way; /* NULL: none is open ... */
	bool stands; /* ... or it stands */
	struct flight *by_id[UINT16_MAX + 1];
};

struct many {
	struct means *means;
	const struct many_conf *conf;
	struct list under_way, spare;
	struct flight flights[MANY_UNDER_WAY];
	struct timer patience, pace;
	struct task start;
	uint64_t began_us;
	unsigned sent, ended, busy;
	unsigned refusals; /* in a row: ways that ended before they stood */
	bool over;
	int status;
	struct lane lanes[];
};

static void go_on(struct many *);

/* ---- the end of one, and of all ---- */

static void stop(struct many *m, int status)
{
	m->status = status;
	m->over = true;
	timer_stop(m->means->loop, &m->patience);
	timer_stop(m->means->loop, &m->pace);
	for (unsigned i = 0; i < m->conf->ways; i++) {
		way_close(m->lanes[i].way);
		m->lanes[i].way = NULL;
	}
	loop_stop(m->means->loop);
}

static void land(struct flight *f)
{
	struct many *m = f->lane->many;

	f->lane->by_id[f->id] = NULL;
	list_remove(&f->node);
	list_push(&m->spare, &f->node);
	m->busy--;
	m->ended++;
}

static void lose(struct flight *f, const struct fault *fault)
{
	struct many *m = f->lane->many;

	land(f);
	m->conf->lost(m->conf->arg, f->which, fault);
}

/* ---- patience ---- */

uint64_t many_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct flight *oldest(struct many *m)
{
	return container_of(list_first(&m->under_way), struct flight, node);
}

static void watch_oldest(struct many *m)
{
	if (!m->busy)
		timer_stop(m->means->loop, &m->patience);
	else if (!m->patience.running)
		timer_start(m->means->loop, &m->patience, means_patience_ms(m->means));
}

static void on_patience(struct timer *t)
{
	struct many *m = container_of(t, struct many, patience);
	uint64_t patience_us = means_patience_ms(m->means) * 1000u, left_ms = 0;

	while (m->busy && !left_ms) {
		uint64_t waited_us = many_now_us() - oldest(m)->sent_us;

		if (waited_us >= patience_us)
			lose(oldest(m), NULL);
		else
			left_ms = (patience_us - waited_us) / 1000 + 1;
	}
	if (left_ms)
		timer_start(m->means->loop, &m->patience, left_ms);
	go_on(m);
}

/* ---- what comes ---- */

static void on_opened(void *arg, const struct tls_facts *facts)
{
	struct lane *l = arg;

	l->stands = true;
	l->many->refusals = 0;
	if (facts && l->many->conf->secured)
		l->many->conf->secured(l->many->conf->arg, facts);
}

static void on_got(void *arg, struct span message)
{
	struct lane *l = arg;
	struct many *m = l->many;
	struct flight *f = message.len >= 2 ? l->by_id[message.at[0] << 8 | message.at[1]] : NULL;

	if (!f || !m->conf->got(m->conf->arg, f->which, message, many_now_us() - f->sent_us))
		return;
	land(f);
	go_on(m);
}

static void on_strayed(void *arg, const struct addr *from, struct span message)
{
	(void)arg, (void)from, (void)message;
}

/* Over UDP, a message that nobody wanted is lost by itself. */
static void on_closed(void *arg, const struct fault *fault)
{
	struct lane *l = arg;
	struct many *m = l->many;

	way_close(l->way);
	l->way = NULL;
	if (!l->stands)
		m->refusals++;
	l->stands = false;
	list_each_safe (node, &m->under_way) {
		struct flight *f = container_of(node, struct flight, node);

		if (f->lane == l)
			lose(f, fault);
	}
	if (m->refusals == REFUSALS_MOST && m->ended < m->conf->count)
		stop(m, means_status(fault));
	else
		go_on(m);
}

/* ---- what goes ---- */

static bool open_way(struct lane *l)
{
	static const struct way_events events = { on_opened, on_got, on_strayed, on_closed };
	struct means *means = l->many->means;
	struct way_conf conf = { .scheme = means_scheme(means), .events = &events, .arg = l };
	int err = means_way(means, &l->way, &conf);

	if (err == 0)
		return true;
	l->way = NULL;
	fprintf(stderr, "sotto query: cannot ask: %s\n", strerror(-err));
	return false;
}

static uint16_t fresh_id(struct lane *l)
{
	uint16_t id;

	do
		id = rand_u16(&l->many->means->rand);
	while (l->by_id[id]);
	return id;
}

/* 0, or an ask_status: it is no use to go on. */
static int send_next(struct many *m)
{
	struct lane *l = &m->lanes[m->sent % m->conf->ways];
	struct flight *f = container_of(list_first(&m->spare), struct flight, node);
	uint16_t id = fresh_id(l);
	const struct ask_message *message = m->conf->make(m->conf->arg, m->sent, id);

	if (!message)
		return ASK_USAGE;
	if (!l->way && !open_way(l))
		return ASK_HOST;
	list_remove(&f->node);
	list_push(&m->under_way, &f->node);
	f->lane = l;
	f->which = m->sent++;
	f->id = message->id;
	f->sent_us = many_now_us();
	l->by_id[f->id] = f;
	m->busy++;
	return way_send(l->way, (struct span){ message->octets, message->len }) ? 0 : ASK_HOST;
}

static bool is_due(const struct many *m)
{
	const struct many_conf *c = m->conf;

	return m->sent < c->count && m->busy < c->under_way &&
		(!c->rate || m->sent < timing_due(c->rate, many_now_us() - m->began_us));
}

static void go_on(struct many *m)
{
	const struct many_conf *c = m->conf;
	int status = 0;

	if (m->over)
		return;
	while (!status && is_due(m))
		status = send_next(m);
	if (status || m->ended == c->count) {
		stop(m, status);
		return;
	}
	if (c->rate && m->sent < c->count && m->busy < c->under_way)
		timer_start(m->means->loop, &m->pace,
			timing_wait_ms(c->rate, m->sent, many_now_us() - m->began_us));
	watch_oldest(m);
}

static void on_pace(struct timer *t)
{
	go_on(container_of(t, struct many, pace));
}

static void on_start(struct task *t)
{
	struct many *m = container_of(t, struct many, start);

	m->began_us = many_now_us();
	go_on(m);
}

int many_ask(struct means *means, const struct many_conf *conf)
{
	struct many *m = calloc(1, sizeof *m + conf->ways * sizeof *m->lanes);

	if (!m)
		return ASK_HOST;
	m->means = means;
	m->conf = conf;
	m->patience.fire = on_patience;
	m->pace.fire = on_pace;
	m->start.run = on_start;
	list_init(&m->under_way);
	list_init(&m->spare);
	for (size_t i = 0; i < MANY_UNDER_WAY; i++)
		list_push(&m->spare, &m->flights[i].node);
	for (unsigned i = 0; i < conf->ways; i++)
		m->lanes[i].many = m;
	loop_later(means->loop, &m->start);
	loop_run(means->loop);
	int status = m->status;

	free(m);
	return status;
}
