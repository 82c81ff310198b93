#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/kinds.h"
#include "config/near.h"

/* A configuration is a page or two; this bounds what a wrong file can cost. */
#define FILE_MAX   (256 * 1024)
#define KEY_MAX    128
#define VARIABLES  "SOTTO_"
#define SEPARATORS ", \t"

static void give(struct load *l, const struct option *option, const struct node *value)
{
	struct setting s = { l->config, option, &l->problems };

	kind_take(&s, value);
	l->given[options_index(option)] = value;
}

static const struct source *new_source(struct load *l, const char *name)
{
	struct source *source = memory_take(&l->memory, sizeof(*source));

	source->name = name;
	return source;
}

/* A value that stands in one line: YAML if it starts like a list, map or string, else a scalar or,
 * where the option is a list, words with commas or blanks between them. NULL: not YAML, told. */
static struct node *read_line(
	struct load *l, const struct option *option, struct place place, const char *text)
{
	if (*text && strchr("[{\"'", *text)) {
		/* `[::1]:53` is the one address that looks like a list. */
		struct addr addr;
		if (!addr_parse(&addr, text, 1) && !strchr(text, '\n') && strncmp(text, "[:", 2) != 0)
			return syntax_read(place.source, text, strlen(text), &l->memory, &l->problems);
	}
	if (option->kind->most == 0)
		return syntax_text(&l->memory, place, text, strlen(text));

	struct node *list = syntax_node(&l->memory, NODE_LIST, place);
	struct node **end = &list->first;
	for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
		size_t len = strcspn(text, SEPARATORS);

		*end = syntax_text(&l->memory, place, text, len);
		end = &(*end)->next;
		text += len;
	}
	return list;
}

static void give_line(struct load *l, const struct option *option, const char *name, const char *text)
{
	struct place place = { new_source(l, name), 0, 0 };
	struct node *value = read_line(l, option, place, text);

	if (value)
		give(l, option, value);
}

void load_defaults(struct load *l)
{
	for (const struct option *o = options; o->key; o++) {
		give_line(l, o, o->key, o->standard);
		l->given[options_index(o)] = NULL;
	}
}

static bool is_section(const char *key)
{
	size_t len = strlen(key);

	for (const struct option *o = options; o->key; o++) {
		if (strncmp(o->key, key, len) == 0 && o->key[len] == '.')
			return true;
	}
	return false;
}

/* Tries the names that may stand where prefix ("" or "section.") leads to. */
static void try_names(struct near *near, const char *prefix)
{
	size_t skip = strlen(prefix);

	for (const struct option *o = options; o->key; o++) {
		char name[KEY_MAX];

		if (strncmp(o->key, prefix, skip) != 0)
			continue;
		snprintf(name, sizeof(name), "%s", o->key + skip);
		name[strcspn(name, ".")] = '\0';
		near_try(near, name);
		if (near->best == name)
			near->best = o->key + skip;
	}
}

/* The option whose last name is this one, in whatever section. */
static const struct option *find_elsewhere(const char *name)
{
	for (const struct option *o = options; o->key; o++) {
		const char *dot = strchr(o->key, '.');

		if (strcmp(o->key, name) == 0 || (dot && strcmp(dot + 1, name) == 0))
			return o;
	}
	return NULL;
}

static void tell_unknown_key(struct load *l, const struct node *n, const char *prefix, const char *path)
{
	const struct option *elsewhere = find_elsewhere(n->key->text);
	const struct option *dotted = strchr(n->key->text, '.') ? elsewhere : NULL;
	struct near near;

	near_init(&near, n->key->text);
	try_names(&near, prefix);
	if (dotted)
		problem(&l->problems, &n->key->place, path,
			"unknown key; a file has sections: write %.*s: { %s: ... }",
			(int)strcspn(dotted->key, "."), dotted->key, strchr(dotted->key, '.') + 1);
	else if (near.best)
		problem(&l->problems, &n->key->place, path, "unknown key; did you mean \"%.*s\"?",
			(int)strcspn(near.best, "."), near.best);
	else if (elsewhere)
		problem(&l->problems, &n->key->place, path, "unknown key here; did you mean \"%s\"?",
			elsewhere->key);
	else
		problem(&l->problems, &n->key->place, path, "unknown key");
}

