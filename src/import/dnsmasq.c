/* dnsmasq: `option` or `option=value`, a line each.
 *
 * There, names of hosts win over what is said of the domains that they are in; here rules win over
 * hosts. So rules of domains leave out the hosts that this file names; those that hosts files name
 * are not known when it is read, which is told. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dns/text.h"
#include "import/import.h"
#include "import/lines.h"
#include "import/servers.h"
#include "net/addr.h"

/* As a regular expression: a name of one label. */
#define PLAIN_NAME "^[^.]+$"

/* The port may be said behind them. */
struct listener {
	struct listener *next;
	struct said said;
	const char *address; /* as in a URI; NULL: all of the interface */
	const char *interface;
};

/* A name that has records, or has them below it. */
struct named {
	struct named *next;
	struct said said;
	const char *name;
};

struct masq {
	const char *port;
	struct listener *listeners, **listeners_end;
	struct named *named, **named_end;
	bool asks, no_resolv, no_hosts;
	struct said domain; /* the first rule of a domain; text NULL: there is none */
};

static const char *copy(struct recipe *p, const char *text)
{
	return memory_copy(&p->memory, text, strlen(text));
}

static const char *parent(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : NULL;
}

static void note_name(struct recipe *p, const struct said *said, const char *name)
{
	struct masq *m = p->state;
	struct named *n = memory_take(&p->memory, sizeof *n);

	*n = (struct named){ NULL, { said->line, copy(p, said->text) }, recipe_plain(p, name) };
	*m->named_end = n;
	m->named_end = &n->next;
}

static void add_record(struct recipe *p, const struct said *said, const char *name,
	const char *type, const char *data)
{
	struct recipe_rule r = { "exact", name, type, "answer", NULL, NULL };

	if (!recipe_is_name(p, said, name))
		return;
	r.value = memory_format(&p->memory, "%s %s", type, data);
	if (recipe_rule(p, said, &r))
		note_name(p, said, name);
}

