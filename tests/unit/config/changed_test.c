#include "config/changed.h"

#include "case.h"
#include "upstream/same.h"

#include <stdio.h>
#include <string.h>

/* A configuration that is in force, and one that follows it. */
static struct config *now, *next;
static struct changed changed;

/* Of settings as `KEY=VALUE KEY=VALUE`. */
static struct config *config_of(const char *settings)
{
	struct config_override overrides[8];
	size_t count = 0;
	char text[1024], *rest, *equals;

	snprintf(text, sizeof text, "%s", settings);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		equals = strchr(word, '=');
		*equals = '\0';
		overrides[count++] = (struct config_override){ word, equals + 1, NULL };
	}
	const struct config_sources sources = {
		.file = "/dev/null", .overrides = overrides, .override_count = count
	};
	struct config *c = config_new(&sources, stderr);

	OK(c);
	return c;
}

static void begin(const char *settings)
{
	now = config_of(settings);
}

/* The next one is in force then. True: the cache would have to be emptied. */
static bool follow(const char *settings)
{
	next = config_of(settings);
	changed_find(&changed, now, next);
	changed_keep(next, now);
	bool anew = same_number(&next->upstream, &now->upstream);

	config_free(now);
	now = next;
	return anew;
}

static void end(void)
{
	config_free(now);
}

static uint32_t number_of(const char *group)
{
	const struct upstream_conf *u = &now->upstream;

	for (size_t i = 0; i < u->group_count; i++)
		if (strcmp(u->groups[i].name, group) == 0)
			return u->groups[i].number;
	return GROUP_UNNUMBERED;
}

static bool are_same(const char *a, const char *b)
{
	char text[256];

	snprintf(text, sizeof text, "require=nothing upstreams=%s", a);
	struct config *one = config_of(text);
	snprintf(text, sizeof text, "require=nothing upstreams=%s", b);
	struct config *two = config_of(text);
	bool same = same_server(&one->upstream.servers[0], &two->upstream.servers[0]);

	config_free(one);
	config_free(two);
	return same;
}

/* ---- what has changed ---- */

CASE(what_is_said_otherwise_and_means_the_same_has_not_changed)
{
	begin("timeouts.query=4s");
	follow("timeouts.query=4000ms");
	STR(changed.at_once, "");
	STR(changed.after_restart, "");
	end();
}

CASE(keys_are_told_in_the_order_of_the_table)
{
	begin("policy=race");
	follow("hedge=false listen=127.0.0.1:5300 policy=ordered");
	STR(changed.at_once, "listen,policy,hedge");
	STR(changed.after_restart, "");
	end();
}

CASE(what_only_a_restart_changes_stays_and_is_told_each_time)
{
	begin("workers=2 cache.size=4MiB control=none state=none");
	for (int i = 0; i < 2; i++) {
		follow("workers=3 cache.size=8MiB control=/tmp/x state=/tmp cache.keep=false");
		STR(changed.at_once, "");
		STR(changed.after_restart, "state,workers,cache.size,cache.keep,control");
		EQ(now->workers, 2);
		EQ(now->cache.size, 4 << 20);
		STR(now->control, "none");
		OK(!now->upstream.state && now->cache_keep);
	}
	end();
}

CASE(the_mark_of_the_process_stays)
{
	char mark[MARK_LEN + 1];

	begin("");
	memcpy(mark, now->upstream.mark, sizeof mark);
	follow("policy=race");
	STR(now->upstream.mark, mark);
	end();
}

/* ---- servers ---- */

CASE(what_a_user_may_tune_makes_no_other_server)
{
	OK(are_same("tls://192.0.2.1#x.test", "tls://192.0.2.1:853#x.test?weight=7"));
	OK(are_same("tls://x.test", "tls://x.test?bootstrap=192.0.2.1"));
	OK(are_same("udp://192.0.2.1", "udp://192.0.2.1:53"));
}

