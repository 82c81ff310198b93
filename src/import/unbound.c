/* unbound: `key: value`, a line each, below clauses (`server:`, `forward-zone:`). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "import/lines.h"
#include "import/servers.h"
#include "net/addr.h"

/* A forward-zone. */
struct zone {
	const char *name; /* NULL: none is said */
	bool tls;
};

/* A server or listener, to be read when all is known. */
struct held {
	struct held *next;
	struct said said;
	char *text;
	const struct zone *zone; /* of a server */
};

struct unbound {
	const char *port, *tls_port;
	struct held *interfaces, **interfaces_end, *servers, **servers_end;
	bool tls; /* to all servers */
	bool no_stale; /* whatever its TTL is */
	bool not_local; /* this host is told not to ask */
	const struct word *words; /* of the clause; NULL: it is left */
	struct zone *zone; /* of forward-zone */
	const char *cert, *key;
	struct said cert_said;
};

static const char *copy(struct recipe *p, const char *text)
{
	return memory_copy(&p->memory, text, strlen(text));
}

static struct said keep(struct recipe *p, const struct said *said)
{
	return (struct said){ said->line, copy(p, said->text) };
}

static struct held *hold(
	struct recipe *p, const struct said *said, const char *text, struct held ***end)
{
	struct held *h = memory_take(&p->memory, sizeof *h);

	h->said = keep(p, said);
	h->text = memory_copy(&p->memory, text, strlen(text));
	**end = h;
	*end = &h->next;
	return h;
}

static bool is_yes(const char *value)
{
	return strcmp(value, "yes") == 0;
}

/* ---- server: ---- */

static void take_interface(struct recipe *p, const struct said *said, char *value)
{
	struct unbound *u = p->state;

	hold(p, said, value, &u->interfaces_end);
}

static void take_port(struct recipe *p, const struct said *said, char *value)
{
	unsigned long port;

	if (lines_number(p, said, value, 65535, &port))
		((struct unbound *)p->state)->port = copy(p, value);
}

static void take_tls_port(struct recipe *p, const struct said *said, char *value)
{
	unsigned long port;

	if (lines_number(p, said, value, 65535, &port))
		((struct unbound *)p->state)->tls_port = copy(p, value);
}

static void take_access(struct recipe *p, const struct said *said, char *value)
{
	char *net = lines_part(&value, " \t");
	const char *what = value ? lines_trim(value) : "";
	struct unbound *u = p->state;
	struct prefix x;
	struct addr host;

	if (!prefix_parse(&x, net)) {
		recipe_leave(p, said, "\"%s\" is no prefix", net);
		return;
	}
	if (strncmp(what, "allow", 5) == 0) {
		recipe_add(p, said, "allow", x.bits ? net : "any");
		return;
	}
	for (size_t i = 0; x.bits && i < 2; i++)
		u->not_local |=
			addr_parse(&host, i ? "::1" : "127.0.0.1", 0) && prefix_matches(&x, &host);
	if (x.bits)
		recipe_leave(
			p, said, "who may not is who is not in allow: there are no exceptions");
}

static void take_bundle(struct recipe *p, const struct said *said, char *value)
{
	if (*value)
		recipe_set(p, said, "tls.ca", value);
}

static void take_tls_upstream(struct recipe *p, const struct said *said, char *value)
{
	(void)said;
	((struct unbound *)p->state)->tls = is_yes(value);
}

static void take_cert(struct recipe *p, const struct said *said, char *value)
{
	struct unbound *u = p->state;

	u->cert = copy(p, value);
	u->cert_said = keep(p, said);
}

static void take_key(struct recipe *p, const struct said *said, char *value)
{
	(void)said;
	((struct unbound *)p->state)->key = copy(p, value);
}

/* IPv4-mapped ones are the addresses that they carry, here. */
static void take_private_address(struct recipe *p, const struct said *said, char *value)
{
	static const char *const words[] = { "private", "local", "0.0.0.0/8", "::" };
	struct acl known = { 0 };
	struct prefix x;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!acl_add(&known, words[i]))
			memory_out();
	if (strcmp(value, "::ffff:0:0/96") == 0 ||
		(prefix_parse(&x, value) && x.bits && acl_has(&known, &x.base)))
		recipe_set(p, said, "protect.rebinding", "true");
	else
		recipe_leave(p, said,
			"not among the private addresses here; protect.block-addresses blocks "
			"answers with it, of all domains");
	acl_clear(&known);
}