static char *lower(char *text)
{
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

/* `"` and `\` of a character string are escaped. */
static const char *character_string(struct recipe *p, const char *text)
{
	char *out = memory_take(&p->memory, 2 * strlen(text) + 3), *to = out;

	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to = '"';
	return out;
}

/* Of a value that lacks something. */
static void lacks(struct recipe *p, const struct said *said)
{
	recipe_leave(p, said, "something is missing in it");
}

/* The parts of a value between commas, outside of quotes; those that are not there are NULL. */
#define PARTS_MAX 32
static size_t cut(char *value, char *parts[PARTS_MAX])
{
	size_t count = 0;

	memset(parts, 0, PARTS_MAX * sizeof *parts);
	while (value && count < PARTS_MAX) {
		char *end = value;

		for (bool quoted = false; *end && (quoted || *end != ','); end++)
			quoted ^= *end == '"';
		char *next = *end ? end + 1 : NULL;

		*end = '\0';
		parts[count++] = lines_unquote(value);
		value = next;
	}
	return count;
}

/* ---- servers ---- */

/* IP[#PORT][@SOURCE or INTERFACE[#PORT]] */
static bool read_server(
	struct recipe *p, const struct said *said, char *text, struct server_said *s)
{
	struct addr a;
	char *from = strchr(text, '@');

	*s = (struct server_said){ .scheme = "udp" };
	if (from)
		*from++ = '\0';
	server_cut(s, text, '#');
	if (!from)
		return true;
	if (strchr(from, '@') || strchr(from, '#')) {
		recipe_leave(p, said,
			"a port to ask from, or two places: each question has a port of "
			"its own");
		return false;
	}
	s->parameters = memory_format(
		&p->memory, "%s=%s", addr_parse(&a, from, PORT_DNS) ? "source" : "interface", from);
	return true;
}

/* A rule for a domain; `#` is everything. */
static void add_domain(struct recipe *p, const struct said *said, struct recipe_rule *r)
{
	struct masq *m = p->state;

	if (strcmp(r->name, "#") == 0)
		r->kind = r->name = NULL;
	else if (!*r->name)
		r->kind = "regex", r->name = PLAIN_NAME;
	else if (*r->name == '*')
		r->kind = "suffix", r->name += 1 + (r->name[1] == '.');
	if (r->kind && strcmp(r->kind, "suffix") == 0 && !recipe_is_name(p, said, r->name))
		return;
	recipe_rule(p, said, r);
	if (!m->domain.text)
		m->domain = (struct said){ said->line, copy(p, said->text) };
}

static void serve_domain(
	struct recipe *p, const struct said *said, const char *domain, const char *server)
{
	struct server_said s;
	struct recipe_rule no_such = { "suffix", domain, NULL, "action", "nxdomain", NULL };

	if (!*server) {
		add_domain(p, said, &no_such);
	} else if (strcmp(server, "#") == 0 && *domain) {
		if (recipe_is_name(p, said, domain))
			recipe_put(p, said, "zones", domain, "default");
	} else if (!*domain || *domain == '#' || *domain == '*') {
		recipe_leave(p, said,
			"servers of names without dots, of everything by a pattern, or "
			"of parts of labels");
	} else if (read_server(p, said, memory_copy(&p->memory, server, strlen(server)), &s)) {
		server_add(p, said, &s, domain);
	}
}

static void take_server(struct recipe *p, const struct said *said, char *value)
{
	struct masq *m = p->state;
	struct server_said s;
	char *last = strrchr(value, '/'), *rest = value + 1;

	if (*value != '/') {
		m->asks = true;
		if (read_server(p, said, value, &s))
			server_add(p, said, &s, NULL);
		return;
	}
	*last++ = '\0';
	if (rest >= last) {
		lacks(p, said);
		return;
	}
	for (char *domain; (domain = lines_part(&rest, "/"));)
		serve_domain(p, said, lower(domain), lines_trim(last));
}

/* The zone of a prefix that ends between labels; false: it does not. */
static bool reverse_zone(struct recipe *p, const struct prefix *x, const char **zone)
{
	struct span octets = addr_octets(&x->base);
	bool v4 = octets.len == 4;
	unsigned step = v4 ? 8 : 4;

	*zone = v4 ? "in-addr.arpa" : "ip6.arpa";
	for (unsigned i = 0; i < x->bits / step; i++) {
		unsigned label =
			v4 ? octets.at[i] : (unsigned)octets.at[i / 2] >> (i % 2 ? 0 : 4) & 0xf;

		*zone = memory_format(&p->memory, v4 ? "%u.%s" : "%x.%s", label, *zone);
	}
	return x->bits && x->bits % step == 0;
}

static void take_rev_server(struct recipe *p, const struct said *said, char *value)
{
	struct prefix x;
	const char *zone;
	char *net = lines_part(&value, ",");

	if (!value)
		lacks(p, said);
	else if (!prefix_parse(&x, net) || !reverse_zone(p, &x, &zone))
		recipe_leave(p, said, "a prefix that is none of whole labels of reverse names");
	else
		serve_domain(p, said, zone, lines_trim(value));
}

static void address_domain(
	struct recipe *p, const struct said *said, const char *domain, const char *address)
{
	struct addr a;
	struct recipe_rule r = { "suffix", domain, "A, AAAA", "answer", NULL, NULL };

	if (!*address) {
		serve_domain(p, said, domain, "");
	} else if (strcmp(address, "#") == 0) {
		struct recipe_rule six = r;

		r.value = "A 0.0.0.0";
		add_domain(p, said, &r);
		six.value = "AAAA ::";
		add_domain(p, said, &six);
	} else if (!addr_parse(&a, address, PORT_DNS) || *address == '[') {
		recipe_leave(p, said, "\"%s\" is no address", address);
	} else {
		r.value = memory_format(
			&p->memory, "%s %s", a.any.sa_family == AF_INET ? "A" : "AAAA", address);
		add_domain(p, said, &r);
	}
}

static void take_address(struct recipe *p, const struct said *said, char *value)
{
	char *last = strrchr(value, '/'), *rest = value + 1;

	if (*value != '/' || last == value) {
		lacks(p, said);
		return;
	}
	*last++ = '\0';
	for (char *domain; (domain = lines_part(&rest, "/"));)
		address_domain(p, said, lower(domain), lines_trim(last));
}

/* ---- records ---- */

static void take_cname(struct recipe *p, const struct said *said, char *value)
{
	char *parts[PARTS_MAX], *end;
	size_t count = cut(value, parts);
	const char *ttl = NULL;

	if (count > 2 && strspn(parts[count - 1], "0123456789") == strlen(parts[count - 1]))
		ttl = memory_format(&p->memory, "%lus", strtoul(parts[--count], &end, 10));
	if (count < 2 || !recipe_is_name(p, said, parts[count - 1])) {
		lacks(p, said);
		return;
	}
	for (size_t i = 0; i + 1 < count; i++) {
		bool below = strncmp(parts[i], "*.", 2) == 0;
		struct recipe_rule r = { below ? "below" : "exact", parts[i] + (below ? 2 : 0),
			NULL, "cname", parts[count - 1], ttl };

		const char *above = below ? r.name : parent(r.name);

		if (recipe_is_name(p, said, r.name) && recipe_rule(p, said, &r) && above)
			note_name(p, said, above); /* an alias answers all types */
	}
}

static void take_srv(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];

	if (!cut(value, x) || !*x[0] || strlen(x[0]) == strcspn(x[0], "."))
		lacks(p, said);
	else
		add_record(p, said, x[0], "SRV",
			memory_format(&p->memory, "%s %s %s %s", x[3] ? x[3] : "0",
				x[3] && x[4] ? x[4] : "0", x[1] && x[2] ? x[2] : "1",
				x[1] && *x[1] ? x[1] : "."));
}

