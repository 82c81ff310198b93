#include "config/assemble.h"

#include <string.h>

#include "config/near.h"

struct assembly {
	struct config *config;
	struct problems *problems;
	struct config_note **last_note;
};

/* --- servers -----------------------------------------------------------------------------------
 */

/* understood is NULL if that is the spelling of the server. */
static void add_note(struct assembly *a, const struct written_server *w, const char *understood)
{
	struct config_note *note = memory_take(&a->config->memory, sizeof(*note));

	note->given = w->given;
	note->understood = understood ? understood : w->spelling;
	*a->last_note = note;
	a->last_note = &note->next;
}

/* The index of the server, which is in the table from now on; SERVERS_MAX: there is no room. */
static size_t server_of(struct assembly *a, const struct written_server *w)
{
	struct upstream_conf *u = &a->config->upstream;
	const struct written_server **servers = a->config->written.servers;

	for (size_t i = 0; i < u->count; i++) {
		if (strcmp(servers[i]->spelling, w->spelling) == 0)
			return i;
	}
	if (u->count == SERVERS_MAX)
		return SERVERS_MAX;
	servers[u->count] = w;
	u->servers[u->count] = w->conf;
	return u->count++;
}

/* Fills in the group; the zone, or NULL, is the one that it belongs to. */
static void fill_group(struct assembly *a, struct group_conf *g, const struct written_servers *list,
	const struct written_zone *zone)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct written_server *w = &list->all[i];
		size_t server = server_of(a, w);

		if (server == SERVERS_MAX) {
			problem(a->problems, &w->place, w->path,
				"more than %d different upstreams in all", SERVERS_MAX);
			return;
		}
		g->servers[g->count++] = (uint8_t)server;
		if (w->given)
			add_note(a, w,
				zone && zone->foreign
					? memory_format(&a->config->memory, "zones: {%s: [%s]}",
						  zone->domain, w->spelling)
					: NULL);
	}
}

/* --- groups ------------------------------------------------------------------------------------
 */

static void add_group(struct assembly *a, const char *name, enum policy policy,
	const struct written_servers *list, const struct written_zone *zone)
{
	struct upstream_conf *u = &a->config->upstream;
	struct group_conf *g = &u->groups[u->group_count++];

	g->name = name;
	g->number = u->numbered++;
	g->policy = policy;
	fill_group(a, g, list, zone);
}

static void add_named_groups(struct assembly *a)
{
	const struct written *w = &a->config->written;

	for (const struct written_group *g = w->groups; g; g = g->next) {
		if (!g->upstreams.given)
			problem(a->problems, &g->place, g->path, "this group has no upstreams");
		add_group(a, g->name, g->has_policy ? g->policy : w->policy, &g->upstreams, NULL);
	}
}

/* --- zones -------------------------------------------------------------------------------------
 */

static struct written_zone *find_zone(struct written_zone *z, const char *domain)
{
	while (z && strcmp(z->domain, domain) != 0)
		z = z->next;
	return z;
}

/* Zones that were written in the list of upstreams are like any other from here on. */
static void join_zones(struct assembly *a)
{
	struct written *w = &a->config->written;
	struct written_zone **end = &w->zones;

	for (const struct written_zone *z = w->upstream_zones; z; z = z->next) {
		if (find_zone(w->zones, z->domain))
			problem(a->problems, &z->place, z->path,
				"\"%s\" has its upstreams in zones: already", z->domain);
	}
	while (*end)
		end = &(*end)->next;
	*end = w->upstream_zones;
	w->upstream_zones = NULL;
}

static void tell_unknown_group(struct assembly *a, const struct written_zone *z)
{
	struct near near;

	near_init(&near, z->group);
	for (const struct written_group *g = a->config->written.groups; g; g = g->next)
		near_try(&near, g->name);
	if (near.best)
		problem(a->problems, &z->value, z->path,
			"there is no group \"%s\"; did you mean \"%s\"?", z->group, near.best);
	else
		problem(a->problems, &z->value, z->path,
			"there is no group \"%s\" in groups:", z->group);
}

/* The index of the group with this name, which is told if there is none. */
static size_t group_of(struct assembly *a, const struct written_zone *z)
{
	size_t index = GROUPS_FIXED;

	if (strcmp(z->group, "default") == 0)
		return GROUP_DEFAULT;
	for (const struct written_group *g = a->config->written.groups; g; g = g->next, index++) {
		if (strcmp(g->name, z->group) == 0)
			return index;
	}
	tell_unknown_group(a, z);
	return GROUP_DEFAULT;
}

static void add_zones(struct assembly *a)
{
	struct written *w = &a->config->written;
	struct upstream_conf *u = &a->config->upstream;

	for (const struct written_zone *z = w->zones; z; z = z->next) {
		struct zone_conf *to = &u->zones[u->zone_count++];

		*to = (struct zone_conf){ .text = z->domain,
			.name = z->wire,
			.name_len = z->wire_len,
			.group = z->group ? group_of(a, z) : u->group_count };
		if (!z->group)
			add_group(a, z->domain, w->policy, &z->upstreams, z);
	}
}

/* --- everything --------------------------------------------------------------------------------
 */

/* Tables that are large enough, with the fixed groups in place. */
static void make_room(struct config *c)
{
	struct upstream_conf *u = &c->upstream;
	size_t groups = GROUPS_FIXED, zones = 0;

	for (const struct written_group *g = c->written.groups; g; g = g->next)
		groups++;
	for (const struct written_zone *z = c->written.zones; z; z = z->next)
		zones++;
	u->servers = memory_take(&c->memory, SERVERS_MAX * sizeof(*u->servers));
	c->written.servers = memory_take(&c->memory, SERVERS_MAX * sizeof(*c->written.servers));
	u->groups = memory_take(&c->memory, (groups + zones) * sizeof(*u->groups));
	u->zones = memory_take(&c->memory, zones * sizeof(*u->zones));
}

/* A name of one label is looked up in the system's way, all others are asked for. */
static bool needs_bootstrap(const struct upstream_conf *u)
{
	for (size_t i = 0; i < u->count; i++) {
		if (u->servers[i].host && strchr(u->servers[i].host, '.'))
			return true;
	}
	return false;
}

/* Nobody is to be asked where we ourselves answer. */
static void note_own(struct config *c)
{
	struct addr *own = memory_take(&c->memory, (c->listen.count + 1) * sizeof(*own));

	c->upstream.own = own;
	for (size_t i = 0; i < c->listen.count; i++)
		if (!c->listen.endpoints[i].at.path)
			own[c->upstream.own_count++] = c->listen.endpoints[i].at.addr;
}

void assemble(struct config *c, struct problems *problems)
{
	struct assembly a = { .config = c, .problems = problems, .last_note = &c->notes };
	const struct written *w = &c->written;
	struct group_conf *bootstrap;

	note_own(c);
	join_zones(&a);
	make_room(c);
	if (w->upstreams.count == 0 && problems->count == 0)
		problem(problems, &w->zones->place, w->zones->path,
			"all upstreams are for single domains; add one for all others");
	add_group(&a, "default", w->policy, &w->upstreams, NULL);
	add_group(&a, "bootstrap", w->policy, &(struct written_servers){ 0 }, NULL);
	add_named_groups(&a);
	add_zones(&a);
	bootstrap = &c->upstream.groups[GROUP_BOOTSTRAP];
	if (needs_bootstrap(&c->upstream))
		fill_group(&a, bootstrap, &w->bootstrap, NULL);
}
