/* cloudflared: the keys of its `proxy-dns` in config.yml. */
#include <string.h>

#include "import/import.h"
#include "import/lines.h"
#include "import/spelled.h"
#include "import/servers.h"
#include "import/tree.h"

struct cloudflared {
	const char *address, *port;
	struct said said; /* of either; text NULL: none is said */
};

static void take_on(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "true") != 0)
		recipe_leave(p, said, "sotto listens, or there is nothing to be done");
}

static const char *note(struct recipe *p, const struct said *said, const char *value)
{
	struct cloudflared *c = p->state;

	c->said = *said;
	return memory_copy(&p->memory, value, strlen(value));
}

static void take_address(struct recipe *p, const struct said *said, char *value)
{
	((struct cloudflared *)p->state)->address = note(p, said, value);
}

static void take_port(struct recipe *p, const struct said *said, char *value)
{
	((struct cloudflared *)p->state)->port = note(p, said, value);
}

static void take_upstream(struct recipe *p, const struct said *said, char *value)
{
	spelled_add(p, said, value, NULL);
}

static void take_bootstrap(struct recipe *p, const struct said *said, char *value)
{
	spelled_add(p, said, value, "bootstrap");
}

static const char tunnels[] = "sotto is no tunnel";

static const struct tree_word words[] = {
	{ .name = "proxy-dns", .take = take_on },
	{ .name = "proxy-dns-address", .take = take_address },
	{ .name = "proxy-dns-port", .take = take_port },
	{ .name = "proxy-dns-upstream", .take = take_upstream },
	{ .name = "proxy-dns-bootstrap", .take = take_bootstrap },
	{ .name = "proxy-dns-max-upstream-conns",
		.moot = "connections are made as they are needed" },
	{ .name = "no-autoupdate", .moot = "so it is" },
	{ .name = "autoupdate-freq", .moot = "so it is: nothing updates itself" },
	{ .name = "loglevel", .moot = "see log.level" },
	{ .name = "logfile", .moot = "the log goes to standard error" },
	{ .name = "metrics", .left = "there are no metrics yet" },
	{ .name = "tunnel", .left = tunnels },
	{ .name = "credentials-file", .left = tunnels },
	{ .name = "ingress", .left = tunnels },
	{ .name = "warp-routing", .left = tunnels },
	{ 0 },
};

void cloudflared_read(struct recipe *p, struct span text)
{
	struct cloudflared c = { .address = "localhost", .port = "53" };

	p->state = &c;
	tree_read(p, text, words);
	const char *address = strcmp(c.address, "localhost") == 0 ? "127.0.0.1" : c.address;

	if (c.said.text)
		recipe_add(p, &c.said, "listen",
			memory_format(&p->memory, strchr(address, ':') ? "[%s]:%s" : "%s:%s",
				address, c.port));
	servers_end(p);
	p->state = NULL;
}