static void take_mx(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];

	if (cut(value, x) < 2)
		recipe_leave(p, said, "the mail host is not said; it would be that of mx-target");
	else
		add_record(p, said, x[0], "MX",
			memory_format(&p->memory, "%s %s", x[2] ? x[2] : "1", x[1]));
}

static void take_txt(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];
	size_t count = cut(value, x);
	const char *data = count > 1 ? "" : "\"\"";

	for (size_t i = 1; i < count; i++)
		data = memory_format(
			&p->memory, "%s%s%s", data, i > 1 ? " " : "", character_string(p, x[i]));
	add_record(p, said, x[0], "TXT", data);
}

static void take_ptr(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];

	if (cut(value, x) != 2)
		lacks(p, said);
	else
		add_record(p, said, x[0], "PTR", x[1]);
}

static void take_naptr(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];

	if (cut(value, x) < 6)
		lacks(p, said);
	else
		add_record(p, said, x[0], "NAPTR",
			memory_format(&p->memory, "%s %s %s %s %s %s", x[1], x[2],
				character_string(p, x[3]), character_string(p, x[4]),
				character_string(p, x[5]), x[6] ? x[6] : "."));
}

static void take_caa(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];

	if (cut(value, x) < 4)
		lacks(p, said);
	else
		add_record(p, said, x[0], "CAA",
			memory_format(
				&p->memory, "%s %s %s", x[1], x[2], character_string(p, x[3])));
}

/* name,number[,hex], the hex with blanks or colons in it */
static void take_rr(struct recipe *p, const struct said *said, char *value)
{
	char *name = lines_part(&value, ","), *hex;
	unsigned long number;
	size_t digits = 0;

	if (!value || !lines_number(p, said, hex = lines_part(&value, ","), 65535, &number)) {
		if (!value)
			lacks(p, said);
		return;
	}
	hex = memory_take(&p->memory, value ? strlen(value) + 1 : 1);
	for (const char *c = value ? value : ""; *c; c++)
		if (isxdigit((unsigned char)*c))
			hex[digits++] = *c;
		else if (!strchr(": \t", *c))
			digits |= 1; /* not hex: no whole octets */
	if (digits % 2)
		recipe_leave(p, said, "its data are no octets in hex");
	else
		add_record(p, said, name, memory_format(&p->memory, "TYPE%lu", number),
			memory_format(&p->memory, "\\# %zu %s", digits / 2, hex));
}

static void take_host(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];
	size_t count = cut(value, x), names = 0;
	struct addr a;

	for (; names < count && !addr_parse(&a, x[names], PORT_DNS); names++)
		lower(x[names]);
	if (!names || names == count) {
		recipe_leave(p, said, "a name without an address");
		return;
	}
	for (size_t n = 0; n < names; n++)
		for (size_t i = names; recipe_is_name(p, said, x[n]) && i < count; i++)
			if (addr_parse(&a, x[i], PORT_DNS))
				recipe_put(p, said, "hosts", x[n], x[i]);
			else if (n == 0 && *x[i])
				recipe_leave(p, said, "its TTL: hosts have that of local.ttl");
}

