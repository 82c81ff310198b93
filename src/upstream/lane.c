/* lane: the connections of one transport to one server, and the exchanges that wait for one.
 *
 * There is one connection at any rate that the server sustains, and a second one while the first
 * is suspect. One is dialled at a time; when it is late, those that wait for it are told, and the
 * next address of the host is tried as well, if there is one. A server that closes connections
 * while it owes answers is given no more exchanges on one connection than it has answered on
 * another (the window): then the lane is narrow, and may have several connections.
 */
#include "upstream/server.h"

#include "base/bug.h"
#include "net/routes.h"

#include <errno.h>

/* A window below this makes a lane narrow. */
#define NARROW 64
/* Connections that take exchanges, and those being made. */
#define CONNS_WIDE   2
#define CONNS_NARROW 8
#define DIALS_NARROW 4
/* A connection that has been open this long after its window was used up could have taken more. */
#define WIDEN_MS 1000
/* A second lane is dialled again this long after a failure. */
#define SECOND_PAUSE_MS 1000
/* The shortest idle time that is learned; who closes sooner has another reason. */
#define IDLE_LEAST_MS 500
/* Traffic is expected where exchanges come less than so many idle times apart. */
#define GAPS_PER_IDLE 4

static struct upstreams *all_of(const struct lane *l)
{
	return l->server->all;
}

/* Where the limit itself is low, a window of that is no sign of anything. */
static bool is_narrow(const struct lane *l)
{
	return l->transport->connects && l->window < NARROW &&
		l->window < all_of(l)->conf->in_flight;
}

/* The other one is for what cannot go over it, and says little about the server. */
static bool is_main(const struct lane *l)
{
	return l == &l->server->lanes[LANE_MAIN];
}

/* ---- connections ---- */

static bool is_usable(const struct conn *c)
{
	return c->open && !c->suspect && !c->leaving;
}

static bool has_room(const struct conn *c)
{
	const struct lane *l = c->lane;

	return is_usable(c) && (is_narrow(l) ? c->taken : c->in_flight) < l->window;
}

struct census {
	unsigned usable, dialling, all; /* all: but those that leave */
};

static struct census census_of(const struct lane *l)
{
	struct census n = { 0 };

	for (const struct list *node = l->conns.next; node != &l->conns; node = node->next) {
		const struct conn *c = container_of(node, struct conn, node);

		n.usable += is_usable(c);
		n.dialling += !c->open && !c->leaving;
		n.all += !c->leaving;
	}
	return n;
}

static struct conn *conn_with_room(struct lane *l)
{
	for (struct list *node = l->conns.next; node != &l->conns; node = node->next) {
		struct conn *c = container_of(node, struct conn, node);

		if (has_room(c))
			return c;
	}
	return NULL;
}

bool lane_is_dialling(const struct lane *l)
{
	return census_of(l).dialling > 0;
}

bool lane_is_open(const struct lane *l)
{
	return census_of(l).usable > 0;
}

static void leave(struct conn *c)
{
	if (c->leaving)
		return;
	c->leaving = true;
	c->lane->transport->finish(c);
}

/* ---- exchanges that wait ---- */

static void enter_queue(struct lane *l, struct exchange *e)
{
	e->lane = l;
	e->conn = NULL;
	e->stalled = false;
	list_push(&l->queue, &e->node);
	l->queued++;
}

static void leave_queue(struct exchange *e)
{
	list_remove(&e->node);
	e->lane->queued--;
}

static int put_on(struct conn *c, struct exchange *e)
{
	struct upstreams *u = all_of(c->lane);
	int err;

	e->lane = c->lane;
	e->stalled = false;
	e->sent_us = loop_now_us(u->loop);
	e->edns = e->sent_us / 1000 >= e->server->no_edns_until_ms;
	err = c->lane->transport->send(c, e);
	if (err) {
		e->lane = NULL;
		return err;
	}
	e->conn = c;
	e->sent++;
	c->in_flight++;
	c->taken++;
	u->metrics->exchanges++;
	e->server->known.requests++;
	return 0;
}

