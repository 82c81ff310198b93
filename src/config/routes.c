/* routes: groups of servers by name, and which domains are asked of which group, as they are
 * written. Both are maps, whose entries a later source replaces one by one.
 */
#include <ctype.h>
#include <string.h>

#include "config/near.h"
#include "config/options.h"
#include "config/print.h"
#include "config/servers.h"

#define GROUPS_MAX 256
#define ZONES_MAX  1024

#define GROUP_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

static bool is_group_name(const char *text)
{
	return *text && text[strspn(text, GROUP_LETTERS)] == '\0';
}

/* The setting of a part of a value. */
static struct setting part(
	const struct setting *s, const struct kind *kind, const char *path, void *field)
{
	struct setting inner = *s;

	inner.kind = kind;
	inner.path = path;
	inner.field = field;
	return inner;
}

/* --- groups ------------------------------------------------------------------------------------
 */

static bool check_group_name(const struct setting *s, const struct node *node, const char *name)
{
	const struct place *at = &node->key->place;

	if (strcmp(name, "default") == 0 || strcmp(name, "bootstrap") == 0)
		problem(s->problems, at, s->path, "\"%s\" is the name of the group of %s:", name,
			*name == 'd' ? "upstreams" : name);
	else if (!is_group_name(name))
		problem(s->problems, at, s->path,
			"the name of a group consists of letters, digits, - and _");
	else
		return true;
	return false;
}

/* The group of that name, a new one if there is none. NULL: there are too many, which is told. */
static struct written_group *find_group(
	const struct setting *s, const struct node *node, const char *name)
{
	struct written_group **g = &s->config->written.groups;
	size_t count = 0;

	for (; *g; g = &(*g)->next, count++) {
		if (strcmp((*g)->name, name) == 0)
			break;
	}
	if (!*g && count == GROUPS_MAX) {
		problem(s->problems, &node->key->place, s->path, "more than %d groups", GROUPS_MAX);
		return NULL;
	}
	if (!*g) {
		*g = memory_take(&s->config->memory, sizeof(**g));
		(*g)->name = name;
	}
	(*g)->place = node->key->place;
	(*g)->path = s->path;
	return *g;
}

static void take_group_key(const struct setting *s, struct written_group *g, const char *key,
	const char *path, const struct node *value)
{
	struct setting inner;
	struct near near;

	/* What is wrong with a key is told; that the group has no upstreams then need not be. */
	g->upstreams.given |= strcmp(key, "policy") != 0;
	if (strcmp(key, "upstreams") == 0) {
		inner = part(s, &kind_servers, path, &g->upstreams);
		kind_take(&inner, value);
		return;
	}
	if (strcmp(key, "policy") == 0) {
		inner = part(s, &kind_policy, path, &g->policy);
		inner.option = options_find("policy");
		g->has_policy = true;
		kind_take(&inner, value);
		return;
	}
	near_init(&near, key);
	near_try(&near, "upstreams");
	near_try(&near, "policy");
	if (near.best)
		problem(s->problems, &value->key->place, path, "unknown key; did you mean \"%s\"?",
			near.best);
	else
		problem(s->problems, &value->key->place, path,
			"unknown key; a group has upstreams and policy");
}

/* `name: LIST`, `name: { upstreams: LIST, policy: WORD }`, or one of these two as `name.policy`. */
static void take_group(const struct setting *s, const struct node *node)
{
	struct memory *m = &s->config->memory;
	const char *key = node->key->text, *dot = strrchr(key, '.');
	bool dotted = dot && (strcmp(dot, ".policy") == 0 || strcmp(dot, ".upstreams") == 0);
	const char *name = memory_copy(m, key, dotted ? (size_t)(dot - key) : strlen(key));
	struct written_group *g =
		check_group_name(s, node, name) ? find_group(s, node, name) : NULL;

	if (!g)
		return;
	if (dotted) {
		take_group_key(s, g, dot + 1, s->path, node);
		return;
	}
	if (node->kind != NODE_MAP) {
		take_group_key(s, g, "upstreams", s->path, node);
		return;
	}
	for (const struct node *n = node->first; n; n = n->next)
		take_group_key(
			s, g, n->key->text, memory_format(m, "%s.%s", s->path, n->key->text), n);
}

static void print_servers(const struct written_servers *list, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < list->count; i++) {
		fputs(i > 0 ? ", " : "", out);
		print_scalar(list->all[i].spelling, out);
	}
	fputs("]\n", out);
}

