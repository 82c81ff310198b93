/* dnsproxy: its YAML, whose keys are its options. */
#include <string.h>

#include "import/import.h"
#include "import/lines.h"
#include "import/servers.h"
#include "import/spelled.h"
#include "import/tree.h"
#include "net/addr.h"

/* Each address is listened on at each port. */
#define LISTENERS_MAX 64
struct dnsproxy {
	const char *addresses[LISTENERS_MAX], *ports[LISTENERS_MAX];
	size_t address_count, port_count;
	const char *tls_port, *cert, *key;
	struct said said, cert_said; /* text NULL: nothing is said */
};

static struct said keep(struct recipe *p, const struct said *said)
{
	return (struct said){ said->line, memory_copy(&p->memory, said->text, strlen(said->text)) };
}

static void note(
	struct recipe *p, const struct said *said, char *value, const char **list, size_t *count)
{
	if (*count == LISTENERS_MAX) {
		recipe_leave(p, said, "too many");
		return;
	}
	list[(*count)++] = value;
	((struct dnsproxy *)p->state)->said = keep(p, said);
}

static void take_address(struct recipe *p, const struct said *said, char *value)
{
	struct dnsproxy *d = p->state;

	note(p, said, value, d->addresses, &d->address_count);
}

static void take_port(struct recipe *p, const struct said *said, char *value)
{
	struct dnsproxy *d = p->state;

	note(p, said, value, d->ports, &d->port_count);
}

static void take_tls_port(struct recipe *p, const struct said *said, char *value)
{
	struct dnsproxy *d = p->state;

	d->tls_port = value;
	d->said = keep(p, said);
}

static void take_cert(struct recipe *p, const struct said *said, char *value)
{
	struct dnsproxy *d = p->state;

	d->cert = value;
	d->cert_said = keep(p, said);
}

static void take_key(struct recipe *p, const struct said *said, char *value)
{
	(void)said;
	((struct dnsproxy *)p->state)->key = value;
}

static void take_upstream(struct recipe *p, const struct said *said, char *value)
{
	spelled_add(p, said, value, NULL);
}

static void take_bootstrap(struct recipe *p, const struct said *said, char *value)
{
	spelled_add(p, said, value, "bootstrap");
}

static void take_mode(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "load_balance") == 0)
		recipe_set(p, said, "policy", "fastest");
	else if (strcmp(value, "parallel") == 0)
		recipe_set(p, said, "policy", "race");
	else
		recipe_leave(p, said, "no policy of ours");
}

static void take_all(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "true") == 0)
		recipe_set(p, said, "policy", "race");
}

static void take_cache(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "true") != 0)
		recipe_set(p, said, "cache.size", "0");
}

static void take_ttl(struct recipe *p, const struct said *said, const char *key, char *value)
{
	unsigned long s;

	if (lines_number(p, said, value, key[strlen(key) - 1] == 'n' ? 3600 : 604800, &s) && s)
		recipe_set(p, said, key, memory_format(&p->memory, "%lus", s));
}

static void take_ttl_min(struct recipe *p, const struct said *said, char *value)
{
	take_ttl(p, said, "cache.ttl-min", value);
}

static void take_ttl_max(struct recipe *p, const struct said *said, char *value)
{
	take_ttl(p, said, "cache.ttl-max", value);
}

static void take_rate(struct recipe *p, const struct said *said, char *value)
{
	recipe_set(p, said, "limits.queries-per-second", value);
}

static void take_timeout(struct recipe *p, const struct said *said, char *value)
{
	recipe_set(p, said, "timeouts.query", value);
}

static void take_bogus(struct recipe *p, const struct said *said, char *value)
{
	struct prefix x;

	if (prefix_parse(&x, value))
		recipe_add(p, said, "protect.bogus-addresses", value);
	else
		recipe_leave(p, said, "\"%s\" is no address or prefix", value);
}

static void take_no_ipv6(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "true") == 0)
		recipe_rule(p, said,
			&(struct recipe_rule){ NULL, NULL, "AAAA", "action", "nodata", NULL });
}

static void take_no_any(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "true") == 0)
		recipe_rule(p, said,
			&(struct recipe_rule){ NULL, NULL, "ANY", "action", "refuse", NULL });
}

