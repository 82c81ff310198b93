/* What stands in for the world behaves as the world does, as far as plays rely on it. */
#include "cast.h"

#include "base/jumps.h"
#include "case.h"
#include "net/asking.h"
#include "net/routes.h"
#include "net/stream.h"
#include "world.h"

#include <errno.h>

#define DELAY_MS 10

/* A world with one upstream, and the daemon's end of one question. */
struct scene {
	struct loop *loop;
	struct chronicle chronicle;
	struct cast cast;
	struct actor *one;
	struct asking *asking;
	uint64_t began_ms, heard_ms;
	int messages, error;
	uint16_t id, flags;
};

static void on_moment_over(void *arg, uint64_t next_ms)
{
	(void)arg, (void)next_ms;
}

static void on_got(void *arg, struct span m)
{
	struct scene *s = arg;

	s->messages++;
	s->heard_ms = loop_now(s->loop) - s->began_ms;
	s->id = message_id(m);
	s->flags = (uint16_t)(m.at[2] << 8 | m.at[3]);
}

static void on_failed(void *arg, int error)
{
	struct scene *s = arg;

	s->error = error;
	s->heard_ms = loop_now(s->loop) - s->began_ms;
}

static void begin(struct scene *s)
{
	static const struct peers peers = { .datagram = cast_datagram,
		.dialled = cast_dialled,
		.moment_over = on_moment_over,
		.asked = cast_asked };

	*s = (struct scene){ .loop = loop_new() };
	chronicle_open(&s->chronicle);
	cast_open(&s->cast, &s->chronicle);
	s->one = upstream_new(&s->cast, "one", "udp", DELAY_MS);
	s->began_ms = loop_now(s->loop);
	s->chronicle.loop = s->loop;
	s->chronicle.zero_ms = s->began_ms;
	cast_enter(&s->cast, s->loop);
	loop_world(s->loop)->peers = &peers;
	loop_world(s->loop)->arg = &s->cast;
}

static void end(struct scene *s)
{
	asking_close(s->asking);
	OK(list_empty(&loop_world(s->loop)->askings));
	loop_free(s->loop);
	cast_clear(&s->cast);
}

/* Asks for a name under an ID, and lets happen what will. */
static void ask(struct scene *s, uint16_t id, const char *name)
{
	struct asking_conf conf = { .got = on_got, .failed = on_failed, .arg = s };
	static uint8_t query[MESSAGE_MAX];
	struct form plain = { 0 };

	EQ(asking_open(&s->asking, s->loop, &s->one->addr, &conf), 0);
	size_t len = message_query(query, id, name, 1, &plain);

	EQ(asking_send(s->asking, (struct span){ query, len }), 0);
	loop_run(s->loop);
}

static void answer(struct scene *s, const char *name, const struct form *f)
{
	struct letter *l = actor_question(s->one, name, false);

	OK(l);
	upstream_answer(l, s->one, f);
	loop_run(s->loop);
}

/* ---- sockets that ask ---- */

CASE(a_datagram_takes_the_delay_each_way)
{
	struct form plain = { 0 };
	struct scene s;

	begin(&s);
	ask(&s, 77, "a.test");
	EQ(loop_now(s.loop) - s.began_ms, DELAY_MS);
	EQ(s.one->asked, 1);
	EQ(s.messages, 0);
	answer(&s, "a.test", &plain);
	EQ(s.messages, 1);
	EQ(s.id, 77);
	EQ(s.heard_ms, 2 * DELAY_MS);
	end(&s);
}

CASE(it_can_be_answered_wrongly)
{
	struct form lie = { 0 };
	struct scene s;

	begin(&s);
	ask(&s, 77, "a.test");
	OK(form_word(&lie, "another-ID") && form_word(&lie, "tc") && form_word(&lie, "twice"));
	answer(&s, "a.test", &lie);
	EQ(s.messages, 2);
	OK(s.id != 77);
	OK(s.flags & 0x0200);
	end(&s);
}

CASE(octets_go_to_who_asked_last)
{
	struct scene s;

	begin(&s);
	OK(!actor_send(s.one, (struct span){ (const uint8_t *)"\x4d\0\x80\0", 4 }));
	ask(&s, 77, "a.test");
	OK(actor_send(s.one, (struct span){ (const uint8_t *)"\0\x4d\x80\0", 4 }));
	loop_run(s.loop);
	EQ(s.messages, 1);
	EQ(s.id, 77);
	end(&s);
}

CASE(an_answer_to_a_closed_socket_is_lost)
{
	struct form plain = { 0 };
	struct scene s;

	begin(&s);
	ask(&s, 77, "a.test");
	asking_close(s.asking);
	s.asking = NULL;
	answer(&s, "a.test", &plain);
	EQ(s.messages, 0);
	/* The next one has another port, and does not get it either. */
	ask(&s, 78, "b.test");
	EQ(s.messages, 0);
	end(&s);
}

CASE(an_upstream_that_refuses_connections_refuses_datagrams)
{
	struct scene s;

	begin(&s);
	s.one->dial = DIAL_REFUSED;
	ask(&s, 77, "a.test");
	EQ(s.error, -ECONNREFUSED);
	EQ(s.heard_ms, 2 * DELAY_MS);
	EQ(s.one->asked, 0);
	end(&s);
}

