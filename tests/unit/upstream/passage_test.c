/* Which servers a client's own TLS can go on to. Nobody is at any of these addresses. */
#include "case.h"
#include "config/config.h"
#include "net/fault.h"
#include "upstream/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define THREE                                                                                      \
	"tls://127.0.0.1:1#one.example,tls://127.0.0.2:1#two.example,"                             \
	"tls://127.0.0.3:1#two.example"
#define BOOTSTRAP "tls://127.0.0.9:1#boot.example"

/* What a worker has of its upstreams. */
struct worker {
	struct loop *loop;
	struct rand rand;
	struct metrics metrics;
	struct upstreams *upstreams;
	bool conf_is_gone; /* the first one */
};

static struct config *config_of(const char *upstreams, const char *policy)
{
	const struct config_override overrides[] = { { "require", "nothing", NULL },
		{ "policy", policy, NULL }, { "upstreams", upstreams, NULL },
		{ "bootstrap", BOOTSTRAP, NULL },
		{ "zones.corp.example", "tls://127.0.0.4:1#ns.corp.example", NULL } };
	const struct config_sources sources = { .file = "/dev/null",
		.overrides = overrides,
		.override_count = 5,
		.certificates = true };
	struct config *c = config_new(&sources, stderr);

	OK(c);
	return c;
}

static void on_gone(void *arg)
{
	struct worker *w = arg;

	w->conf_is_gone = true;
}

static void begin(struct worker *w, const struct config *c)
{
	const struct loan loan = { .conf = &c->upstream, .gone = on_gone, .arg = w };

	*w = (struct worker){ .loop = loop_new() };
	OK(w->loop);
	w->upstreams = upstreams_new(w->loop, &loan, &w->rand, &w->metrics);
	OK(w->upstreams);
}

static void on_idle(void *arg)
{
	struct worker *w = arg;

	loop_stop(w->loop);
}

static void end(struct worker *w)
{
	upstreams_stop(w->upstreams, on_idle, w);
	loop_run(w->loop);
	loop_free(w->loop);
	upstreams_free(w->upstreams);
}

/* The last parts of the addresses, in order; "" where there is none. */
static const char *ways(struct worker *w, const char *name)
{
	static char text[PASSAGES_MAX + 1];
	struct passages p;
	int err = passages_find(w->upstreams, name, &p);

	OK(err == 0 || err == -EHOSTUNREACH);
	EQ(err == 0, p.count > 0);
	memset(text, 0, sizeof text);
	for (size_t i = 0; i < p.count; i++) {
		char addr[ADDR_TEXT];

		text[i] = addr_print(&p.all[i].to, addr)[strlen("127.0.0.")];
	}
	passages_clear(&p);
	return text;
}

static void fail_first(struct worker *w)
{
	struct passages p;
	struct fault f;

	EQ(passages_find(w->upstreams, "", &p), 0);
	fault_from_errno(&f, PHASE_CONNECT, ECONNREFUSED);
	passage_failed(&p, 0, &f);
	passages_clear(&p);
}

CASE(those_that_are_known_by_the_name_are_meant_and_no_others)
{
	struct config *c = config_of(THREE, "ordered");
	struct worker w;

	begin(&w, c);
	STR(ways(&w, "one.example"), "1");
	STR(ways(&w, "tWO.example"), "23");
	STR(ways(&w, "ns.corp.example"), "4");
	end(&w);
	config_free(c);
}

CASE(without_a_name_of_ours_it_goes_where_questions_go)
{
	/* One that has to be looked up, so that there are servers for that. */
	struct config *c = config_of(THREE ",tls://dns.example:1?bootstrap=127.0.0.5", "ordered");
	struct worker w;

	begin(&w, c);
	STR(ways(&w, ""), "1235");
	STR(ways(&w, "elsewhere.example"), "1235");
	STR(ways(&w, "boot.example"), "1235");
	end(&w);
	config_free(c);
}