static void take_interface_name(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];

	if (cut(value, x) != 2 || strchr(x[1], '/'))
		recipe_leave(p, said, "one family of an interface's addresses, or nothing");
	else if (recipe_is_name(p, said, x[0]))
		recipe_put(p, said, "hosts", x[0], memory_format(&p->memory, "@iface:%s", x[1]));
}

/* The fewest prefixes that are all addresses from the first to the last one. */
static void put_range(
	struct recipe *p, const struct said *said, const char *form, uint32_t first, uint32_t last)
{
	for (unsigned bits;; first += UINT32_C(1) << (32 - bits)) {
		struct in_addr a = { htonl(first) };
		char text[INET_ADDRSTRLEN];

		for (bits = 32; bits > 1; bits--) {
			uint32_t wider = UINT32_MAX >> (bits - 1);

			if (first & wider || last - first < wider)
				break;
		}
		inet_ntop(AF_INET, &a, text, sizeof text);
		recipe_put(p, said, "synthesized", form,
			memory_format(&p->memory, "%s/%u", text, bits));
		if (last - first < UINT32_C(1) << (32 - bits))
			break; /* also where the next one would be 0.0.0.0 */
	}
}

/* DOMAIN,PREFIX or FIRST,LAST[,BEGINNING]: BEGINNING, and the address with dashes in it. */
static void take_synth(struct recipe *p, const struct said *said, char *value)
{
	char *x[PARTS_MAX];
	size_t count = cut(value, x);
	struct prefix net;
	struct in_addr first, last;
	bool range = count > 2 && inet_pton(AF_INET, x[1], &first) == 1 &&
		inet_pton(AF_INET, x[2], &last) == 1;
	const char *beginning = x[range ? 3 : 2] ? x[range ? 3 : 2] : "";

	if (count < 2 || !recipe_is_name(p, said, x[0]))
		return;
	const char *form = memory_format(&p->memory, "%s{address}.%s",
		lower(memory_copy(&p->memory, beginning, strlen(beginning))), lower(x[0]));

	if (strchr(beginning, '*'))
		recipe_leave(p, said, "names that are numbered from the first address on");
	else if (range && ntohl(first.s_addr) <= ntohl(last.s_addr))
		put_range(p, said, form, ntohl(first.s_addr), ntohl(last.s_addr));
	else if (!range && prefix_parse(&net, x[1]))
		recipe_put(p, said, "synthesized", form, x[1]);
	else
		recipe_leave(p, said, "\"%s\" is neither a prefix nor the first of a range of IPv4",
			x[1]);
}

/* ---- what is let through ---- */

static void take_bogus(struct recipe *p, const struct said *said, char *value)
{
	struct prefix x;

	if (prefix_parse(&x, value))
		recipe_add(p, said, "protect.bogus-addresses", value);
	else
		recipe_leave(p, said, "\"%s\" is no address or prefix", value);
}

static void take_rebind(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	recipe_set(p, said, "protect.rebinding", "true");
}

static void take_rebind_ok(struct recipe *p, const struct said *said, char *value)
{
	for (char *domain; (domain = lines_part(&value, "/"));)
		if (*domain && recipe_is_name(p, said, domain))
			recipe_add(p, said, "protect.rebinding-except", domain);
}

static void no_type(struct recipe *p, const struct said *said, const char *type)
{
	recipe_rule(p, said, &(struct recipe_rule){ NULL, NULL, type, "action", "nodata", NULL });
}

static void take_win2k(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	no_type(p, said, "SOA, SRV");
	recipe_rule(
		p, said, &(struct recipe_rule){ "glob", "*_*", "ANY", "action", "nodata", NULL });
}

static void take_filter_a(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	no_type(p, said, "A");
}

static void take_filter_aaaa(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	no_type(p, said, "AAAA");
}

/* ANY is every type that is asked for by that, which is a question of its own. */
static void take_filter_rr(struct recipe *p, const struct said *said, char *value)
{
	char text[TEXT_MAX];
	uint16_t type;

	for (char *word; (word = lines_part(&value, ","));)
		if (text_read_type(word, &type))
			no_type(p, said, copy(p, text_type(type, text)));
		else
			recipe_leave(p, said, "\"%s\" is no type of records", word);
}

