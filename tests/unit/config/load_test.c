#include "config/config.h"

#include "case.h"

#include <stdlib.h>
#include <string.h>

/* One configuration at a time, of settings alone. */
static struct config conf;
static char *said;

static bool load(const struct config_override *overrides, size_t count, char **environment)
{
	struct config_sources sources = { .file = "/dev/null",
		.environment = environment,
		.overrides = overrides,
		.override_count = count };
	size_t len;
	FILE *err = open_memstream(&said, &len);
	bool ok = config_load(&conf, &sources, err);

	fclose(err);
	return ok;
}

#define SET(...)                                                                                   \
	load((const struct config_override[]){ __VA_ARGS__ },                                      \
		sizeof((const struct config_override[]){ __VA_ARGS__ }) /                          \
			sizeof(struct config_override),                                            \
		NULL)

static void unload(void)
{
	config_clear(&conf);
	free(said);
	said = NULL;
}

/* The texts of a group's servers. */
static const char *servers_of(size_t group)
{
	static char text[512];
	const struct group_conf *g = &conf.upstream.groups[group];
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < g->count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "",
			conf.upstream.servers[g->servers[i]].text);
	return text;
}

CASE(an_upstream_spelled_alike_in_several_groups_is_one_server)
{
	OK(SET({ "upstreams", "tls://192.0.2.1#a.example tls://192.0.2.2#a.example", NULL },
		{ "groups",
			"{one: ['tls://192.0.2.2:853#a.example'], "
			"two: ['tls://192.0.2.2#a.example?weight=7']}",
			NULL }));
	EQ(conf.upstream.count, 3);
	EQ(conf.upstream.group_count, GROUPS_FIXED + 2);
	STR(servers_of(GROUP_DEFAULT), "tls://192.0.2.1#a.example tls://192.0.2.2#a.example");
	EQ(conf.upstream.groups[GROUPS_FIXED].servers[0], 1);
	EQ(conf.upstream.groups[GROUPS_FIXED + 1].servers[0], 2); /* not spelled the same */
	unload();
}

CASE(zones_are_on_the_wire_in_lower_case_and_know_their_group)
{
	const struct zone_conf *z;

	OK(SET({ "groups.lan", "udp://10.0.0.53", NULL },
		{ "zones", "{Corp.EXAMPLE.: lan, b.example: [udp://10.0.0.54], c.example: default}",
			NULL }));
	EQ(conf.upstream.zone_count, 3);
	z = conf.upstream.zones;
	STR(z[0].text, "corp.example");
	EQ(z[0].name_len, 14);
	MEM(z[0].name, "\4corp\7example", 14);
	STR(conf.upstream.groups[z[0].group].name, "lan");
	STR(conf.upstream.groups[z[1].group].name, "b.example");
	STR(servers_of(z[1].group), "udp://10.0.0.54");
	EQ(z[2].group, GROUP_DEFAULT);
	unload();
}

CASE(every_group_has_the_common_policy_or_its_own)
{
	OK(SET({ "policy", "spread", NULL },
		{ "groups", "{a: [udp://10.0.0.1], b: {upstreams: [udp://10.0.0.2], policy: race}}",
			NULL },
		{ "zones.c", "udp://10.0.0.3", NULL }));
	EQ(conf.upstream.groups[GROUP_DEFAULT].policy, POLICY_SPREAD);
	EQ(conf.upstream.groups[GROUP_BOOTSTRAP].policy, POLICY_SPREAD);
	EQ(conf.upstream.groups[GROUPS_FIXED].policy, POLICY_SPREAD);
	EQ(conf.upstream.groups[GROUPS_FIXED + 1].policy, POLICY_RACE);
	EQ(conf.upstream.groups[GROUPS_FIXED + 2].policy, POLICY_SPREAD);
	unload();
}

CASE(bootstrap_servers_are_there_when_a_name_needs_them)
{
	OK(SET({ "upstreams", "tls://192.0.2.1", NULL }));
	EQ(conf.upstream.groups[GROUP_BOOTSTRAP].count, 0);
	EQ(conf.upstream.count, 1);
	unload();
	OK(SET({ "upstreams", "tls://resolver", NULL })); /* a matter of the system's */
	EQ(conf.upstream.groups[GROUP_BOOTSTRAP].count, 0);
	unload();
	OK(SET({ "zones.corp.example", "tls://dns.corp.example", NULL }));
	STR(servers_of(GROUP_BOOTSTRAP),
		"tls://1.0.0.1#cloudflare-dns.com tls://9.9.9.9#dns.quad9.net");
	unload();
}

CASE(a_later_source_replaces_entries_of_maps_and_lists_whole)
{
	OK(SET({ "groups", "{a: [udp://10.0.0.1, udp://10.0.0.2], b: [udp://10.0.0.3]}", NULL },
		{ "groups.a", "udp://10.0.0.4", NULL }, { "groups.b.policy", "race", NULL },
		{ "zones", "{x: a, y: a}", NULL }, { "zones.X", "b", NULL }));
	STR(servers_of(GROUPS_FIXED), "udp://10.0.0.4");
	STR(servers_of(GROUPS_FIXED + 1), "udp://10.0.0.3");
	EQ(conf.upstream.groups[GROUPS_FIXED + 1].policy, POLICY_RACE);
	EQ(conf.upstream.zone_count, 2);
	EQ(conf.upstream.zones[0].group, GROUPS_FIXED + 1);
	unload();
}