static void print_groups(const struct config *c, FILE *out)
{
	fputs(c->written.groups ? "\n" : " {}\n", out);
	for (const struct written_group *g = c->written.groups; g; g = g->next) {
		fputs("  ", out);
		print_scalar(g->name, out);
		fputs(g->has_policy ? ":\n    upstreams: " : ": ", out);
		print_servers(&g->upstreams, out);
		if (g->has_policy)
			fprintf(out, "    policy: %s\n", kind_policy.words[g->policy]);
	}
}

const struct kind kind_groups = { .name = "map of names to lists of upstreams",
	.form = "a list of upstreams, or a map of upstreams and policy",
	.most = GROUPS_MAX,
	.take_entry = take_group,
	.print = print_groups };

/* --- zones -------------------------------------------------------------------------------------
 */

static const char *lower_case(const char *text, struct memory *m)
{
	char *lower = memory_copy(m, text, strlen(text));

	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return lower;
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

/* What is wrong with a domain, and what was probably meant. */
static void tell_domain(const struct setting *s, const struct place *at, const char *text)
{
	struct prefix prefix;

	if (strcmp(text, ".") == 0)
		problem(s->problems, at, s->path,
			"every domain is below \".\"; its servers are those of upstreams:");
	else if (strncmp(text, "*.", 2) == 0)
		problem(s->problems, at, s->path,
			"\"%s\": a zone holds all that is below it; leave out the *.", text);
	else if (prefix_parse(&prefix, text))
		problem(s->problems, at, s->path,
			"\"%s\" is an address, not a domain; addresses are asked about as "
			"168.192.in-addr.arpa or d.f.ip6.arpa",
			text);
	else if (!is_ascii(text))
		problem(s->problems, at, s->path,
			"\"%s\": write it in letters of ASCII, as in xn--bcher-kva.example", text);
	else
		problem(s->problems, at, s->path, "\"%s\" is not a domain", text);
}

/* Reads a domain onto the wire, in lower case; its length there, and how it is written; 0: it is
 * none, which is told. */
static size_t read_domain(const struct setting *s, const struct place *at, const char *text,
	uint8_t wire[NAME_MAX_WIRE], const char **written)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_./\\";
	struct memory *m = &s->config->memory;
	const char *lower = lower_case(text, m);
	char printed[NAME_TEXT];
	struct prefix prefix;
	bool ok = strcmp(lower, ".") != 0 && lower[strspn(lower, plain)] == '\0' &&
		!prefix_parse(&prefix, lower);
	size_t len = ok ? name_from_text(lower, wire) : 0;

	if (len == 0) {
		tell_domain(s, at, text);
		return 0;
	}
	name_to_text(wire, printed);
	*written = memory_copy(m, printed, strlen(printed) - 1);
	return len;
}

/* The zone of the same domain in this map, or where its end is. */
static struct written_zone **find_zone(struct written_zone **z, const char *domain)
{
	while (*z && strcmp((*z)->domain, domain) != 0)
		z = &(*z)->next;
	return z;
}

/* Is there no room for one zone more? Tells so. */
static bool is_full(
	const struct setting *s, const struct place *at, const struct written_zone *zones)
{
	size_t count = 0;

	for (; zones; zones = zones->next)
		count++;
	if (count < ZONES_MAX)
		return false;
	problem(s->problems, at, s->path, "more than %d zones", ZONES_MAX);
	return true;
}

/* `[lan]`, where lan was meant? No upstream looks like that. */
static bool is_group_in_brackets(const struct node *node)
{
	const struct node *only = node->kind == NODE_LIST ? node->first : NULL;

	return only && !only->next && only->kind == NODE_TEXT && is_group_name(only->text);
}

static void take_target(const struct setting *s, struct written_zone *z, const struct node *node)
{
	struct setting inner = part(s, &kind_servers, s->path, &z->upstreams);

	if (node->kind == NODE_TEXT && is_group_name(node->text))
		z->group = node->text;
	else if (is_group_in_brackets(node))
		problem(s->problems, &node->place, s->path,
			"\"%s\" is not an upstream; the name of a group stands without brackets",
			node->first->text);
	else if (node->kind == NODE_MAP)
		problem(s->problems, &node->place, s->path, "%s stands where %s is expected",
			node_kind_name(node->kind), s->kind->form);
	else
		kind_take(&inner, node);
}