static void take_domain_needed(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	add_domain(p, said,
		&(struct recipe_rule){ "suffix", "", "A, AAAA", "action", "nxdomain", NULL });
}

/* ---- numbers ---- */

static void set_seconds(struct recipe *p, const struct said *said, const char *key, char *value,
	const unsigned long between[2])
{
	unsigned long s;

	if (!lines_number(p, said, value, between[1], &s))
		return;
	recipe_set(
		p, said, key, memory_format(&p->memory, "%lus", s < between[0] ? between[0] : s));
}

static void take_min_ttl(struct recipe *p, const struct said *said, char *value)
{
	set_seconds(p, said, "cache.ttl-min", value, (unsigned long[]){ 0, 3600 });
}

static void take_max_ttl(struct recipe *p, const struct said *said, char *value)
{
	set_seconds(p, said, "cache.ttl-max", value, (unsigned long[]){ 1, 604800 });
}

static void take_local_ttl(struct recipe *p, const struct said *said, char *value)
{
	set_seconds(p, said, "local.ttl", value, (unsigned long[]){ 0, 604800 });
}

static void take_no_negcache(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	recipe_set(p, said, "cache.ttl-negative", "1s");
}

static void take_cache_size(struct recipe *p, const struct said *said, char *value)
{
	unsigned long entries;

	if (!lines_number(p, said, value, UINT32_MAX, &entries))
		return;
	if (entries)
		recipe_remark(p, said, "the cache is bounded in octets, by cache.size");
	else
		recipe_set(p, said, "cache.size", "0");
}

static void take_edns(struct recipe *p, const struct said *said, char *value)
{
	unsigned long size;

	if (lines_number(p, said, value, 65535, &size))
		recipe_set(p, said, "udp-size",
			memory_format(&p->memory, "%lu",
				size < 512            ? 512UL
					: size > 4096 ? 4096UL
						      : size));
}

static void take_forward_max(struct recipe *p, const struct said *said, char *value)
{
	unsigned long most;

	if (lines_number(p, said, value, 16777216, &most) && most)
		recipe_set(p, said, "limits.queries", value);
}

/* ---- where and whom ---- */

static void take_port(struct recipe *p, const struct said *said, char *value)
{
	struct masq *m = p->state;
	unsigned long port;

	if (!lines_number(p, said, value, 65535, &port))
		return;
	if (port)
		m->port = copy(p, value);
	else
		recipe_leave(p, said, "no DNS at all");
}

static struct listener *add_listener(struct recipe *p, const struct said *said)
{
	struct masq *m = p->state;
	struct listener *l = memory_take(&p->memory, sizeof *l);

	l->said = (struct said){ said->line, copy(p, said->text) };
	*m->listeners_end = l;
	m->listeners_end = &l->next;
	return l;
}

static void take_listen(struct recipe *p, const struct said *said, char *value)
{
	struct addr a;

	for (char *one; (one = lines_part(&value, ","));)
		if (!addr_parse(&a, one, PORT_DNS) || addr_port(&a) != PORT_DNS || *one == '[')
			recipe_leave(p, said, "\"%s\" is no address", one);
		else
			add_listener(p, said)->address = memory_format(
				&p->memory, a.any.sa_family == AF_INET ? "%s" : "[%s]", one);
}

static void take_interface(struct recipe *p, const struct said *said, char *value)
{
	for (char *one; (one = lines_part(&value, ","));)
		if (strchr(one, '*'))
			recipe_leave(p, said, "names of interfaces by a pattern");
		else
			add_listener(p, said)->interface = copy(p, one);
}

static void take_all_servers(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	recipe_set(p, said, "policy", "race");
}

static void take_strict_order(struct recipe *p, const struct said *said, char *value)
{
	(void)value;
	recipe_set(p, said, "policy", "ordered");
}

static void take_hosts_file(struct recipe *p, const struct said *said, char *value)
{
	recipe_add(p, said, "hosts-files", value);
}

static void take_no_resolv(struct recipe *p, const struct said *said, char *value)
{
	struct masq *m = p->state;

	(void)said, (void)value;
	m->no_resolv = true;
}