bool conn_ask(struct conn *c, struct exchange *e, const struct ask *ask)
{
	e->server = c->lane->server;
	e->ask = *ask;
	e->sent = 0;
	if (put_on(c, e) < 0)
		return false;
	e->server->known.probes++;
	return true;
}

void exchange_end(struct exchange *e, enum outcome outcome, const struct reply *reply)
{
	e->lane = NULL;
	e->conn = NULL;
	e->done(e, outcome, reply);
}

void exchange_cancel(struct exchange *e)
{
	struct conn *c = e->conn;

	if (!e->lane)
		return;
	if (c) {
		e->lane->transport->forget(c, e);
		conn_release(c);
		if (c->suspect && !c->in_flight)
			leave(c); /* it owes nothing any more, and was of no use */
	} else {
		leave_queue(e);
	}
	e->lane = NULL;
	e->conn = NULL;
}

bool exchange_is_stuck(const struct exchange *e)
{
	return e->stalled && e->conn && e->conn->suspect;
}

/* What they do about it may make them wait again. */
void lane_give_up(struct lane *l)
{
	struct list failed, *node;

	list_take(&l->queue, &failed);
	while ((node = list_first(&failed))) {
		struct exchange *e = container_of(node, struct exchange, node);

		leave_queue(e);
		exchange_end(e, e->sent ? LOST : UNSENT, NULL);
	}
}

/* ---- dialling ---- */

static bool may_dial(const struct lane *l)
{
	struct census n = census_of(l);

	if (l->server->awaits_names)
		return false;
	if (is_narrow(l))
		return n.dialling < DIALS_NARROW && n.all < CONNS_NARROW;
	return !n.dialling && !n.usable && n.all < CONNS_WIDE;
}

/* A failed connection may be followed by another one. */
static bool may_dial_again(const struct lane *l)
{
	const struct server *s = l->server;

	if (is_main(l))
		return server_may_dial(s);
	return !s->all->stopping && loop_now(s->all->loop) - l->failed_ms >= SECOND_PAUSE_MS;
}

/* It is dialled again soon, when it is looked after. */
static bool may_wait(const struct lane *l)
{
	return is_main(l) && server_stumbles(l->server);
}

static bool is_being_dialled(const struct lane *l, const struct addr *to)
{
	for (const struct list *node = l->conns.next; node != &l->conns; node = node->next) {
		const struct conn *c = container_of(node, struct conn, node);

		if (!c->open && !c->leaving && addr_equal(&c->to, to))
			return true;
	}
	return false;
}

/* The next one that is not being dialled; a narrow lane dials the same one several times. */
static const struct addr *next_address(struct lane *l)
{
	const struct server *s = l->server;
	const struct addr *to = &s->addrs[l->address++ % s->addr_count];

	for (size_t i = 1; i < s->addr_count && is_being_dialled(l, to); i++)
		to = &s->addrs[l->address++ % s->addr_count];
	return to;
}

static bool dial_address(struct lane *l)
{
	struct server *s = l->server;
	const struct addr *to = next_address(l);

	s->dialled_ms = loop_now(s->all->loop);
	s->known.dials += l->transport->connects;
	if (!l->transport->open(l, to))
		return false;
	l->tried++;
	timer_start(s->all->loop, &l->late, rtt_dial_ms(&s->known.rtt));
	return true;
}

bool lane_dial(struct lane *l)
{
	struct server *s = l->server;

	if (!s->addr_count) {
		s->dialled_ms = loop_now(s->all->loop);
		s->awaits_names = server_seek(s);
		timer_start(s->all->loop, &l->late, rtt_dial_ms(&s->known.rtt));
		return s->awaits_names;
	}
	server_refresh(s);
	l->tried = 0;
	return dial_address(l);
}

