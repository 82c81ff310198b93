/* Configurations: who is asked what, and by whom; and those that have been in force. */
#include "drama.h"

#include "base/bug.h"
#include "config/config.h"
#include "faults.h"
#include "net/tls_client.h"
#include "rules.h"
#include "upstream/server.h"

#include <stdio.h>
#include <string.h>

#define LISTEN_FIRST "10.0.0.53:53"
#define LISTEN_BOTH  "[10.0.0.53:53, 10.0.0.53:54]"
#define PINS         3

/* ---- drawing ---- */

static unsigned draw_servers(struct drama *d)
{
	return 1u << chance_below(&d->chance, d->server_count);
}

static void draw_groups(struct drama *d, struct plan *p, unsigned absent)
{
	memset(p->servers, 0, sizeof p->servers);
	for (unsigned i = 0; i < d->server_count; i++) {
		unsigned group = i && chance_of(&d->chance, 400)
			? chance_below(&d->chance, d->zone_count)
			: 0;

		if (!chance_of(&d->chance, absent))
			p->servers[group] |= 1u << i;
	}
	if (!p->servers[0])
		p->servers[0] = draw_servers(d);
	for (unsigned zone = 0; zone < d->zone_count; zone++)
		p->groups[zone] = p->servers[zone] ? zone : 0;
}

void plan_draw(struct drama *d)
{
	draw_groups(d, &d->wanted, 0);
	rules_draw(d, &d->wanted);
}

/* One thing is otherwise than before. */
static void redraw(struct drama *d, struct plan *p)
{
	unsigned i = chance_below(&d->chance, d->server_count);
	unsigned zone = chance_below(&d->chance, d->zone_count);
	unsigned group = chance_below(&d->chance, d->zone_count);

	switch (chance_below(&d->chance, 10)) {
	case 0:
		draw_groups(d, p, 200);
		break;
	case 1:
	case 2:
		p->groups[zone] = zone && p->servers[group] ? group : 0;
		break;
	case 3:
		p->servers[group] |= 1u << i; /* as well, or there again */
		break;
	case 4:
		if (strcmp(d->servers[i].scheme, "tls") == 0)
			p->pins[i] = (char)('A' + chance_below(&d->chance, PINS));
		break;
	case 5:
		p->second_port = !p->second_port;
		break;
	case 6:
		p->strangers = !p->strangers;
		break;
	case 7:
	case 8:
		rules_redraw(d, p);
		break;
	default:
		draw_choices(d, chance_between(&d->chance, 1, 6));
	}
}

/* ---- as it is written ---- */

static size_t write_list(const struct drama *d, char *text, size_t room, unsigned servers)
{
	size_t len = (size_t)snprintf(text, room, "[");
	char addr[ADDR_TEXT];

	for (unsigned i = 0; i < d->server_count; i++) {
		const struct server_peer *s = &d->servers[i];

		if (!(servers & 1u << i))
			continue;
		len += (size_t)snprintf(text + len, room - len, "%s%s://%s", len > 1 ? ", " : "",
			s->scheme, addr_print_host(&s->addr, addr));
		if (d->wanted.pins[i])
			len += (size_t)snprintf(text + len, room - len,
				"?pin=sha256/%cAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
				d->wanted.pins[i]);
	}
	len += (size_t)snprintf(text + len, room - len, "]");
	MUST(len < room);
	return len;
}

/* As settings of the command line. */
void plan_set(struct drama *d)
{
	const struct plan *p = &d->wanted;
	char groups[VALUE_TEXT * 2] = "{", zones[VALUE_TEXT] = "{", list[VALUE_TEXT];
	size_t len = 1, zones_len = 1;

	write_list(d, list, sizeof list, p->servers[0]);
	draw_set(d, "upstreams", list);
	for (unsigned g = 1; g < d->zone_count; g++) {
		const char *comma = zones_len > 1 ? ", " : "";

		if (p->groups[g])
			zones_len += (size_t)snprintf(zones + zones_len, sizeof zones - zones_len,
				"%sz%u.test: g%u", comma, g, p->groups[g]);
		if (!p->servers[g])
			continue;
		write_list(d, list, sizeof list, p->servers[g]);
		len += (size_t)snprintf(groups + len, sizeof groups - len, "%sg%u: %s",
			len > 1 ? ", " : "", g, list);
	}
	snprintf(groups + len, sizeof groups - len, "}");
	snprintf(zones + zones_len, sizeof zones - zones_len, "}");
	draw_set(d, "groups", groups);
	draw_set(d, "zones", zones);
	rules_write(p, list);
	draw_set(d, "rules", list);
	draw_set(d, "listen", p->second_port ? LISTEN_BOTH : LISTEN_FIRST);
	draw_set(d, "allow", p->strangers ? "any" : "[local, private]");
	draw_set(d, "log.level", p->broken ? "loudest" : "info");
}