static void take_no_hosts(struct recipe *p, const struct said *said, char *value)
{
	struct masq *m = p->state;

	(void)said, (void)value;
	m->no_hosts = true;
}

static const char other_file[] = "another file; import it by itself";
static const char no_dhcp[] = "sotto does no DHCP, TFTP or router advertisement";
static const char own_port[] = "each question has a port of its own, that nobody can foresee";
static const char process[] = "how the process runs is said by its service unit";

static const struct word words[] = {
	{ .name = "server", .take = take_server },
	{ .name = "local", .take = take_server },
	{ .name = "rev-server", .take = take_rev_server },
	{ .name = "address", .take = take_address },
	{ .name = "cname", .take = take_cname },
	{ .name = "srv-host", .take = take_srv },
	{ .name = "mx-host", .take = take_mx },
	{ .name = "txt-record", .take = take_txt },
	{ .name = "ptr-record", .take = take_ptr },
	{ .name = "naptr-record", .take = take_naptr },
	{ .name = "caa-record", .take = take_caa },
	{ .name = "dns-rr", .take = take_rr },
	{ .name = "host-record", .take = take_host },
	{ .name = "interface-name", .take = take_interface_name },
	{ .name = "synth-domain", .take = take_synth },
	{ .name = "bogus-nxdomain", .take = take_bogus },
	{ .name = "stop-dns-rebind", .take = take_rebind },
	{ .name = "rebind-domain-ok", .take = take_rebind_ok },
	{ .name = "filterwin2k", .take = take_win2k },
	{ .name = "filter-A", .take = take_filter_a },
	{ .name = "filter-AAAA", .take = take_filter_aaaa },
	{ .name = "filter-rr", .take = take_filter_rr },
	{ .name = "domain-needed", .take = take_domain_needed },
	{ .name = "min-cache-ttl", .take = take_min_ttl },
	{ .name = "max-cache-ttl", .take = take_max_ttl },
	{ .name = "max-ttl", .take = take_max_ttl },
	{ .name = "local-ttl", .take = take_local_ttl },
	{ .name = "no-negcache", .take = take_no_negcache },
	{ .name = "cache-size", .take = take_cache_size },
	{ .name = "edns-packet-max", .take = take_edns },
	{ .name = "dns-forward-max", .take = take_forward_max },
	{ .name = "port", .take = take_port },
	{ .name = "listen-address", .take = take_listen },
	{ .name = "interface", .take = take_interface },
	{ .name = "all-servers", .take = take_all_servers },
	{ .name = "strict-order", .take = take_strict_order },
	{ .name = "addn-hosts", .take = take_hosts_file },
	{ .name = "hostsdir", .take = take_hosts_file },
	{ .name = "no-resolv", .take = take_no_resolv },
	{ .name = "no-hosts", .take = take_no_hosts },
	{ .name = "bogus-priv",
		.moot = "so it is: private reverse names are special (special.names)" },
	{ .name = "dns-loop-detect", .moot = "so it is: a loop is found out and ended" },
	{ .name = "proxy-dnssec",
		.moot = "so it is: what an authenticated server says of AD is told" },
	{ .name = "no-poll", .moot = "there is no /etc/resolv.conf that is read" },
	{ .name = "bind-interfaces", .moot = "so it is" },
	{ .name = "bind-dynamic", .moot = "so it is, at start" },
	{ .name = "local-service", .moot = "so it is: allow is [local, private]" },
	{ .name = "localhost-record", .moot = "so it is" },
	{ .name = "user", .moot = process },
	{ .name = "group", .moot = process },
	{ .name = "pid-file", .moot = process },
	{ .name = "no-daemon", .moot = process },
	{ .name = "keep-in-foreground", .moot = process },
	{ .name = "ipset", .left = "addresses are put into no set of the kernel" },
	{ .name = "nftset", .left = "addresses are put into no set of the kernel" },
	{ .name = "alias", .left = "addresses in answers are not changed" },
	{ .name = "rebind-localhost-ok",
		.left = "127.0.0.0/8 is private; name the domains in "
			"protect.rebinding-except" },
	{ .name = "neg-ttl",
		.left = "what does not exist is kept only if its server says for how long" },
	{ .name = "query-port", .left = own_port },
	{ .name = "min-port", .left = own_port },
	{ .name = "max-port", .left = own_port },
	{ .name = "resolv-file", .left = "write its servers as upstreams" },
	{ .name = "servers-file", .left = other_file },
	{ .name = "conf-file", .left = other_file },
	{ .name = "conf-dir", .left = "other files; import each by itself" },
	{ .name = "except-interface", .left = "name in listen what is listened on" },
	{ .name = "expand-hosts", .left = "names have the domain that is written" },
	{ .name = "domain", .left = "names have the domain that is written" },
	{ .name = "localise-queries",
		.left = "addresses are not chosen by where a question came from" },
	{ .name = "dnssec*", .left = "sotto does not validate; it asks servers that do" },
	{ .name = "trust-anchor", .left = "sotto does not validate; it asks servers that do" },
	{ .name = "add-*", .left = "nothing is told of who asked" },
	{ .name = "log-*", .left = "there is no log of queries" },
	{ .name = "auth-*",
		.left = "sotto is no authoritative server; zone-files has zones of its own" },
	{ .name = "dhcp-*", .left = no_dhcp },
	{ .name = "tftp-*", .left = no_dhcp },
	{ .name = "pxe-*", .left = no_dhcp },
	{ .name = "enable-*", .left = no_dhcp },
	{ .name = "ra-param", .left = no_dhcp },
	{ 0 },
};