static void take_dns64(struct recipe *p, const struct said *said, char *value)
{
	recipe_set(p, said, "dns64.prefix", strchr(value, ':') ? value : "64:ff9b::/96");
}

static void take_hosts(struct recipe *p, const struct said *said, char *value)
{
	recipe_add(p, said, "hosts-files", value);
}

static void take_insecure(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "true") == 0)
		recipe_leave(p, said, "every server must prove who it is here");
}

static const char not_over[] = "clients come over UDP, TCP or TLS";

static const struct tree_word words[] = {
	{ .name = "listen-addrs", .take = take_address },
	{ .name = "listen-ports", .take = take_port },
	{ .name = "tls-port", .take = take_tls_port },
	{ .name = "tls-crt", .take = take_cert },
	{ .name = "tls-key", .take = take_key },
	{ .name = "upstream", .take = take_upstream },
	{ .name = "bootstrap", .take = take_bootstrap },
	{ .name = "upstream-mode", .take = take_mode },
	{ .name = "all-servers", .take = take_all },
	{ .name = "cache", .take = take_cache },
	{ .name = "cache-min-ttl", .take = take_ttl_min },
	{ .name = "cache-max-ttl", .take = take_ttl_max },
	{ .name = "cache-size", .moot = "see cache.size" },
	{ .name = "cache-optimistic", .moot = "so it is: see cache.stale" },
	{ .name = "ratelimit", .take = take_rate },
	{ .name = "timeout", .take = take_timeout },
	{ .name = "bogus-nxdomain", .take = take_bogus },
	{ .name = "ipv6-disabled", .take = take_no_ipv6 },
	{ .name = "refuse-any", .take = take_no_any },
	{ .name = "dns64-prefix", .take = take_dns64 },
	{ .name = "dns64", .moot = "see dns64.prefix" },
	{ .name = "hosts-files", .take = take_hosts },
	{ .name = "insecure", .take = take_insecure },
	{ .name = "fallback",
		.left = "servers for when no other answers; write them last in "
			"upstreams, with policy ordered" },
	{ .name = "private-rdns-upstream", .left = "write zones for reverse names" },
	{ .name = "use-private-rdns", .left = "write zones for reverse names" },
	{ .name = "edns", .left = "no client's address is told" },
	{ .name = "edns-addr", .left = "no client's address is told" },
	{ .name = "https-port", .left = not_over },
	{ .name = "quic-port", .left = not_over },
	{ .name = "dnscrypt-port", .left = not_over },
	{ .name = "udp-buf-size", .moot = "buffers are as large as they may be" },
	{ .name = "max-go-routines", .moot = "see limits" },
	{ .name = "verbose", .moot = "see log.level" },
	{ .name = "output", .moot = "the log goes to standard error" },
	{ 0 },
};

static void add_listener(
	struct recipe *p, const char *scheme, const char *address, const char *port)
{
	const struct dnsproxy *d = p->state;

	recipe_add(p, &d->said, "listen",
		memory_format(&p->memory, strchr(address, ':') ? "%s[%s]:%s" : "%s%s:%s", scheme,
			address, port));
}

static void add_listeners(struct recipe *p)
{
	struct dnsproxy *d = p->state;

	if (!d->said.text)
		return;
	if (!d->address_count)
		d->addresses[d->address_count++] = "0.0.0.0";
	if (!d->port_count)
		d->ports[d->port_count++] = "53";
	for (size_t i = 0; i < d->address_count; i++) {
		for (size_t k = 0; k < d->port_count; k++)
			add_listener(p, "", d->addresses[i], d->ports[k]);
		if (d->tls_port)
			add_listener(p, "tls://", d->addresses[i], d->tls_port);
	}
}

void dnsproxy_read(struct recipe *p, struct span text)
{
	struct dnsproxy d = { .address_count = 0 };

	p->state = &d;
	tree_read(p, text, words);
	add_listeners(p);
	if (d.cert)
		recipe_set_yaml(p, &d.cert_said, "certificate",
			memory_format(&p->memory, "{ cert: %s, key: %s }", recipe_quote(p, d.cert),
				recipe_quote(p, d.key ? d.key : "")));
	servers_end(p);
	p->state = NULL;
}