static void take_private_domain(struct recipe *p, const struct said *said, char *value)
{
	if (recipe_is_name(p, said, value))
		recipe_add(p, said, "protect.rebinding-except", value);
}

/* NAME [TTL] [IN] TYPE RDATA */
static void take_data(struct recipe *p, const struct said *said, char *value)
{
	char *name = lines_part(&value, " \t"), *type = NULL;
	const char *ttl = "";

	while (value && (type = lines_part(&value, " \t")))
		if (isdigit((unsigned char)*type))
			ttl = type;
		else if (*type && strcasecmp(type, "IN") != 0)
			break;
	if (!type || !value || !recipe_is_name(p, said, name)) {
		recipe_leave(p, said, "no NAME TYPE RDATA");
		return;
	}
	recipe_rule(p, said,
		&(struct recipe_rule){ "exact", name, NULL, "answer",
			memory_format(&p->memory, "%s%s%s %s", ttl, *ttl ? " " : "", type,
				lines_trim(value)),
			NULL });
}

/* NAME TYPE: what becomes of a domain where there is no data for it */
static void take_zone(struct recipe *p, const struct said *said, char *value)
{
	static const char *const actions[][2] = { { "deny", "drop" }, { "refuse", "refuse" },
		{ "static", "nxdomain" }, { "always_nxdomain", "nxdomain" },
		{ "always_refuse", "refuse" }, { "always_nodata", "nodata" },
		{ "always_deny", "drop" }, { "transparent", "pass" },
		{ "always_transparent", "pass" }, { "nodefault", "pass" } };
	char *name = lines_unquote(lines_part(&value, " \t"));
	const char *type = value ? lines_trim(value) : "";
	struct recipe_rule r = { "suffix", name, NULL, "action", NULL, NULL };

	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(type, actions[i][0]) == 0)
			r.value = actions[i][1];
	if (!recipe_is_name(p, said, name))
		return;
	if (!r.value)
		recipe_leave(p, said, "this kind of local zone");
	else
		recipe_rule(p, said, &r);
}

static void take_seconds(
	struct recipe *p, const struct said *said, const char *key, char *value, unsigned long most)
{
	unsigned long s;

	if (lines_number(p, said, value, most, &s))
		recipe_set(p, said, key, memory_format(&p->memory, "%lus", s ? s : 1));
}

static void take_max_ttl(struct recipe *p, const struct said *said, char *value)
{
	take_seconds(p, said, "cache.ttl-max", value, 604800);
}

static void take_min_ttl(struct recipe *p, const struct said *said, char *value)
{
	take_seconds(p, said, "cache.ttl-min", value, 3600);
}

static void take_negative(struct recipe *p, const struct said *said, char *value)
{
	take_seconds(p, said, "cache.ttl-negative", value, 86400);
}

static void take_stale(struct recipe *p, const struct said *said, char *value)
{
	struct unbound *u = p->state;

	u->no_stale = !is_yes(value);
	if (u->no_stale)
		recipe_set(p, said, "cache.stale", "0s");
}

static void take_stale_ttl(struct recipe *p, const struct said *said, char *value)
{
	const struct unbound *u = p->state;

	if (!u->no_stale)
		take_seconds(p, said, "cache.stale", value, 604800);
}

static void take_prefetch(struct recipe *p, const struct said *said, char *value)
{
	recipe_set(p, said, "cache.prefetch", is_yes(value) ? "true" : "false");
}

static void take_threads(struct recipe *p, const struct said *said, char *value)
{
	unsigned long n;

	if (lines_number(p, said, value, 64, &n) && n)
		recipe_set(p, said, "workers", value);
}

static void take_udp_size(struct recipe *p, const struct said *said, char *value)
{
	unsigned long n;

	if (lines_number(p, said, value, 65535, &n))
		recipe_set(p, said, "udp-size",
			memory_format(&p->memory, "%lu",
				n < 512            ? 512UL
					: n > 4096 ? 4096UL
						   : n));
}

static const char validation[] = "sotto does not validate; it asks servers that do";
static const char process[] = "how the process runs is said by its service unit";

