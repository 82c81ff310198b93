/* written: servers, groups and zones the way the sources of a configuration name them. assemble.c
 * makes of them, when all sources have been read, what upstream/ takes.
 */
#ifndef CONFIG_WRITTEN_H
#define CONFIG_WRITTEN_H

#include "config/problems.h"
#include "dns/name.h"
#include "upstream/upstream.h"

/* One server of one list. */
struct written_server {
	struct server_conf conf;
	const char *spelling; /* all of it, as we write it: two that are the same are one server */
	const char *given; /* as another product writes it; NULL: our way */
	struct place place;
	const char *path; /* the key of the element */
};

struct written_servers {
	struct written_server *all;
	size_t count, room;
	bool given; /* somebody meant to, whatever was wrong with it */
};

struct written_group {
	struct written_group *next;
	const char *name;
	struct place place; /* of its latest mention */
	const char *path;
	struct written_servers upstreams;
	bool has_policy; /* of its own */
	enum policy policy;
};

struct written_zone {
	struct written_zone *next;
	const char *domain; /* lower case, without the last dot */
	uint8_t wire[NAME_MAX_WIRE];
	size_t wire_len;
	struct place place; /* of its domain */
	struct place value; /* of what it is sent to */
	const char *path;
	const char *group; /* NULL: to upstreams of its own */
	struct written_servers upstreams;
	bool foreign; /* written [/domain/]upstream */
};

struct written {
	struct written_servers upstreams, bootstrap;
	const struct written_server **servers; /* of each in the table: where it is written first */
	struct written_group *groups;
	struct written_zone *zones;
	struct written_zone
		*upstream_zones; /* of the list upstreams, with which they are replaced */
	enum policy policy;
};

#endif