CASE(an_upstream_that_vanished_hears_nothing)
{
	struct scene s;

	begin(&s);
	upstream_vanish(s.one);
	ask(&s, 77, "a.test");
	EQ(s.one->asked, 0);
	EQ(s.error, 0);
	end(&s);
}

/* ---- work ---- */

struct deed {
	struct work work;
	int runs, dones;
};

static void run(struct work *w)
{
	container_of(w, struct deed, work)->runs++;
}

static void done(struct work *w)
{
	container_of(w, struct deed, work)->dones++;
}

CASE(work_is_run_at_once_and_done_from_the_loop_at_that_moment)
{
	struct deed d = { .work = { run, done } };
	struct scene s;

	begin(&s);
	EQ(loop_work(s.loop, &d.work), 0);
	EQ(d.runs, 1);
	EQ(d.dones, 0);
	loop_run(s.loop);
	EQ(d.dones, 1);
	EQ(loop_now(s.loop), s.began_ms);
	end(&s);
}

/* ---- the host's network ---- */

static void on_changed(void *arg)
{
	struct scene *s = arg;

	s->messages++;
	s->heard_ms = loop_now(s->loop) - s->began_ms;
}

static void comes_from(const struct addr *to, const char *expected)
{
	struct addr source;
	char text[ADDR_TEXT];

	EQ(route_source(to, NULL, NULL, &source), 0);
	STR(addr_print_host(&source, text), expected);
}

CASE(changes_are_told_once_when_they_are_over)
{
	struct routes *routes;
	struct scene s;

	begin(&s);
	EQ(routes_watch(&routes, s.loop, on_changed, &s), 0);
	world_changes(s.loop);
	world_changes(s.loop);
	loop_run(s.loop);
	EQ(s.messages, 1);
	EQ(s.heard_ms, 100);
	world_changes(s.loop);
	routes_unwatch(routes);
	loop_run(s.loop);
	EQ(s.messages, 1);
	end(&s);
}

static void on_jumped(void *arg, bool slept)
{
	struct scene *s = arg;

	s->messages++;
	s->error = slept;
}

CASE(jumps_of_the_clock_are_told_at_that_moment)
{
	struct jumps *jumps;
	struct scene s;

	begin(&s);
	EQ(jumps_watch(&jumps, s.loop, on_jumped, &s), 0);
	world_jumps(s.loop, false);
	EQ(s.messages, 0);
	loop_run(s.loop);
	EQ(s.messages, 1);
	OK(!s.error);
	world_jumps(s.loop, true);
	loop_run(s.loop);
	EQ(s.messages, 2);
	OK(s.error);
	EQ(loop_now(s.loop), s.began_ms);
	jumps_unwatch(jumps);
	end(&s);
}

CASE(a_host_that_moves_has_other_addresses)
{
	struct addr v4, v6;
	struct scene s;

	begin(&s);
	OK(addr_parse(&v4, "192.0.2.1", 53) && addr_parse(&v6, "2001:db8::1", 53));
	comes_from(&v4, "10.0.0.53");
	comes_from(&v6, "fd00::53");
	cast_move(&s.cast);
	comes_from(&v4, "10.0.0.54");
	comes_from(&v6, "fd00::54");
	end(&s);
}

static void on_closed(void *arg, const struct fault *f)
{
	struct scene *s = arg;

	STR(phase_name(f->phase), "connect");
	STR(f->cause, "unreachable");
	s->messages++;
}

CASE(an_upstream_that_is_cut_off_is_unreachable_for_all_transports)
{
	const struct stream_events events = { .closed = on_closed };
	struct stream_conf conf = { .events = &events, .open_ms = 1000, .write_ms = 1000 };
	struct asking_conf asks = { .got = on_got, .failed = on_failed };
	struct addr source;
	struct scene s;

	begin(&s);
	conf.arg = asks.arg = &s;
	upstream_cut(s.one);
	EQ(route_source(&s.one->addr, NULL, NULL, &source), -ENETUNREACH);
	EQ(asking_open(&s.asking, s.loop, &s.one->addr, &asks), -ENETUNREACH);
	OK(stream_connect(s.loop, &s.one->addr, NULL, NULL, &conf));
	loop_run(s.loop);
	EQ(s.messages, 1);
	EQ(loop_now(s.loop), s.began_ms);

	upstream_return(s.one);
	comes_from(&s.one->addr, "10.0.0.53");
	ask(&s, 77, "a.test");
	EQ(s.one->asked, 1);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_datagram_takes_the_delay_each_way),
		CLAIM(it_can_be_answered_wrongly),
		CLAIM(octets_go_to_who_asked_last),
		CLAIM(an_answer_to_a_closed_socket_is_lost),
		CLAIM(an_upstream_that_refuses_connections_refuses_datagrams),
		CLAIM(an_upstream_that_vanished_hears_nothing),
		CLAIM(changes_are_told_once_when_they_are_over),
		CLAIM(jumps_of_the_clock_are_told_at_that_moment),
		CLAIM(a_host_that_moves_has_other_addresses),
		CLAIM(an_upstream_that_is_cut_off_is_unreachable_for_all_transports),
		CLAIM(work_is_run_at_once_and_done_from_the_loop_at_that_moment),
	};

	return RUN(cases);
}