CASE(upstreams_for_single_domains_go_with_the_list_they_are_in)
{
	OK(SET({ "upstreams", "tls://192.0.2.1 [/a.example/B.example/]udp://10.0.0.1", NULL }));
	EQ(conf.upstream.zone_count, 2);
	STR(conf.upstream.zones[1].text, "b.example");
	STR(servers_of(conf.upstream.zones[1].group), "udp://10.0.0.1");
	STR(servers_of(GROUP_DEFAULT), "tls://192.0.2.1");
	STR(conf.notes->understood, "zones: {a.example: [udp://10.0.0.1]}");
	unload();
	/* Brackets at both ends, and no list in YAML. */
	OK(SET({ "upstreams", "[/a.example/]udp://10.0.0.1 tls://[2001:db8::1]", NULL }));
	EQ(conf.upstream.zone_count, 1);
	unload();
	OK(SET({ "upstreams", "tls://192.0.2.1 [/a.example/]udp://10.0.0.1", NULL },
		{ "upstreams", "tls://192.0.2.2", NULL }));
	EQ(conf.upstream.zone_count, 0);
	OK(!conf.notes);
	unload();
}

CASE(state_is_where_the_service_manager_says)
{
	char variable[] = "STATE_DIRECTORY=/run/one:/run/two";
	char *environment[] = { variable, NULL };

	OK(load(NULL, 0, environment));
	STR(conf.upstream.state, "/run/one");
	unload();
	OK(load(&(struct config_override){ "state", "none", NULL }, 1, environment));
	OK(!conf.upstream.state);
	unload();
	OK(load(&(struct config_override){ "state", "/", NULL }, 1, environment));
	STR(conf.upstream.state, "/");
	unload();
}

/* Does a plain upstream at this address need permission? */
static bool leaves(const char *upstream, const char *require)
{
	bool ok = SET({ "upstreams", upstream, NULL }, { "require", require, NULL });

	unload();
	return !ok;
}

CASE(what_leaves_in_clear_or_unverified_needs_to_be_permitted)
{
	static const char *const inside[] = { "udp://127.0.0.9", "tcp://[::1]:5353",
		"udp://10.0.0.53", "udp://172.31.0.1", "tcp://192.168.1.1", "udp://100.64.0.1",
		"udp://[fd00::1]", "udp://[::ffff:10.0.0.1]" };
	static const char *const outside[] = { "udp://9.9.9.9", "tcp://172.32.0.1",
		"udp://[2001:db8::1]", "tcp://dns.example", "udp://resolver",
		"udp://[::ffff:9.9.9.9]" };

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		OK(!leaves(inside[i], "authenticated"));
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
		OK(leaves(outside[i], "authenticated"));
		OK(leaves(outside[i], "encrypted"));
		OK(!leaves(outside[i], "nothing"));
	}
	OK(leaves("tls://10.0.0.53?verify=no", "authenticated"));
	OK(!leaves("tls://192.0.2.1?verify=no", "encrypted"));
	OK(!leaves("tls://192.0.2.1", "authenticated"));
}

/* Is this upstream taken, when we listen there? */
static bool loops(const char *listen, const char *upstream)
{
	bool ok = SET({ "listen", listen, NULL }, { "upstreams", upstream, NULL },
		{ "require", "nothing", NULL });
	bool told = strstr(said, ": a loop");

	OK(ok != told);
	unload();
	return told;
}

CASE(an_upstream_that_is_ourselves_is_a_loop)
{
	OK(loops("127.0.0.1:53", "udp://127.0.0.1"));
	OK(loops("127.0.0.1:53", "udp://[::ffff:127.0.0.1]"));
	OK(loops("[::ffff:192.0.2.1]:53", "tcp://192.0.2.1"));
	OK(loops("0.0.0.0:53", "udp://127.9.9.9"));
	OK(loops("[::]:53", "udp://[::1]"));
	OK(loops("192.0.2.1:853", "tls://dns.example?bootstrap=192.0.2.1"));
	OK(!loops("127.0.0.1:53", "udp://127.0.0.53")); /* somebody else's */
	OK(!loops("127.0.0.1:53", "udp://127.0.0.1:5353"));
	OK(!loops("0.0.0.0:53", "udp://192.0.2.1"));
	OK(!loops("[::]:53", "udp://127.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_upstream_spelled_alike_in_several_groups_is_one_server),
		CLAIM(zones_are_on_the_wire_in_lower_case_and_know_their_group),
		CLAIM(every_group_has_the_common_policy_or_its_own),
		CLAIM(bootstrap_servers_are_there_when_a_name_needs_them),
		CLAIM(a_later_source_replaces_entries_of_maps_and_lists_whole),
		CLAIM(upstreams_for_single_domains_go_with_the_list_they_are_in),
		CLAIM(state_is_where_the_service_manager_says),
		CLAIM(what_leaves_in_clear_or_unverified_needs_to_be_permitted),
		CLAIM(an_upstream_that_is_ourselves_is_a_loop),
	};

	return RUN(cases);
}