/* Those that wait are not given up, but may ask elsewhere as well. */
static void stall_queue(struct lane *l)
{
	struct list waiting, *node;

	list_take(&l->queue, &waiting);
	while ((node = list_first(&waiting))) {
		struct exchange *e = container_of(node, struct exchange, node);
		bool news = !e->stalled;

		list_remove(node);
		list_push(&l->queue, node);
		e->stalled = true;
		if (news && e->on_stalled)
			e->on_stalled(e);
	}
}

static void on_late(struct timer *t)
{
	struct lane *l = container_of(t, struct lane, late);

	if (!lane_is_dialling(l) && !l->server->awaits_names)
		return;
	l->careful = true;
	if (l->tried < l->server->addr_count)
		dial_address(l);
	else
		server_seek(l->server); /* it may have other addresses by now */
	if (lane_is_open(l))
		return;
	if (is_main(l))
		server_is_late(l->server);
	stall_queue(l);
}

int lane_send(struct lane *l, struct exchange *e)
{
	struct conn *c = list_empty(&l->queue) ? conn_with_room(l) : NULL;

	if (c)
		return put_on(c, e);
	if (l->queued >= all_of(l)->conf->in_flight)
		return -EAGAIN;
	if (may_dial(l)) {
		bool may = may_dial_again(l);

		if (!may && !may_wait(l))
			return -EAGAIN;
		if (may && !lane_dial(l))
			return -ENOMEM;
	}
	enter_queue(l, e);
	return 0;
}

void lane_pump(struct lane *l)
{
	struct list *node;
	struct conn *c;

	while ((node = list_first(&l->queue)) && (c = conn_with_room(l))) {
		struct exchange *e = container_of(node, struct exchange, node);

		leave_queue(e);
		if (put_on(c, e) < 0) {
			enter_queue(l, e);
			lane_give_up(l); /* the others would fare no better */
			return;
		}
	}
	if (list_empty(&l->queue) || !may_dial(l))
		return;
	if (!may_dial_again(l) && may_wait(l))
		return;
	if ((!may_dial_again(l) || !lane_dial(l)) && !lane_is_dialling(l))
		lane_give_up(l);
}

static void on_pump(struct task *t)
{
	lane_pump(container_of(t, struct lane, pump));
}

static bool can_take(struct lane *l)
{
	if (list_empty(&l->queue) && conn_with_room(l))
		return true;
	return l->queued < all_of(l)->conf->in_flight && (!may_dial(l) || may_dial_again(l));
}

bool exchange_move(struct exchange *e, unsigned lane)
{
	struct lane *to = &e->server->lanes[lane];

	if (!can_take(to))
		return false;
	exchange_cancel(e);
	if (lane_send(to, e) < 0)
		exchange_end(e, LOST, NULL);
	return true;
}

/* ---- addresses ---- */

static bool is_current(const struct conn *c)
{
	const struct server *s = c->lane->server;

	for (size_t i = 0; i < s->addr_count; i++)
		if (addr_equal(&s->addrs[i], &c->to))
			return true;
	return false;
}

/* The address is dialled first next time. */
static void prefer(struct lane *l, const struct addr *to)
{
	for (unsigned i = 0; i < l->server->addr_count; i++)
		if (addr_equal(&l->server->addrs[i], to))
			l->address = i;
}

void lane_readdress(struct lane *l)
{
	list_each_safe (node, &l->conns) {
		struct conn *c = container_of(node, struct conn, node);

		if (!is_current(c))
			leave(c);
		else if (c->open)
			prefer(l, &c->to);
	}
	if (lane_is_dialling(l) && !l->late.running && l->tried < l->server->addr_count)
		dial_address(l); /* what is being dialled is late already */
	lane_pump(l);
}

/* ---- what transports tell ---- */

void conn_init(struct conn *c, struct lane *l, const struct addr *to)
{
	*c = (struct conn){ .lane = l, .to = *to };
	list_push(&l->conns, &c->node);
}

/* The race is won: the other addresses are not needed. */
static void end_race(struct lane *l, const struct conn *winner)
{
	struct server *s = l->server;

	timer_stop(s->all->loop, &l->late);
	list_each_safe (node, &l->conns) {
		struct conn *c = container_of(node, struct conn, node);

		if (c != winner && !c->open && !is_narrow(l))
			leave(c);
	}
	prefer(l, &winner->to);
}

