#include "config/config.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "config/near.h"
#include "config/options.h"
#include "config/syntax.h"

#define FILE_MAX  (1024 * 1024)
#define KEY_MAX   128
#define WORD_ENDS ", \t"
#define DEFAULT   "default"

/* A load under way. */
struct load {
	struct config *config;
	struct problems problems;
	struct place set_at[OPTIONS_MAX]; /* where each option got its value */
};

/* --- one value ---------------------------------------------------------------------------------
 */

static void set(struct load *l, const struct config_option *o, const struct node *node)
{
	struct setting s = { l->config, o, &l->problems };

	l->set_at[options_index(o)] = node->place;
	l->config->upstreams_given |= strcmp(o->key, "upstreams") == 0;
	kind_take(&s, node);
}

static struct source *new_source(struct load *l, const char *name)
{
	struct source *source = memory_take(&l->config->memory, sizeof(*source));

	source->name = name;
	return source;
}

/* `a, b c` as a list. */
static struct node *words(struct load *l, struct place place, const char *text)
{
	struct memory *m = &l->config->memory;
	struct node *list = syntax_node(m, NODE_LIST, place), **end = &list->first;

	for (;;) {
		text += strspn(text, WORD_ENDS);
		size_t len = strcspn(text, WORD_ENDS);

		if (!len)
			return list;
		*end = syntax_text(m, place, text, len);
		end = &(*end)->next;
		text += len;
	}
}

/* A flow list; [::1]:53 is an address. */
static bool is_flow_list(const char *text)
{
	struct addr a;
	size_t len = strlen(text);

	return len >= 2 && text[0] == '[' && text[len - 1] == ']' && !addr_parse(&a, text, 1);
}

/* A value from a variable or an argument. */
static void set_text(
	struct load *l, const struct config_option *o, struct source *source, const char *text)
{
	struct memory *m = &l->config->memory;
	struct place place = { source, 0, 0 };
	struct node *node;

	if (o->kind->most > 0 && is_flow_list(text))
		node = syntax_read(source, text, strlen(text), m, &l->problems);
	else if (o->kind->most > 0)
		node = words(l, place, text);
	else
		node = syntax_text(m, place, text, strlen(text));
	if (!node)
		return;
	node->place = place;
	set(l, o, node);
}

/* --- files -------------------------------------------------------------------------------------
 */

/* The option or section of that level that comes closest. */
static void tell_unknown(struct load *l, const struct place *place, const char *path)
{
	struct near near;

	near_init(&near, path);
	for (const struct config_option *o = options; o->key; o++) {
		const char *dot = strchr(o->key, '.');

		near_try(&near, o->key);
		if (dot)
			near_try(&near,
				memory_copy(&l->config->memory, o->key, (size_t)(dot - o->key)));
	}
	if (near.best)
		problem(&l->problems, place, path, "unknown key; did you mean \"%s\"?", near.best);
	else
		problem(&l->problems, place, path, "unknown key");
}

static bool is_section(const char *path)
{
	size_t len = strlen(path);

	for (const struct config_option *o = options; o->key; o++) {
		if (strncmp(o->key, path, len) == 0 && o->key[len] == '.')
			return true;
	}
	return false;
}

/* Sections do not nest, so neither does this. */
static void take_section(struct load *l, const char *section, const struct node *map)
{
	char path[KEY_MAX];

	if (map->kind == NODE_NOTHING || map->kind == NODE_BAD)
		return;
	if (map->kind != NODE_MAP) {
		problem(&l->problems, &map->place, section, "%s stands where a map is expected",
			node_kind_name(map->kind));
		return;
	}
	for (const struct node *n = map->first; n; n = n->next) {
		snprintf(path, sizeof(path), "%s.%s", section, n->key->text);
		const struct config_option *o = options_find(path);

		if (o)
			set(l, o, n);
		else
			tell_unknown(l, &n->key->place, path);
	}
}

static void take_map(struct load *l, const struct node *root)
{
	if (root->kind == NODE_NOTHING || root->kind == NODE_BAD)
		return;
	if (root->kind != NODE_MAP) {
		problem(&l->problems, &root->place, NULL, "%s stands where a map is expected",
			node_kind_name(root->kind));
		return;
	}
	for (const struct node *n = root->first; n; n = n->next) {
		const char *key = n->key->text;
		const struct config_option *o = options_find(key);
		const char *dot = strchr(key, '.');

		if (o && dot)
			problem(&l->problems, &n->key->place, key, "write %s: under %.*s:", dot + 1,
				(int)(dot - key), key);
		else if (o)
			set(l, o, n);
		else if (is_section(key))
			take_section(l, key, n);
		else
			tell_unknown(l, &n->key->place, key);
	}
}