CASE(only_those_that_speak_tls_are_of_use)
{
	struct config *c =
		config_of("tcp://127.0.0.1:1,tls://127.0.0.2:1,udp://127.0.0.3:1", "ordered");
	struct worker w;

	begin(&w, c);
	STR(ways(&w, ""), "2");
	end(&w);
	config_free(c);
	c = config_of("tcp://127.0.0.1:1", "ordered");
	begin(&w, c);
	STR(ways(&w, ""), "");
	end(&w);
	config_free(c);
}

CASE(who_failed_comes_last)
{
	struct config *c = config_of(THREE, "ordered");
	struct worker w;

	begin(&w, c);
	fail_first(&w);
	STR(ways(&w, ""), "231");
	fail_first(&w);
	STR(ways(&w, ""), "312");
	fail_first(&w);
	STR(ways(&w, ""), "123");
	fail_first(&w); /* for the second time: it is down, and the others may have stumbled */
	STR(ways(&w, ""), "231");
	EQ(w.metrics.connections_failed, 4);
	end(&w);
	config_free(c);
}

CASE(each_has_its_share_where_domains_are_spread)
{
	struct config *c = config_of("tls://127.0.0.1:1,tls://127.0.0.2:1", "spread");
	unsigned first[2] = { 0 };
	struct worker w;

	begin(&w, c);
	for (unsigned i = 0; i < 200; i++)
		first[ways(&w, "")[0] - '1']++;
	OK(first[0] && first[1]);
	end(&w);
	config_free(c);
}

CASE(addresses_of_a_host_are_tried_but_not_all_of_them)
{
	struct config *c = config_of("tls://dns.example:1?bootstrap=127.0.0.1,127.0.0.2,127.0.0.3,"
				     "tls://127.0.0.5:1#five.example",
		"ordered");
	struct worker w;

	begin(&w, c);
	STR(ways(&w, "dns.example"), "12");
	STR(ways(&w, ""), "125");
	end(&w);
	config_free(c);
}

CASE(an_address_that_nobody_knows_yet_is_looked_up)
{
	struct config *c = config_of("tls://dns.example:1", "ordered");
	struct passages p;
	struct worker w;

	begin(&w, c);
	EQ(passages_find(w.upstreams, "", &p), -EAGAIN);
	EQ(passages_find(w.upstreams, "", &p), -EAGAIN);
	EQ(w.metrics.names_asked, 1);
	end(&w);
	config_free(c);
}

static void stop(void *loop)
{
	loop_stop(loop);
}

/* All that is to be done at once. */
static void take_a_turn(struct worker *w)
{
	struct post post = { 0 };

	loop_post(w->loop, &post, stop, w->loop);
	loop_run(w->loop);
}

CASE(what_was_found_outlives_a_reload)
{
	struct config *c = config_of(THREE, "ordered"),
		      *next = config_of("tls://127.0.0.7:1", "ordered");
	struct worker w;
	struct passages p;

	begin(&w, c);
	EQ(passages_find(w.upstreams, "two.example", &p), 0);
	OK(upstreams_prepare(w.upstreams, &(struct loan){ .conf = &next->upstream }));
	upstreams_swap(w.upstreams);
	take_a_turn(&w);
	OK(!w.conf_is_gone);
	STR(passage_text(&p, 1), "tls://127.0.0.3:1#two.example");
	passages_clear(&p);
	take_a_turn(&w);
	OK(w.conf_is_gone);
	STR(ways(&w, "two.example"), "7");
	end(&w);
	config_free(c);
	config_free(next);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(those_that_are_known_by_the_name_are_meant_and_no_others),
		CLAIM(without_a_name_of_ours_it_goes_where_questions_go),
		CLAIM(only_those_that_speak_tls_are_of_use),
		CLAIM(who_failed_comes_last),
		CLAIM(each_has_its_share_where_domains_are_spread),
		CLAIM(addresses_of_a_host_are_tried_but_not_all_of_them),
		CLAIM(an_address_that_nobody_knows_yet_is_looked_up),
		CLAIM(what_was_found_outlives_a_reload),
	};

	return RUN(cases);
}