static const struct word server_words[] = {
	{ .name = "interface", .take = take_interface },
	{ .name = "ip-address", .take = take_interface },
	{ .name = "port", .take = take_port },
	{ .name = "tls-port", .take = take_tls_port },
	{ .name = "ssl-port", .take = take_tls_port },
	{ .name = "access-control", .take = take_access },
	{ .name = "tls-cert-bundle", .take = take_bundle },
	{ .name = "ssl-cert-bundle", .take = take_bundle },
	{ .name = "tls-upstream", .take = take_tls_upstream },
	{ .name = "ssl-upstream", .take = take_tls_upstream },
	{ .name = "tls-service-pem", .take = take_cert },
	{ .name = "tls-service-key", .take = take_key },
	{ .name = "private-address", .take = take_private_address },
	{ .name = "private-domain", .take = take_private_domain },
	{ .name = "local-data", .take = take_data },
	{ .name = "local-zone", .take = take_zone },
	{ .name = "cache-max-ttl", .take = take_max_ttl },
	{ .name = "cache-min-ttl", .take = take_min_ttl },
	{ .name = "cache-max-negative-ttl", .take = take_negative },
	{ .name = "serve-expired", .take = take_stale },
	{ .name = "serve-expired-ttl", .take = take_stale_ttl },
	{ .name = "prefetch", .take = take_prefetch },
	{ .name = "num-threads", .take = take_threads },
	{ .name = "edns-buffer-size", .take = take_udp_size },
	{ .name = "max-udp-size", .take = take_udp_size },
	{ .name = "msg-cache-size", .moot = "the cache is bounded by cache.size" },
	{ .name = "rrset-cache-size", .moot = "the cache is bounded by cache.size" },
	{ .name = "msg-cache-slabs", .moot = "so it is" },
	{ .name = "rrset-cache-slabs", .moot = "so it is" },
	{ .name = "infra-cache-slabs", .moot = "so it is" },
	{ .name = "key-cache-slabs", .moot = "so it is" },
	{ .name = "do-ip4", .moot = "upstreams and listeners are what is written" },
	{ .name = "do-ip6", .moot = "upstreams and listeners are what is written" },
	{ .name = "do-udp", .moot = "UDP and TCP come together" },
	{ .name = "do-tcp", .moot = "UDP and TCP come together" },
	{ .name = "hide-*", .moot = "so it is: nothing is told" },
	{ .name = "harden-*", .moot = "about recursion, or so it is" },
	{ .name = "qname-minimisation*", .moot = "about recursion" },
	{ .name = "root-hints", .moot = "about recursion" },
	{ .name = "so-reuseport", .moot = "so it is" },
	{ .name = "verbosity", .moot = "see log.level" },
	{ .name = "use-syslog", .moot = "the log goes to standard error" },
	{ .name = "logfile", .moot = "the log goes to standard error" },
	{ .name = "username", .moot = process },
	{ .name = "directory", .moot = process },
	{ .name = "chroot", .moot = process },
	{ .name = "pidfile", .moot = process },
	{ .name = "auto-trust-anchor-file", .left = validation },
	{ .name = "trust-*", .left = validation },
	{ .name = "val-*", .left = validation },
	{ .name = "module-config", .left = validation },
	{ .name = "domain-insecure", .moot = validation },
	{ .name = "local-data-ptr", .left = "write it as local-data of the reverse name" },
	{ .name = "do-not-query-localhost", .moot = "upstreams are what is written" },
	{ 0 },
};

/* ---- forward-zone: ---- */

static void take_name(struct recipe *p, const struct said *said, char *value)
{
	(void)said;
	((struct unbound *)p->state)->zone->name = copy(p, value);
}

static void take_forward(struct recipe *p, const struct said *said, char *value)
{
	struct unbound *u = p->state;

	hold(p, said, value, &u->servers_end)->zone = u->zone;
}

static void take_forward_tls(struct recipe *p, const struct said *said, char *value)
{
	(void)said;
	((struct unbound *)p->state)->zone->tls = is_yes(value);
}

static void take_first(struct recipe *p, const struct said *said, char *value)
{
	if (is_yes(value))
		recipe_leave(
			p, said, "nobody else is asked in their place: sotto does no recursion");
}

static const struct word forward_words[] = {
	{ .name = "name", .take = take_name },
	{ .name = "forward-addr", .take = take_forward },
	{ .name = "forward-host", .take = take_forward },
	{ .name = "forward-tls-upstream", .take = take_forward_tls },
	{ .name = "forward-ssl-upstream", .take = take_forward_tls },
	{ .name = "forward-first", .take = take_first },
	{ .name = "forward-no-cache", .left = "the cache is of all zones" },
	{ 0 },
};

/* ---- clauses ---- */