/* ---- the whole ---- */

static bool is_ruled(struct recipe *p, const char *kind, const char *domain)
{
	return recipe_find_rule(
		       p, &(struct recipe_rule){ kind, domain, NULL, "action", NULL, NULL }) ||
		recipe_find_rule(
			p, &(struct recipe_rule){ kind, domain, "A, AAAA", "answer", NULL, NULL });
}

/* There, the longer domain wins, be it a server's or an address's; here, rules win over zones. So
 * zones that are in the domain of a rule become rules, too. */
static void rule_zones(struct recipe *p)
{
	for (const struct recipe_entry *z = recipe_entries(p, "zones"); z; z = z->next) {
		const struct recipe_rule own = { "suffix", z->name, NULL, "action", NULL, NULL };
		bool ruled = is_ruled(p, NULL, NULL);

		if (recipe_find_rule(p, &own)) {
			recipe_leave(p, &z->said, "the file says that nobody is asked for it, too");
			continue;
		}
		for (const char *dot = strchr(z->name, '.'); dot; dot = strchr(dot + 1, '.'))
			ruled |= is_ruled(p, "suffix", dot + 1);
		if (ruled)
			recipe_rule(p, &z->said,
				&(struct recipe_rule){
					"suffix", z->name, NULL, "action", "pass", NULL });
	}
}