static void take_zone(const struct setting *s, const struct node *node)
{
	struct written *w = &s->config->written;
	struct written_zone *z = memory_take(&s->config->memory, sizeof(*z)), **at;

	z->place = node->key->place;
	z->value = node->place;
	z->path = s->path;
	z->wire_len = read_domain(s, &z->place, node->key->text, z->wire, &z->domain);
	if (!z->wire_len)
		return;
	at = find_zone(&w->zones, z->domain);
	if (*at && (*at)->place.source == z->place.source) {
		problem(s->problems, &z->place, s->path, "\"%s\" is listed twice", node->key->text);
		return;
	}
	if (!*at && is_full(s, &z->place, w->zones))
		return;
	z->next = *at ? (*at)->next : NULL;
	*at = z;
	take_target(s, z, node);
}

static void print_zones(const struct config *c, FILE *out)
{
	fputs(c->written.zones ? "\n" : " {}\n", out);
	for (const struct written_zone *z = c->written.zones; z; z = z->next) {
		fputs("  ", out);
		print_scalar(z->domain, out);
		fputs(": ", out);
		if (!z->group) {
			print_servers(&z->upstreams, out);
			continue;
		}
		print_scalar(z->group, out);
		fputc('\n', out);
	}
}

const struct kind kind_zones = { .name = "map of domains to groups or lists of upstreams",
	.form = "the name of a group, or a list of upstreams",
	.most = ZONES_MAX,
	.take_entry = take_zone,
	.print = print_zones };

/* --- upstreams, among them those for single domains --------------------------------------------
 */

static void begin_upstreams(const struct setting *s, size_t count)
{
	servers_begin(s, count);
	s->config->written.upstream_zones = NULL;
}

/* One domain of `[/domain/domain/]upstream`. */
static bool add_to_zone(
	const struct setting *s, const struct node *node, const char *domain, const char *upstream)
{
	struct written_zone *z = memory_take(&s->config->memory, sizeof(*z)), **at;

	z->place = z->value = node->place;
	z->path = s->path;
	z->foreign = true;
	z->wire_len = read_domain(s, &z->place, domain, z->wire, &z->domain);
	if (!z->wire_len)
		return false;
	at = find_zone(&s->config->written.upstream_zones, z->domain);
	if (!*at && is_full(s, &z->place, s->config->written.upstream_zones))
		return false;
	if (!*at)
		*at = z;
	struct setting inner = part(s, &kind_servers, s->path, &(*at)->upstreams);
	struct written_server *w = servers_add(&inner, node, upstream);

	if (w)
		w->given = node->text;
	return w;
}

static void take_upstream(const struct setting *s, const struct node *node)
{
	char *rest = NULL, *text;
	const char *end = strstr(node->text, "/]");

	if (strncmp(node->text, "[/", 2) != 0 || !end) {
		servers_add(s, node, node->text);
		return;
	}
	text = memory_copy(&s->config->memory, node->text + 2, (size_t)(end - node->text - 2));
	char *domain = strtok_r(text, "/", &rest);

	if (!domain)
		problem(s->problems, &node->place, s->path,
			"no domain between [/ and /]; names of one label have no servers of their "
			"own");
	while (domain && add_to_zone(s, node, domain, end + 2))
		domain = strtok_r(NULL, "/", &rest);
}

static const char *upstreams_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	const struct written_servers *list = &c->written.upstreams;

	(void)o;
	(void)m;
	return index < list->count ? list->all[index].spelling : NULL;
}

const struct kind kind_upstreams = { .name = "list of upstreams",
	.form = "an upstream",
	.most = GROUP_MAX,
	.begin = begin_upstreams,
	.take = take_upstream,
	.text = upstreams_text };

/* --- domains -----------------------------------------------------------------------------------
 */

static void begin_domains(const struct setting *s, size_t count)
{
	struct config *c = s->config;

	c->query.fresh_only = memory_take(&c->memory, count * sizeof(*c->query.fresh_only));
	c->query.fresh_only_count = 0;
}

static void take_domain(const struct setting *s, const struct node *node)
{
	struct query_conf *q = &s->config->query;
	uint8_t wire[NAME_MAX_WIRE];
	struct domain d;

	d.name_len = read_domain(s, &node->place, node->text, wire, &d.text);
	if (!d.name_len)
		return;
	d.name = (const uint8_t *)memory_copy(&s->config->memory, (const char *)wire, d.name_len);
	q->fresh_only[q->fresh_only_count++] = d;
}

static const char *domain_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return index < c->query.fresh_only_count ? c->query.fresh_only[index].text : NULL;
}

const struct kind kind_domains = { .name = "list of domains",
	.form = "a domain",
	.most = ZONES_MAX,
	.may_be_empty = true,
	.begin = begin_domains,
	.take = take_domain,
	.text = domain_text };