void plan_reload(struct drama *d, unsigned changes, bool broken)
{
	if (d->version_count + d->swaps_due >= VERSIONS_MOST)
		return;
	d->swaps_due++;
	for (; changes; changes--)
		redraw(d, &d->wanted);
	d->wanted.broken = broken;
	plan_set(d);
	happened(&d->chronicle, "sotto is told to reload%s", broken ? ", what is wrong" : "");
	for (size_t i = 0; i < d->setting_count; i++)
		happened(&d->chronicle, "  %s=%s", d->settings[i].key, d->values[i]);
	MUST(daemon_reload(&d->daemon, d->settings, d->setting_count));
}

/* ---- as the daemon goes through them ---- */

void versions_look(struct drama *d)
{
	const struct upstream_conf *conf = worker_upstreams(d->daemon.worker)->conf;
	const struct config *all = container_of(conf, struct config, upstream);

	if (conf == d->seen)
		return;
	MUST(d->version_count < VERSIONS_MOST);
	d->seen = conf;
	d->versions[d->version_count++] = (struct version){ .plan = d->reading,
		.from_ms = drama_now(d),
		.cache = all->cache,
		.query = all->query,
		.listen = all->listen,
		.in_flight = all->upstream.in_flight };
}

static void on_read(struct deed *deed)
{
	(void)deed;
	faults_pause(false);
}

/* Reading it ends a process without memory; from then on, nothing may. */
static void on_begun(void *arg)
{
	struct drama *d = arg;

	faults_pause(true);
	deed_post(d, drama_now(d), on_read, NULL, (struct span){ NULL, 0 });
	d->reading = d->wanted;
	d->struck = faults_struck();
}

static void on_over(void *arg, const struct reload_result *result)
{
	struct drama *d = arg;
	unsigned before = d->version_count;
	bool swapped = before > d->swapped_count;

	versions_look(d);
	swapped |= d->version_count > before;
	d->swapped_count = d->version_count;
	d->swaps_due = d->daemon.reload.again;
	d->tally.swaps += swapped;
	d->tally.refusals += !swapped;
	if (swapped == (result->fault != NULL))
		broken(&d->chronicle, "a reload that fails changes nothing, another one does");
	if (swapped && d->reading.broken)
		broken(&d->chronicle, "what is wrong is not swapped in");
	if (!swapped && !d->reading.broken && d->struck == faults_struck())
		broken(&d->chronicle, "what is right is swapped in: %s", result->fault);
}

void versions_begin(struct drama *d)
{
	d->reading = d->wanted;
	versions_look(d);
	d->swapped_count = d->version_count;
	d->daemon.told = d;
	d->daemon.reload_begun = on_begun;
	d->daemon.reload_over = on_over;
}

/* ---- which was when ---- */

unsigned version_at(const struct drama *d, uint64_t ms)
{
	unsigned v = d->version_count - 1;

	while (v && d->versions[v].from_ms > ms)
		v--;
	return v;
}

unsigned version_before(const struct drama *d, uint64_t ms)
{
	unsigned v = d->version_count - 1;

	while (v && d->versions[v].from_ms >= ms)
		v--;
	return v;
}

/* The first character of its spelling, in six bits. */
char plan_pin(const struct tls_identity *i)
{
	return i->pin_count ? (char)('A' + (i->pins[0][0] >> 2)) : '\0';
}

bool plan_asks(const struct plan *p, const struct meant *m, unsigned server)
{
	unsigned group = rules_group(p, m);

	return group != NO_GROUP && p->servers[group] & 1u << server;
}
