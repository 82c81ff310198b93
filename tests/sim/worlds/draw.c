/* A world is drawn: how the daemon is configured, who is there, and what goes wrong. */
#include "drama.h"

#include "../log.h"
#include "../rand.h"
#include "base/bug.h"

#include <stdio.h>
#include <string.h>

#define CHOICES 6

/* ---- how it is configured ---- */

struct choice {
	const char *key;
	const char *values[CHOICES]; /* one of them; "" leaves it as it is */
};

static const struct choice choices[] = {
	{ "policy", { "fastest", "fastest", "ordered", "race", "spread", "" } },
	{ "hedge", { "true", "true", "true", "true", "false", "" } },
	{ "udp-size", { "", "", "", "", "512", "4096" } },
	{ "timeouts.query", { "", "", "1s", "2s", "4s", "8s" } },
	{ "timeouts.attempt", { "", "", "100ms", "300ms", "800ms", "" } },
	{ "timeouts.connect", { "", "", "500ms", "700ms", "1s", "" } },
	{ "timeouts.upstream-idle", { "", "", "300ms", "2s", "9s", "" } },
	{ "timeouts.upstream-silent", { "", "", "700ms", "1500ms", "3s", "" } },
	{ "timeouts.client-idle", { "", "", "300ms", "2s", "10s", "" } },
	{ "timeouts.message", { "", "", "500ms", "2s", "", "" } },
	{ "timeouts.write", { "", "", "500ms", "2s", "5s", "" } },
	{ "limits.queries", { "", "", "", "", "3", "20" } },
	{ "limits.connections", { "", "", "", "", "4", "20" } },
	{ "limits.connections-per-client", { "", "", "", "", "2", "6" } },
	{ "limits.queries-per-connection", { "", "", "", "1", "4", "16" } },
	{ "limits.queries-per-upstream", { "", "", "2", "4", "8", "32" } },
	{ "cache.size", { "0", "256KiB", "256KiB", "1MiB", "1MiB", "4MiB" } },
	{ "cache.ttl-min", { "", "", "", "", "", "3s" } },
	{ "cache.ttl-max", { "", "", "", "", "20s", "5m" } },
	{ "cache.ttl-negative", { "", "", "", "2s", "30s", "" } },
	{ "cache.stale", { "", "", "0s", "5s", "1m", "1d" } },
	{ "cache.stale-after", { "", "", "0s", "100ms", "500ms", "5s" } },
	{ "cache.failure", { "", "", "", "1s", "5s", "30s" } },
	{ "cache.prefetch", { "", "", "", "true", "true", "false" } },
};

void draw_set(struct drama *d, const char *key, const char *value)
{
	size_t i = 0;

	while (i < d->setting_count && strcmp(d->settings[i].key, key) != 0)
		i++;
	MUST(i < SETTINGS_MOST && strlen(value) < VALUE_TEXT);
	d->setting_count += i == d->setting_count;
	snprintf(d->values[i], VALUE_TEXT, "%s", value);
	d->settings[i] = (struct config_override){ key, d->values[i], NULL };
}

static void draw_choice(struct drama *d, const struct choice *c)
{
	const char *value = c->values[chance_below(&d->chance, CHOICES)];

	/* IDs that are narrow have no room for more. */
	if (d->narrow_ids && strcmp(c->key, "limits.queries-per-upstream") == 0)
		value = "12";
	if (*value)
		draw_set(d, c->key, value);
}

void draw_choices(struct drama *d, unsigned count)
{
	while (count--) {
		const struct choice *c =
			&choices[chance_below(&d->chance, sizeof choices / sizeof *choices)];

		if (strcmp(c->key, "cache.size") != 0) /* which is of the start */
			draw_choice(d, c);
	}
}

static void draw_settings(struct drama *d)
{
	draw_set(d, "require", "nothing");
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		draw_choice(d, &choices[i]);
}

/* ---- who is there ---- */

static void draw_server(struct drama *d, unsigned i)
{
	static const char *const schemes[] = { "tls", "tls", "tls", "udp", "udp", "tcp" };
	struct server_peer *s = &d->servers[i];
	char addr[ADDR_TEXT];

	s->drama = d;
	s->number = i;
	s->scheme = schemes[chance_below(&d->chance, 6)];
	snprintf(addr, sizeof addr, "192.0.2.%u", i + 1);
	MUST(addr_parse(&s->addr, addr, strcmp(s->scheme, "tls") == 0 ? 853 : 53));
	s->delay_ms = chance_between(&d->chance, 0, chance_of(&d->chance, 200) ? 200 : 30);
	s->shuns_edns = chance_of(&d->chance, 60);
	s->ttl_s = chance_of(&d->chance, 500) ? 3 : chance_of(&d->chance, 500) ? 20 : 300;
	list_init(&s->lines);
}

static void draw_client(struct drama *d, unsigned i)
{
	struct client_peer *c = &d->clients[i];
	char addr[ADDR_TEXT];

	c->drama = d;
	c->number = i;
	c->stranger = i > 0 && i + 1 < d->client_count && chance_of(&d->chance, 60);
	c->first_id = (uint16_t)chance_below(&d->chance, 65536);
	snprintf(addr, sizeof addr, c->stranger ? "203.0.113.%u" : "10.0.1.%u", i + 1);
	MUST(addr_parse(&c->addr, addr, (uint16_t)(4000 + i)));
	list_init(&c->lines);
}

/* ---- what goes wrong ---- */

/* Most worlds know few kinds of faults, so that one can be told from another. */
static void draw_faults(struct drama *d)
{
	static const unsigned rates[] = { 5, 20, 50, 100, 300 };
	unsigned wild = chance_below(&d->chance, 5) * 100;

	for (int i = 0; i < FAULT_KINDS; i++) {
		bool here = chance_of(&d->chance, wild);
		unsigned rate = rates[chance_below(&d->chance, 5)];

		d->rate[i] = here && !d->without[i] ? rate : 0;
	}
}

void draw(struct drama *d)
{
	static const unsigned gaps[] = { 2, 10, 50, 200, 800 };

	d->server_count = chance_between(&d->chance, 1, SERVERS_MOST);
	d->client_count = chance_between(&d->chance, 2, CLIENTS_MOST);
	d->zone_count = chance_between(&d->chance, 1, ZONES_MOST);
	d->popular = chance_between(&d->chance, 2, 24);
	d->asks = chance_between(&d->chance, 20, chance_of(&d->chance, 100) ? 800 : 150);
	d->gap_ms = gaps[chance_below(&d->chance, 5)];
	d->ends_in_chaos = chance_of(&d->chance, 400);
	d->narrow_ids = chance_of(&d->chance, 300);
	for (unsigned i = 0; i < d->server_count; i++)
		draw_server(d, i);
	for (unsigned i = 0; i < d->client_count; i++)
		draw_client(d, i);
	plan_draw(d);
	draw_settings(d);
	plan_set(d);
	draw_faults(d);
}

/* ---- the daemon ---- */

bool draw_start(struct drama *d)
{
	const char *const none[] = { NULL };

	rand_seed(d->seed);
	bool started = daemon_start(&d->daemon, none, d->settings, d->setting_count);

	if (d->narrow_ids)
		rand_narrow(63);
	return started;
}