static bool is_clause(const char *name, const char *value)
{
	static const char *const clauses[] = { "server", "forward-zone", "stub-zone", "auth-zone",
		"remote-control", "python", "dynlib", "view", "rpz", "dnscrypt", "cachedb",
		"dnstap", "ipset" };

	for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++)
		if (!*value && strcmp(name, clauses[i]) == 0)
			return true;
	return false;
}

static void begin_clause(struct recipe *p, const struct said *said, const char *name)
{
	struct unbound *u = p->state;

	if (strcmp(name, "forward-zone") == 0)
		u->zone = memory_take(&p->memory, sizeof *u->zone);
	u->words = strcmp(name, "server") == 0      ? server_words
		: strcmp(name, "forward-zone") == 0 ? forward_words
						    : NULL;
	if (strcmp(name, "remote-control") == 0)
		recipe_remark(p, said, "sotto has a socket of its own (control)");
	else if (!u->words)
		recipe_leave(p, said, "nothing of this clause is carried");
}

static void read_line(struct recipe *p, const struct said *said, char *text)
{
	const struct unbound *u = p->state;
	char *value = strchr(text, ':');

	if (!value) {
		recipe_break(p, said, "no `key: value`");
		return;
	}
	*value++ = '\0';
	value = lines_unquote(value);
	if (strncmp(text, "include", 7) == 0)
		recipe_leave(p, said, "other files; import each by itself");
	else if (is_clause(text, value))
		begin_clause(p, said, text);
	else if (u->words)
		words_take(p, u->words, said, text, value);
}

/* An interface at the port of TLS is one of TLS. */
static void add_listener(struct recipe *p, const struct said *said, char *text)
{
	const struct unbound *u = p->state;
	struct server_said s = { .port = NULL };
	struct addr a;

	server_cut(&s, text, '@');
	const char *port = s.port ? s.port : u->port;
	bool tls = u->cert && strcmp(port, u->tls_port) == 0;

	if (!addr_parse(&a, s.host, PORT_DNS))
		recipe_leave(p, said, "an interface by its name; write its address");
	else
		recipe_add(p, said, "listen",
			memory_format(&p->memory,
				a.any.sa_family == AF_INET ? "%s%s:%s" : "%s[%s]:%s",
				tls ? "tls://" : "", s.host, port));
}

/* Of names, servers in clear have none to prove. */
static void add_server(struct recipe *p, const struct held *h)
{
	const struct unbound *u = p->state;
	bool tls = u->tls || h->zone->tls;
	struct server_said s = { .scheme = tls ? "tls" : "udp" };

	server_cut(&s, h->text, '@');
	if (!tls)
		s.name = NULL;
	if (!h->zone->name)
		recipe_leave(p, &h->said, "of a zone without a name");
	else
		server_add(p, &h->said, &s, strcmp(h->zone->name, ".") == 0 ? NULL : h->zone->name);
}

static void end(struct recipe *p)
{
	const struct unbound *u = p->state;
	struct said unsaid = { 0, "forward-zone \".\"" };
	const struct said host = { 0,
		"access-control of 127.0.0.0/8 and ::1, which is unbound's own" };

	for (const struct held *h = u->servers; h; h = h->next)
		add_server(p, h);
	for (const struct held *h = u->interfaces; h; h = h->next)
		add_listener(p, &h->said, h->text);
	if (!recipe_entries(p, "upstreams"))
		recipe_leave(p, &unsaid,
			"there is none: unbound asks the servers of the root, and "
			"sotto upstreams, by default those of Cloudflare");
	if (u->cert)
		recipe_set_yaml(p, &u->cert_said, "certificate",
			memory_format(&p->memory, "{ cert: %s, key: %s }", recipe_quote(p, u->cert),
				recipe_quote(p, u->key ? u->key : "")));
	if (!u->not_local || !recipe_entries(p, "allow")) /* who else may is nobody */
		recipe_add(p, &host, "allow", "local");
	servers_end(p);
}

void unbound_read(struct recipe *p, struct span text)
{
	struct lines l = { .recipe = p, .rest = text, .comment = "#", .comment_behind = "#" };
	struct unbound u = { .port = "53", .tls_port = "853" };

	u.interfaces_end = &u.interfaces;
	u.servers_end = &u.servers;
	p->state = &u;
	while (lines_next(&l))
		read_line(p, &l.said, l.text);
	end(p);
	p->state = NULL;
}