void conn_opened(struct conn *c, const struct tls_facts *facts)
{
	struct lane *l = c->lane;

	c->open = true;
	end_race(l, c);
	if (l->transport->connects)
		server_connected(l->server, c, facts);
	lane_pump(l);
}

void conn_suspected(struct conn *c)
{
	struct lane *l = c->lane;

	c->suspect = l->careful = true;
	l->server->known.suspected++;
	if (is_main(l) && !lane_is_open(l))
		server_is_late(l->server);
}

void conn_release(struct conn *c)
{
	c->in_flight--;
	if (c->lane->queued)
		loop_later(all_of(c->lane)->loop, &c->lane->pump);
}

void conn_replied(struct conn *c, struct exchange *e, const struct reply *reply)
{
	struct lane *l = c->lane;

	conn_release(c);
	c->replies++;
	c->suspect = false;
	server_answered(l->server, e, reply);
	exchange_end(e, REPLIED, reply);
	if (!list_empty(&l->queue))
		lane_pump(l);
}

static bool is_used_up(const struct conn *c)
{
	return is_narrow(c->lane) && c->taken >= c->lane->window;
}

unsigned conn_idle_ms(const struct conn *c)
{
	return is_used_up(c) ? WIDEN_MS : c->lane->idle_ms;
}

static bool is_traffic_expected(const struct lane *l, const struct conn *c)
{
	unsigned gap = l->server->gap_ms;

	return is_main(l) && c->replies && gap && gap < GAPS_PER_IDLE * l->idle_ms &&
		!all_of(l)->stopping && l->server->current;
}

/* Another connection for the traffic that will come, so that it need not wait for one. */
static void renew(struct lane *l, const struct conn *c)
{
	if (is_traffic_expected(l, c) && may_dial(l) && server_may_dial(l->server))
		lane_dial(l);
}

void conn_idle(struct conn *c)
{
	struct lane *l = c->lane;
	unsigned most = all_of(l)->conf->idle_ms;

	if (is_used_up(c)) {
		l->window *= 2;
		if (!is_narrow(l))
			l->window = all_of(l)->conf->in_flight;
		lane_pump(l);
		return;
	}
	leave(c);
	l->server->known.closed_idle++;
	l->idle_ms += l->idle_ms / 4;
	if (l->idle_ms > most)
		l->idle_ms = most;
	renew(l, c);
}

void conn_keepalive(struct conn *c, unsigned ms)
{
	struct lane *l = c->lane;

	if (ms < l->idle_ms)
		l->idle_ms = ms < IDLE_LEAST_MS ? IDLE_LEAST_MS : ms;
	if (!ms)
		leave(c);
}

/* The server closed a connection on queries: twice in a row, it is no accident. */
static void learn_window(struct lane *l, const struct conn *c)
{
	if (!c->in_flight) {
		l->cut_short = 0;
		return;
	}
	if (c->replies && (++l->cut_short > 1 || is_narrow(l)) && c->replies < l->window)
		l->window = c->replies;
}

/* The server closed a connection that had nothing to do: next time we are gone before. */
static void learn_idle(struct lane *l, unsigned idle_ms)
{
	unsigned ms = idle_ms / 10 * 9;

	if (ms >= IDLE_LEAST_MS && ms < l->idle_ms)
		l->idle_ms = ms;
}

static void fail(struct lane *l, const struct conn *c, const struct fault *f)
{
	struct server *s = l->server;

	if (is_main(l)) {
		server_failed(s, &c->to, f);
		return;
	}
	l->failed_ms = loop_now(s->all->loop);
	s->all->metrics->connections_failed++;
	server_complain(s, &c->to, f);
}