/* False, with errno, if it cannot be read. */
static bool read_file(struct load *l, struct source *source)
{
	FILE *f = fopen(source->name, "re");

	if (!f)
		return false;
	char *text = memory_take(&l->config->memory, FILE_MAX + 1);

	source->len = fread(text, 1, FILE_MAX + 1, f);
	source->text = text;
	bool failed = ferror(f);
	fclose(f);
	if (source->len > FILE_MAX) {
		errno = EFBIG;
		return false;
	}
	return !failed;
}

static void take_file(struct load *l, const char *name)
{
	struct memory *m = &l->config->memory;
	struct source *source = new_source(l, memory_copy(m, name, strlen(name)));
	struct place whole = { source, 0, 0 };

	if (!read_file(l, source)) {
		problem(&l->problems, &whole, NULL, "cannot be read: %s", strerror(errno));
		return;
	}
	const struct node *root = syntax_read(source, source->text, source->len, m, &l->problems);

	if (root)
		take_map(l, root);
}

static void take_directory(struct load *l, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *pattern = memory_format(
		&l->config->memory, "%.*sconf.d/*.yaml", slash ? (int)(slash - file + 1) : 0, file);
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			take_file(l, found.gl_pathv[i]);
		globfree(&found);
	}
}

/* A file that was asked for must be there; the one nobody asked for need not. */
static void take_files(struct load *l, const char *file)
{
	FILE *f = file ? NULL : fopen(CONFIG_FILE, "re");

	if (!file && !f && errno == ENOENT)
		return;
	if (f)
		fclose(f);
	l->config->file = file ? file : CONFIG_FILE;
	take_file(l, l->config->file);
	take_directory(l, l->config->file);
}

/* --- variables and arguments -------------------------------------------------------------------
 */

static void take_variable(struct load *l, const char *text)
{
	struct memory *m = &l->config->memory;
	const char *equals = strchr(text, '=');
	char name[OPTIONS_VARIABLE];
	struct near near;

	if (!equals)
		return;
	struct source *source = new_source(l, memory_copy(m, text, (size_t)(equals - text)));
	struct place whole = { source, 0, 0 };

	near_init(&near, source->name);
	for (const struct config_option *o = options; o->key; o++) {
		if (strcmp(source->name, options_variable(o, name)) == 0) {
			set_text(l, o, source, equals + 1);
			return;
		}
		near_try(&near, memory_copy(m, name, strlen(name)));
	}
	if (near.best)
		problem(&l->problems, &whole, NULL, "unknown variable; did you mean \"%s\"?",
			near.best);
	else
		problem(&l->problems, &whole, NULL, "unknown variable");
}

static void take_environment(struct load *l, char **environment)
{
	for (; environment && *environment; environment++) {
		if (strncmp(*environment, "SOTTO_", 6) == 0)
			take_variable(l, *environment);
	}
}

static void take_override(struct load *l, const struct config_override *v)
{
	struct source *source = new_source(l,
		v->said ? v->said
			: memory_format(&l->config->memory, "--set %s=%s", v->key, v->value));
	const struct config_option *o = options_find(v->key);
	struct place whole = { source, 0, 0 };

	if (o)
		set_text(l, o, source, v->value);
	else
		tell_unknown(l, &whole, v->key);
}

/* Each -l and -u is an element of one list. */
static void take_arguments(
	struct load *l, const char *key, const char *said, const char *const *list)
{
	struct memory *m = &l->config->memory;
	struct node *root, **end;

	if (!list || !*list)
		return;
	struct place all = { new_source(l, said), 0, 0 };

	root = syntax_node(m, NODE_LIST, all);
	end = &root->first;
	for (; *list; list++) {
		struct place place = { new_source(l, memory_format(m, "%s %s", said, *list)), 0,
			0 };

		*end = syntax_text(m, place, *list, strlen(*list));
		end = &(*end)->next;
	}
	set(l, options_find(key), root);
}

/* --- what must hold between values -------------------------------------------------------------
 */

/* A default gives way; what somebody asked for does not. */
static void check_order(
	struct load *l, const char *less, unsigned *less_ms, const char *more, unsigned more_ms)
{
	const struct place *at = &l->set_at[options_index(options_find(less))];

	if (*less_ms <= more_ms)
		return;
	if (strcmp(at->source->name, DEFAULT) == 0)
		*less_ms = more_ms;
	else
		problem(&l->problems, at, less, "%u ms is longer than %s, which is %u ms", *less_ms,
			more, more_ms);
}

/* Would what we send there come back to us? */
static bool is_listener(const struct addr *listen, const struct addr *server)
{
	struct addr loopback;

	if (addr_equal(listen, server))
		return true;
	if (!addr_is_any(listen) || addr_port(listen) != addr_port(server))
		return false;
	addr_parse(&loopback, listen->any.sa_family == AF_INET ? "127.0.0.1" : "::1",
		addr_port(server));
	return addr_same_host(&loopback, server);
}