CASE(what_decides_how_it_is_reached_or_trusted_makes_another_one)
{
	static const char pin_a[] =
		"tls://192.0.2.1#x.test?pin=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	static const char pin_b[] =
		"tls://192.0.2.1#x.test?pin=sha256/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";

	OK(!are_same("tls://192.0.2.1#x.test", "tls://192.0.2.2#x.test"));
	OK(!are_same("tls://192.0.2.1#x.test", "tls://192.0.2.1:8853#x.test"));
	OK(!are_same("tls://192.0.2.1#x.test", "tls://192.0.2.1#y.test"));
	OK(!are_same("tls://192.0.2.1#x.test", "tls://192.0.2.1"));
	OK(!are_same("tls://192.0.2.1#x.test", pin_a));
	OK(!are_same(pin_a, pin_b));
	OK(are_same(pin_a, pin_a));
	OK(!are_same("tls://192.0.2.1", "tls://192.0.2.1?verify=no"));
	OK(!are_same("tls://192.0.2.1", "tls://192.0.2.1?source=192.0.2.9"));
	OK(!are_same("tls://192.0.2.1", "tls://192.0.2.1?interface=lo"));
	OK(!are_same("tcp://192.0.2.1", "udp://192.0.2.1"));
	OK(!are_same("tls://x.test", "tls://y.test"));
}

/* ---- groups ---- */

#define A "tls://192.0.2.1"
#define B "tls://192.0.2.2"
#define C "tls://192.0.2.3"

CASE(a_group_keeps_its_number_while_all_its_servers_stay)
{
	begin("upstreams=" A);
	uint32_t number = number_of("default");

	follow("upstreams=" B "," A);
	EQ(number_of("default"), number);
	follow("upstreams=" A "," B " policy=race");
	EQ(number_of("default"), number);
	follow("upstreams=" B);
	OK(number_of("default") != number);
	end();
}

CASE(a_group_that_comes_back_is_a_new_one)
{
	begin("upstreams=" A);
	uint32_t number = number_of("default");

	follow("upstreams=" B);
	follow("upstreams=" A);
	OK(number_of("default") != number);
	end();
}

CASE(no_two_groups_have_one_number)
{
	begin("upstreams=" A " zones.x.test=" B);
	uint32_t zone = number_of("x.test");

	follow("upstreams=" A " zones.y.test=" B " zones.x.test=" B);
	EQ(number_of("x.test"), zone);
	OK(number_of("y.test") != zone && number_of("y.test") != number_of("default"));
	follow("upstreams=" A " zones.y.test=" B " zones.z.test=" C);
	OK(number_of("z.test") != zone);
	end();
}

CASE(when_numbers_are_used_up_they_begin_anew_and_the_cache_is_emptied)
{
	begin("upstreams=" A " zones.x.test=" C);
	uint32_t zone = number_of("x.test");
	unsigned emptied = 0;

	now->upstream.numbered = GROUP_NUMBER_MAX - 1;
	for (int i = 0; i < 8; i++) {
		emptied += follow(i % 2 ? "upstreams=" A " zones.x.test=" C
					: "upstreams=" B " zones.x.test=" C);
		EQ(number_of("x.test"), zone);
		OK(number_of("default") <= GROUP_NUMBER_MAX && number_of("default") != zone &&
			number_of("default") != number_of("bootstrap"));
	}
	EQ(emptied, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(what_is_said_otherwise_and_means_the_same_has_not_changed),
		CLAIM(keys_are_told_in_the_order_of_the_table),
		CLAIM(what_only_a_restart_changes_stays_and_is_told_each_time),
		CLAIM(the_mark_of_the_process_stays),
		CLAIM(what_a_user_may_tune_makes_no_other_server),
		CLAIM(what_decides_how_it_is_reached_or_trusted_makes_another_one),
		CLAIM(a_group_keeps_its_number_while_all_its_servers_stay),
		CLAIM(a_group_that_comes_back_is_a_new_one),
		CLAIM(no_two_groups_have_one_number),
		CLAIM(when_numbers_are_used_up_they_begin_anew_and_the_cache_is_emptied),
	};

	return RUN(cases);
}