static void dial_failed(struct lane *l, const struct conn *c, const struct fault *f)
{
	struct server *s = l->server;

	if (lane_is_dialling(l))
		return; /* another address is being tried */
	if (l->tried < s->addr_count && dial_address(l))
		return;
	timer_stop(all_of(l)->loop, &l->late);
	s->awaits_names = server_seek(s); /* it may have other addresses by now */
	fail(l, c, f);
	if (lane_is_open(l))
		return;
	if (s->awaits_names)
		stall_queue(l);
	else
		lane_give_up(l);
}

/* Where there is no dialling, this is how an address is found not to work. */
static void try_another_address(struct lane *l)
{
	l->address++;
	server_seek(l->server);
}

void conn_ended(struct conn *c, const struct fault *f, bool useful, unsigned idle_ms)
{
	struct lane *l = c->lane;
	bool was_leaving = c->leaving, was_open = c->open;

	c->open = false;
	c->leaving = true;
	if (was_leaving && !c->in_flight)
		return;
	if (!was_open) {
		dial_failed(l, c, f);
		return;
	}
	if (c->in_flight) {
		l->server->known.lost++;
		all_of(l)->metrics->connections_lost += c->replies > 0;
	}
	if (was_leaving)
		return; /* we ended it: that says nothing of the server */
	if (useful)
		learn_window(l, c);
	if (!useful && is_current(c)) {
		fail(l, c, f);
		if (!l->transport->connects)
			try_another_address(l);
	} else if (useful && !c->in_flight) {
		l->server->known.closed_idle++;
		learn_idle(l, idle_ms);
	}
}

void conn_gone(struct conn *c)
{
	list_remove(&c->node);
	upstreams_conn_gone(c->lane->server);
}

static void end_now(struct conn *c, const struct fault *f)
{
	c->leaving = true;
	c->lane->transport->end(c, f);
}

void lane_end(struct lane *l, const struct fault *f)
{
	list_each_safe (node, &l->conns) {
		end_now(container_of(node, struct conn, node), f);
	}
	lane_give_up(l);
}

/* The kernel would connect from another address by now, or cannot get there at all: what was
 * connected before is dead or will be. */
static bool is_stranded(const struct conn *c)
{
	const struct server_conf *conf = c->lane->server->conf;
	struct addr was, now;

	if (!c->lane->transport->local(c, &was))
		return false;
	return route_source(&c->to, &conf->source, conf->interface, &now) < 0 ||
		!addr_same_host(&was, &now);
}

void lane_rebind(struct lane *l, bool all)
{
	struct fault f;

	l->careful = false;
	fault_set(&f, PHASE_READ, "moved", "none: the next connection is made at once",
		"this host's network has changed under the connection");
	struct list *last = l->conns.prev; /* behind it come those that are made meanwhile */

	list_each_safe (node, &l->conns) {
		struct conn *c = container_of(node, struct conn, node);

		if (all || is_stranded(c))
			end_now(c, &f);
		if (node == last)
			break;
	}
}

/* ---- life ---- */

void lane_init(struct lane *l, struct server *s, const struct transport *t)
{
	l->server = s;
	l->transport = t;
	l->window = s->all->conf->in_flight;
	l->idle_ms = s->all->conf->idle_ms;
	l->late.fire = on_late;
	l->pump.run = on_pump;
	list_init(&l->conns);
	list_init(&l->queue);
}

/* What was learned stays; what was not follows the configuration. */
void lane_renew(struct lane *l, const struct upstream_conf *before)
{
	const struct upstream_conf *now = all_of(l)->conf;

	if (l->window == before->in_flight || l->window > now->in_flight)
		l->window = now->in_flight;
	if (l->idle_ms == before->idle_ms || l->idle_ms > now->idle_ms)
		l->idle_ms = now->idle_ms;
}

void lane_retire(struct lane *l)
{
	list_each_safe (node, &l->conns) {
		struct conn *c = container_of(node, struct conn, node);

		if (c->open || !l->queued)
			leave(c);
	}
}

void lane_finish(struct lane *l)
{
	timer_stop(all_of(l)->loop, &l->late);
	loop_cancel(&l->pump);
	list_each_safe (node, &l->conns) {
		leave(container_of(node, struct conn, node));
	}
}