/* The rules of that domain do not hold for this host. */
static void spare(struct recipe *p, const char *host, const char *kind, const char *domain)
{
	const struct recipe_rule rules[] = {
		{ kind, domain, NULL, "action", NULL, NULL },
		{ kind, domain, "A, AAAA", "action", NULL, NULL },
		{ kind, domain, "A, AAAA", "answer", NULL, NULL },
		{ NULL, NULL, "A", "action", NULL, NULL },
		{ NULL, NULL, "AAAA", "action", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct recipe_entry *e = recipe_find_rule(p, &rules[i]);

		if (e)
			recipe_except(p, e, memory_format(&p->memory, "exact:%s", host));
	}
}

/* The names of hosts are taken out of the rules of domains that they are in. */
static void spare_hosts(struct recipe *p)
{
	for (const struct recipe_entry *h = recipe_entries(p, "hosts"); h; h = h->next) {
		const char *dot = strchr(h->name, '.');

		spare(p, h->name, NULL, NULL);
		if (!dot)
			spare(p, h->name, "regex", PLAIN_NAME);
		spare(p, h->name, "suffix", h->name);
		for (; dot; dot = strchr(dot + 1, '.'))
			spare(p, h->name, "suffix", dot + 1);
	}
}

/* The file says of the domain that this name is in that nothing in it exists. */
static bool is_denied(struct recipe *p, const char *name)
{
	struct recipe_rule denies = { "suffix", NULL, NULL, "action", NULL, NULL };
	struct recipe_rule answers = { "suffix", NULL, "A, AAAA", "answer", NULL, NULL };
	const struct recipe_entry *e = NULL;

	for (const char *at = name; at && !e; at = parent(at)) {
		denies.name = answers.name = at;
		if (recipe_find_rule(p, &answers))
			return false;
		e = recipe_find_rule(p, &denies);
	}
	if (!e && !strchr(name, '.')) {
		denies.kind = "regex", denies.name = PLAIN_NAME;
		e = recipe_find_rule(p, &denies);
	}
	if (!e) {
		denies.kind = denies.name = NULL;
		e = recipe_find_rule(p, &denies);
	}
	return e && strcmp(e->values->text, "nxdomain") == 0;
}

/* A name exists that has records, or has names below it that have: then there is but nothing of the
 * type that is asked for. */
static void let_exist(struct recipe *p, const struct said *said, const char *name)
{
	const struct recipe_rule plain = { "regex", PLAIN_NAME, "A, AAAA", "action", NULL, NULL };

	for (; name && *name; name = parent(name)) {
		struct recipe_rule r = { "exact", name, NULL, "action", "nodata", NULL };
		bool denied = is_denied(p, name);

		if (!denied && !strchr(name, '.') && recipe_find_rule(p, &plain)) {
			r.types = plain.types;
			denied = true;
		}
		if (denied && !recipe_has(p, "hosts", name))
			recipe_rule(p, said, &r);
	}
}

static void let_names_exist(struct recipe *p)
{
	const struct masq *m = p->state;

	for (const struct recipe_entry *h = recipe_entries(p, "hosts"); h; h = h->next)
		let_exist(p, &h->said, h->name);
	for (const struct named *n = m->named; n; n = n->next)
		let_exist(p, &n->said, n->name);
}

/* Names that are made of addresses win there, too; but which names those are, no pattern says. */
static void tell_made(struct recipe *p)
{
	for (const struct recipe_entry *e = recipe_entries(p, "synthesized"); e; e = e->next) {
		bool ruled = is_ruled(p, NULL, NULL);

		for (const char *dot = strchr(e->name, '.'); dot; dot = strchr(dot + 1, '.'))
			ruled |= is_ruled(p, "suffix", dot + 1);
		if (ruled)
			recipe_leave(p, &e->said,
				"rules of its domain win over such names here, and do not there");
	}
}

static void add_listeners(struct recipe *p)
{
	const struct masq *m = p->state;

	for (const struct listener *l = m->listeners; l; l = l->next) {
		if (l->address) {
			recipe_add(p, &l->said, "listen",
				memory_format(&p->memory, "%s:%s", l->address, m->port));
			continue;
		}
		recipe_add(p, &l->said, "listen",
			memory_format(
				&p->memory, "0.0.0.0:%s?interface=%s", m->port, l->interface));
		recipe_add(p, &l->said, "listen",
			memory_format(&p->memory, "[::]:%s?interface=%s", m->port, l->interface));
	}
}

/* What the file does not say means something, too. */
static void end(struct recipe *p)
{
	struct masq *m = p->state;
	struct said unsaid = { 0, "/etc/hosts" };

	if (!m->no_hosts)
		recipe_add(p, &unsaid, "hosts-files", "/etc/hosts");
	if (m->domain.text && recipe_entries(p, "hosts-files"))
		recipe_leave(
			p, &m->domain, "names in hosts files win over this there, and do not here");
	rule_zones(p);
	spare_hosts(p);
	let_names_exist(p);
	tell_made(p);
	add_listeners(p);
	unsaid.text = "/etc/resolv.conf";
	if (!m->no_resolv)
		recipe_leave(p, &unsaid, "without no-resolv its servers are asked%s",
			m->asks ? ", too" : "");
	servers_end(p);
}

void dnsmasq_read(struct recipe *p, struct span text)
{
	struct lines l = { .recipe = p, .rest = text, .comment = "#", .comment_behind = "#" };
	struct masq m = { .port = "53" };

	m.listeners_end = &m.listeners;
	m.named_end = &m.named;
	p->state = &m;
	while (lines_next(&l)) {
		char *value = strchr(l.text, '=');

		if (value)
			*value++ = '\0';
		words_take(p, words, &l.said, lines_trim(l.text),
			value ? lines_unquote(value) : l.text + strlen(l.text));
	}
	end(p);
	p->state = NULL;
}