static void give_map(struct load *l, const struct node *map, const char *prefix);

static void give_entry(struct load *l, const struct node *n, const char *prefix)
{
	char path[KEY_MAX];

	snprintf(path, sizeof(path), "%s%s", prefix, n->key->text);
	const struct option *option = options_find(path);
	/* A key with a dot in it names no section and no option; sections are written as such. */
	bool dotted = strchr(n->key->text, '.') != NULL;
	if (option && !dotted) {
		give(l, option, n);
	} else if (dotted || !is_section(path)) {
		tell_unknown_key(l, n, prefix, path);
	} else if (n->kind == NODE_MAP) {
		char inner[KEY_MAX];
		snprintf(inner, sizeof(inner), "%.*s.", KEY_MAX - 2, path);
		give_map(l, n, inner);
	} else if (n->kind == NODE_TEXT || n->kind == NODE_LIST) {
		problem(&l->problems, &n->place, path, "%s where there must be a map of keys",
			node_kind_name(n->kind));
	}
}

static void give_map(struct load *l, const struct node *map, const char *prefix)
{
	for (const struct node *n = map->first; n; n = n->next)
		give_entry(l, n, prefix);
}

static void give_tree(struct load *l, const struct node *root)
{
	if (root->kind == NODE_MAP)
		give_map(l, root, "");
	else if (root->kind == NODE_TEXT || root->kind == NODE_LIST)
		problem(&l->problems, &root->place, NULL,
			"%s where there must be a map of keys, such as listen: 127.0.0.1:53",
			node_kind_name(root->kind));
}

/* The whole file into the source. 0 or -errno. */
static int read_file(struct load *l, struct source *source)
{
	FILE *file = fopen(source->name, "re");
	char *text = memory_take(&l->memory, FILE_MAX + 1);

	if (!file)
		return -errno;
	errno = 0;
	source->len = fread(text, 1, FILE_MAX + 1, file);
	int err = ferror(file) ? -errno : 0;
	fclose(file);
	if (err == 0)
		source->text = text;
	return err;
}

/* 0, also if it had problems; -errno: it could not be read, which has not been told. */
static int give_file(struct load *l, const char *name)
{
	struct source *source = memory_take(&l->memory, sizeof(*source));
	struct place place = { source, 0, 0 };

	source->name = name;
	int err = read_file(l, source);
	if (err < 0)
		return err;
	if (source->len > FILE_MAX) {
		problem(&l->problems, &place, NULL, "larger than %d octets", FILE_MAX);
		return 0;
	}
	struct node *root = syntax_read(source, source->text, source->len, &l->memory, &l->problems);
	if (root)
		give_tree(l, root);
	return 0;
}

static void tell_unreadable(struct load *l, const char *name, int err)
{
	struct place place = { new_source(l, name), 0, 0 };

	problem(&l->problems, &place, NULL, "cannot be read: %s", strerror(-err));
}

void load_file(struct load *l, const char *name)
{
	struct config *c = l->config;
	const char *file = name ? name : CONFIG_FILE;
	int err = give_file(l, file);

	if (err == 0)
		c->file = memory_copy(&c->memory, file, strlen(file));
	else if (name || (err != -ENOENT && err != -ENOTDIR))
		tell_unreadable(l, file, err);
}