static void check_loops(struct load *l)
{
	const struct config *c = l->config;
	size_t at = options_index(options_find("upstreams"));

	for (size_t i = 0; i < c->upstream.count; i++) {
		for (size_t k = 0; k < c->listen.count; k++) {
			if (is_listener(&c->listen.addrs[k], &c->upstream.servers[i].addr))
				problem(&l->problems, &l->set_at[at], "upstreams",
					"\"%s\" is an address that sotto itself listens on: a loop",
					c->upstream.servers[i].text);
		}
	}
}

/* --- everything --------------------------------------------------------------------------------
 */

static void take_defaults(struct load *l)
{
	struct source *source = new_source(l, DEFAULT);

	for (const struct config_option *o = options; o->key; o++)
		set_text(l, o, source, o->standard);
	l->config->upstreams_given = false;
}

bool config_load(struct config *c, const struct config_sources *from, FILE *err)
{
	struct load l = { .config = c, .problems = { .out = err } };

	*c = (struct config){ .upstream.hedge = true };
	take_defaults(&l);
	take_files(&l, from->file);
	take_environment(&l, from->environment);
	take_arguments(&l, "listen", "--listen", from->listen);
	take_arguments(&l, "upstreams", "--upstream", from->upstreams);
	for (size_t i = 0; i < from->override_count; i++)
		take_override(&l, &from->overrides[i]);
	check_order(&l, "timeouts.attempt", &c->upstream.attempt_ms, "timeouts.query",
		c->query.deadline_ms);
	check_order(&l, "timeouts.connect", &c->upstream.connect_ms, "timeouts.query",
		c->query.deadline_ms);
	check_loops(&l);
	problems_sum_up(&l.problems);
	if (l.problems.count == 0)
		return true;
	config_clear(c);
	return false;
}

static bool same_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *ca_of(const struct config *c, size_t i)
{
	const char *own = c->upstream.servers[i].ca;

	return own ? own : c->ca;
}

bool config_load_trust(struct config *c, FILE *err)
{
	struct fault f;

	for (size_t i = 0; i < c->upstream.count; i++) {
		struct server_conf *s = &c->upstream.servers[i];

		for (size_t k = 0; k < i && !s->trust; k++) {
			if (same_file(ca_of(c, i), ca_of(c, k)))
				s->trust = c->upstream.servers[k].trust;
		}
		if (s->trust)
			continue;
		s->trust = tls_trust_load(ca_of(c, i), &f);
		if (!s->trust) {
			fprintf(err, "upstream %s: %s (%s): %s\n", s->text, f.reason, f.cause,
				f.hint);
			return false;
		}
	}
	return true;
}

static void free_trust(struct config *c)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		struct tls_trust *trust = c->upstream.servers[i].trust;

		if (!trust)
			continue;
		for (size_t k = i; k < c->upstream.count; k++) {
			if (c->upstream.servers[k].trust == trust)
				c->upstream.servers[k].trust = NULL;
		}
		tls_trust_free(trust);
	}
}

/* A scalar that YAML takes for nothing but itself, or in quotes. */
static void put_scalar(FILE *out, const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-_";

	if (strspn(text, plain) == strlen(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			fprintf(out, "\\x%02x", (unsigned)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void print_option(
	const struct config *c, const struct config_option *o, const char *name, FILE *out)
{
	struct memory m = { NULL };
	const char *text;

	fprintf(out, "%s:", name);
	if (o->kind->most > 0)
		fputs(" [", out);
	for (size_t i = 0; (text = o->kind->text(c, o, i, &m)); i++) {
		fputs(o->kind->most > 0 && i > 0 ? ", " : o->kind->most > 0 ? "" : " ", out);
		put_scalar(out, text);
	}
	fputs(o->kind->most > 0 ? "]\n" : "\n", out);
	memory_clear(&m);
}

void config_print(const struct config *c, FILE *out)
{
	const char *section = "";
	size_t len = 0;

	for (const struct config_option *o = options; o->key; o++) {
		const char *dot = strchr(o->key, '.');

		if (!dot) {
			print_option(c, o, o->key, out);
			continue;
		}
		if (len != (size_t)(dot - o->key) || strncmp(section, o->key, len) != 0) {
			section = o->key;
			len = (size_t)(dot - o->key);
			fprintf(out, "%.*s:\n", (int)len, section);
		}
		fputs("  ", out);
		print_option(c, o, dot + 1, out);
	}
}

void config_clear(struct config *c)
{
	free_trust(c);
	acl_clear(&c->query.allow);
	memory_clear(&c->memory);
	*c = (struct config){ 0 };
}
