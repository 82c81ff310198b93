#include "case.h"
#include "config/config.h"
#include "dns/name.h"
#include "upstream/upstream.h"

#include <stdio.h>

#define DOMAINS 64

static const char few[] = "tcp://192.0.2.1,tcp://192.0.2.2",
		  more[] = "tcp://192.0.2.1,tcp://192.0.2.2,tcp://192.0.2.3";

/* What a worker has of its upstreams. */
struct worker {
	struct loop *loop;
	struct rand rand;
	struct metrics metrics;
	struct upstreams *upstreams;
};

static struct config *config_of(const char *upstreams)
{
	const struct config_override overrides[] = { { "require", "nothing", NULL },
		{ "policy", "spread", NULL }, { "upstreams", upstreams, NULL } };
	const struct config_sources sources = {
		.file = "/dev/null", .overrides = overrides, .override_count = 3
	};
	struct config *c = config_new(&sources, stderr);

	OK(c);
	return c;
}

static void begin(struct worker *w, const struct config *c)
{
	const struct loan loan = { .conf = &c->upstream };

	*w = (struct worker){ .loop = loop_new() };
	OK(w->loop);
	w->upstreams = upstreams_new(w->loop, &loan, &w->rand, &w->metrics);
	OK(w->upstreams);
}

static void prepare(struct worker *w, const struct config *c)
{
	const struct loan loan = { .conf = &c->upstream };

	OK(upstreams_prepare(w->upstreams, &loan));
}

static void end(struct worker *w)
{
	loop_free(w->loop);
	upstreams_free(w->upstreams);
}

/* The place of the server that is asked for names of the n-th domain. */
static int asked(struct worker *w, unsigned n)
{
	const struct attempts none = { 0 };
	uint8_t wire[NAME_MAX_WIRE];
	struct question q = { wire, 0, TYPE_A, CLASS_IN };
	char text[32];

	snprintf(text, sizeof text, "d%u.example", n);
	q.name_len = name_from_text(text, wire);
	return group_pick(upstreams_group(w->upstreams, &q), &none, &q);
}

/* A reload that fails in one worker has been prepared in those before it, and not in those behind.
 */
CASE(a_domain_has_its_server_in_all_workers_whatever_was_forgotten)
{
	struct config *now = config_of(few), *next = config_of(more);
	unsigned of_the_new_one = 0;
	struct worker one, other;

	begin(&one, now);
	begin(&other, now);
	prepare(&one, next);
	upstreams_forget(one.upstreams);
	prepare(&one, next);
	prepare(&other, next);
	upstreams_swap(one.upstreams);
	upstreams_swap(other.upstreams);
	for (unsigned n = 0; n < DOMAINS; n++) {
		EQ(asked(&one, n), asked(&other, n));
		of_the_new_one += asked(&one, n) == 2;
	}
	OK(of_the_new_one);
	end(&one);
	end(&other);
	config_free(now);
	config_free(next);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_domain_has_its_server_in_all_workers_whatever_was_forgotten),
	};

	return RUN(cases);
}