static int is_fragment(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
		(strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static void give_fragment(struct load *l, const char *name)
{
	size_t len = strlen(name);
	struct place place = { NULL, 0, 0 };

	/* Not to be passed over: whoever wrote it thinks that it counts. */
	if (strcmp(name + len - 4, ".yml") == 0) {
		place.source = new_source(l, name);
		problem(&l->problems, &place, NULL, "its name must end in .yaml to be read");
		return;
	}
	int err = give_file(l, name);
	if (err < 0)
		tell_unreadable(l, name, err);
}

void load_folder(struct load *l, const char *file)
{
	if (!file)
		file = CONFIG_FILE;
	const char *slash = strrchr(file, '/');
	int len = slash ? (int)(slash + 1 - file) : 0;
	char *folder = memory_format(&l->memory, "%.*sconf.d", len, file);
	struct dirent **entries;

	int count = scandir(folder, &entries, is_fragment, alphasort);
	if (count < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			tell_unreadable(l, folder, -errno);
		return;
	}
	for (int i = 0; i < count; i++) {
		give_fragment(l, memory_format(&l->memory, "%s/%s", folder, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}

/* Kubernetes and old Docker put variables about every service next door into a container; for one
 * that is called sotto they look like ours: SOTTO_SERVICE_HOST, SOTTO_PORT_53_UDP_ADDR. */
static bool is_service_link(const char *name)
{
	const char *port = strstr(name, "_PORT");

	return strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") ||
		(port && (port[5] == '\0' || port[5] == '_'));
}

static void tell_unknown_variable(struct load *l, const char *name)
{
	struct place place = { new_source(l, name), 0, 0 };
	char names[OPTIONS_MAX][OPTIONS_VARIABLE];
	struct near near;

	near_init(&near, name + strlen(VARIABLES));
	for (const struct option *o = options; o->key; o++)
		near_try(&near, options_variable(o, names[options_index(o)]) + strlen(VARIABLES));
	if (near.best)
		problem(&l->problems, &place, NULL, "unknown variable; did you mean \"%s%s\"?", VARIABLES,
			near.best);
	else
		problem(&l->problems, &place, NULL, "unknown variable");
}

static void give_variable(struct load *l, const char *name, const char *value)
{
	char variable[OPTIONS_VARIABLE];

	for (const struct option *o = options; o->key; o++) {
		if (strcmp(options_variable(o, variable), name) == 0) {
			give_line(l, o, name, value);
			return;
		}
	}
	if (!is_service_link(name))
		tell_unknown_variable(l, name);
}

void load_environment(struct load *l, char **environment)
{
	for (char **at = environment; at && *at; at++) {
		const char *equals = strchr(*at, '=');

		if (!equals || strncmp(*at, VARIABLES, strlen(VARIABLES)) != 0)
			continue;
		give_variable(
			l, memory_copy(&l->memory, *at, (size_t)(equals - *at)), equals + 1);
	}
}

static void tell_unknown_override(struct load *l, const char *name, const char *key)
{
	struct place place = { new_source(l, name), 0, 0 };
	const struct option *elsewhere = find_elsewhere(key);
	struct near near;

	near_init(&near, key);
	for (const struct option *o = options; o->key; o++)
		near_try(&near, o->key);
	const char *meant = near.best ? near.best : elsewhere ? elsewhere->key : NULL;
	if (is_section(key))
		problem(&l->problems, &place, NULL, "%s is a section; set its keys, as %s.NAME=VALUE",
			key, key);
	else if (meant)
		problem(&l->problems, &place, NULL, "unknown key; did you mean \"%s\"?", meant);
	else
		problem(&l->problems, &place, NULL, "unknown key");
}

static void give_override(struct load *l, const struct config_override *override)
{
	const struct option *option = options_find(override->key);
	const char *name = override->said;

	if (!name)
		name = memory_format(&l->memory, "--set %s=%s", override->key, override->value);
	if (option)
		give_line(l, option, name, override->value);
	else
		tell_unknown_override(l, name, override->key);
}

/* `-l` and `-u`: each is an element of its list. */
static void give_elements(
	struct load *l, const char *key, const char *said, const char *const *elements)
{
	const struct option *option = options_find(key);
	struct place place = { new_source(l, said), 0, 0 };
	struct node *list = syntax_node(&l->memory, NODE_LIST, place);
	struct node **end = &list->first;

	if (!elements || !*elements)
		return;
	const struct node *before = l->given[options_index(option)];
	if (before && strncmp(before->place.source->name, "--set", 5) == 0) {
		problem(&l->problems, &place, NULL, "not together with --set %s=...; which one counts?",
			key);
		return;
	}
	for (; *elements; elements++) {
		place.source = new_source(l, memory_format(&l->memory, "%s %s", said, *elements));
		*end = syntax_text(&l->memory, place, *elements, strlen(*elements));
		end = &(*end)->next;
	}
	give(l, option, list);
}

void load_command_line(struct load *l, const struct config_sources *sources)
{
	for (size_t i = 0; i < sources->override_count; i++)
		give_override(l, &sources->overrides[i]);
	give_elements(l, "listen", "-l", sources->listen);
	give_elements(l, "upstreams", "-u", sources->upstreams);
}
