#include "config/config.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "config/assemble.h"
#include "config/assemble_rules.h"
#include "config/checks.h"
#include "config/near.h"
#include "config/options.h"
#include "config/ruling.h"
#include "config/syntax.h"
#include "config/trust.h"
#include "net/socket.h"

#define FILE_MAX  (1024 * 1024)
#define KEY_MAX   128
#define WORD_ENDS ", \t"
#define STATE     "/var/lib/sotto"

/* A load under way. */
struct load {
	struct config *config;
	struct problems problems;
	struct place set_at[OPTIONS_MAX]; /* where each option got its value */
};

/* --- one value ---------------------------------------------------------------------------------
 */

/* A whole value, or, if key is given, one entry of a map. */
static void set(struct load *l, const struct config_option *o, struct node *key, struct node *node)
{
	struct setting s = kind_setting(l->config, o, &l->problems);

	l->set_at[options_index(o)] = node->place;
	if (!key) {
		kind_take(&s, node);
		return;
	}
	node->key = key;
	kind_take_entry(&s, node);
}

static struct source *new_source(struct load *l, const char *name)
{
	struct source *source = memory_take(&l->config->memory, sizeof(*source));

	source->name = name;
	return source;
}

/* The length of the first word. The second address of `bootstrap=192.0.2.1,192.0.2.2` is part of
 * it: by itself it would be nothing that anybody may write. */
static size_t word_len(const char *text, struct memory *m)
{
	size_t len = strcspn(text, WORD_ENDS);
	bool hints = strstr(memory_copy(m, text, len), "bootstrap=");

	while (hints && text[len] == ',') {
		const char *next = text + len + 1;
		size_t more = strcspn(next, WORD_ENDS "&");
		struct addr a;

		if (!addr_parse(&a, memory_copy(m, next, more), 0))
			break;
		len += 1 + strcspn(next, WORD_ENDS);
	}
	return len;
}

/* `a, b c` as a list. */
static struct node *words(struct load *l, struct place place, const char *text)
{
	struct memory *m = &l->config->memory;
	struct node *list = syntax_node(m, NODE_LIST, place), **end = &list->first;

	for (;;) {
		text += strspn(text, WORD_ENDS);
		size_t len = word_len(text, m);

		if (!len)
			return list;
		*end = syntax_text(m, place, text, len);
		end = &(*end)->next;
		text += len;
	}
}

/* A flow list; [::1]:53 is an address, and [/domain/]upstream an upstream. */
static bool is_flow_list(const char *text)
{
	struct addr a;
	size_t len = strlen(text);

	return len >= 2 && text[0] == '[' && text[1] != '/' && text[len - 1] == ']' &&
		!addr_parse(&a, text, 1);
}

/* Is this text, given for an option or for one entry of it, YAML, and not words? */
static bool is_yaml(const struct config_option *o, const char *entry, const char *text)
{
	if (o->kind->take_entry)
		return !entry || *text == '{' || is_flow_list(text);
	return o->kind->most > 0 && is_flow_list(text);
}

/* What is wrong in YAML is shown where it stands, as in a file. */
static struct node *read_yaml(struct load *l, struct source *source, const char *text)
{
	source->text = text;
	source->len = strlen(text);
	return syntax_read(source, text, source->len, &l->config->memory, &l->problems);
}

static struct node *read_words(
	struct load *l, const struct config_option *o, struct source *source, const char *text)
{
	struct place place = { source, 0, 0 };
	struct node *list;

	if (o->kind->most == 0)
		return syntax_text(&l->config->memory, place, text, strlen(text));
	list = words(l, place, text);
	if (list->first && list->first->next)
		source->text = text; /* of several, the one that is wrong is named */
	/* An entry may be one word, such as the name of a group. */
	return o->kind->take_entry && list->first && !list->first->next ? list->first : list;
}

/* A value from a variable or an argument; entry: the key in the map that the option is, or NULL. */
static void set_text(struct load *l, const struct config_option *o, const char *entry,
	struct source *source, const char *text)
{
	struct memory *m = &l->config->memory;
	struct place place = { source, 0, 0 };
	struct node *node = is_yaml(o, entry, text) ? read_yaml(l, source, text)
						    : read_words(l, o, source, text);

	if (node)
		set(l, o, entry ? syntax_text(m, place, entry, strlen(entry)) : NULL, node);
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
	for (struct node *n = map->first; n; n = n->next) {
		snprintf(path, sizeof(path), "%s.%s", section, n->key->text);
		const struct config_option *o = options_find(path);

		if (o)
			set(l, o, NULL, n);
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
	for (struct node *n = root->first; n; n = n->next) {
		const char *key = n->key->text;
		const char *entry;
		const struct config_option *o = options_find_entry(key, &entry);
		const char *dot = strchr(key, '.');

		if (o && dot)
			problem(&l->problems, &n->key->place, key, "write %s: under %.*s:", dot + 1,
				(int)(dot - key), key);
		else if (o)
			set(l, o, NULL, n);
		else if (is_section(key))
			take_section(l, key, n);
		else
			tell_unknown(l, &n->key->place, key);
	}
}

static FILE *open_file(const char *name, bool may_wait)
{
	if (may_wait)
		return fopen(name, "re");
	int fd = replace_open(name);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0)
		errno = -fd;
	else if (!f)
		close(fd);
	return f;
}

/* False, with errno, if it cannot be read. */
static bool read_file(struct load *l, struct source *source, bool may_wait)
{
	FILE *f = open_file(source->name, may_wait);

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

static void take_file(struct load *l, const char *name, bool may_wait)
{
	struct memory *m = &l->config->memory;
	struct source *source = new_source(l, memory_copy(m, name, strlen(name)));
	struct place whole = { source, 0, 0 };

	if (!read_file(l, source, may_wait)) {
		problem(&l->problems, &whole, NULL, "cannot be read: %s",
			errno == ENOTSUP ? "a pipe cannot be read again" : strerror(errno));
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
			take_file(l, found.gl_pathv[i], false);
		globfree(&found);
	}
}

/* A file that was asked for must be there; the one nobody asked for need not. */
static void take_files(struct load *l, const char *file, bool again)
{
	if (!file && access(CONFIG_FILE, F_OK) < 0 && errno == ENOENT)
		return;
	l->config->file = file ? file : CONFIG_FILE;
	take_file(l, l->config->file, !again);
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
			set_text(l, o, NULL, source, equals + 1);
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
	struct memory *m = &l->config->memory;
	const char *entry;
	const struct config_option *o = options_find_entry(v->key, &entry);
	bool yaml = o && is_yaml(o, entry, v->value);
	struct source *source = new_source(l,
		v->said        ? v->said
			: yaml ? memory_format(m, "--set %s", v->key)
			       : memory_format(m, "--set %s=%s", v->key, v->value));
	struct place whole = { source, 0, 0 };

	if (o)
		set_text(l, o, entry, source, v->value);
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
	set(l, options_find(key), NULL, root);
}

/* --- everything --------------------------------------------------------------------------------
 */

static void take_defaults(struct load *l)
{
	struct source *source = new_source(l, CHECKS_DEFAULT);

	for (const struct config_option *o = options; o->key; o++)
		set_text(l, o, NULL, source, o->standard);
}

/* Whatever else is said of the endpoint: the place is what is handed over. */
static bool is_served(const struct listen_conf *listen, const char *handed)
{
	for (size_t i = 0; i < listen->count; i++) {
		const char *text = listen->endpoints[i].text;
		size_t len = strcspn(text, "?");

		if (len == strlen(handed) && memcmp(text, handed, len) == 0)
			return true;
	}
	return false;
}

/* A socket that was handed over and that nobody serves would let its clients wait for ever. */
static void check_handed(struct load *l, const char *const *handed)
{
	const struct listen_conf *listen = &l->config->listen;
	const struct config_option *o = options_find("listen");

	for (; handed && *handed; handed++) {
		if (!is_served(listen, *handed))
			problem(&l->problems, &l->set_at[options_index(o)], o->key,
				"the service manager hands over a socket at %s, which is not "
				"listed: add it, or leave out `listen`",
				*handed);
	}
}

static bool is_directory(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The first of the folders that the service manager made for us (systemd.exec(5)); or the usual
 * one, if it is there and ours; or none. */
static const char *find_state(struct memory *m, char **environment)
{
	static const char variable[] = "STATE_DIRECTORY=/";
	size_t len = sizeof(variable) - 1;

	for (; environment && *environment; environment++) {
		const char *value = *environment + len - 1;

		if (strncmp(*environment, variable, len) == 0)
			return memory_copy(m, value, strcspn(value, ":"));
	}
	return is_directory(STATE) && access(STATE, W_OK | X_OK) == 0 ? STATE : NULL;
}

static void settle_state(struct load *l, char **environment)
{
	struct config *c = l->config;
	const struct config_option *o = options_find("state");

	if (c->state_auto)
		c->upstream.state = find_state(&c->memory, environment);
	else if (c->upstream.state && !is_directory(c->upstream.state))
		problem(&l->problems, &l->set_at[options_index(o)], o->key,
			"\"%s\" is not a directory", c->upstream.state);
}

/* A host without IPv6 has no [::1], and need not be told so who has named no address. If nothing
 * would be left, it stays, for the listener to say what is wrong. */
static void settle_listen(struct load *l)
{
	const struct place *at = &l->set_at[options_index(options_find("listen"))];
	struct listen_conf *listen = &l->config->listen;
	size_t here = 0;

	if (strcmp(at->source->name, CHECKS_DEFAULT) != 0)
		return;
	for (size_t i = 0; i < listen->count; i++)
		if (socket_has_address(&listen->endpoints[i].at.addr))
			listen->endpoints[here++] = listen->endpoints[i];
	if (here)
		listen->count = here;
}

static void make_mark(struct upstream_conf *u)
{
	struct rand r = { 0 };

	for (int i = 0; i < MARK_LEN; i++)
		u->mark[i] = "0123456789abcdef"[rand_below(&r, 16)];
	siphash_key_make(&u->echo_key, &r);
}

bool config_load(struct config *c, const struct config_sources *from, FILE *err)
{
	struct load l = { .config = c, .problems = { .out = err } };

	*c = (struct config){ 0 };
	ruled_init(&c->ruled, NULL);
	make_mark(&c->upstream);
	take_defaults(&l);
	take_arguments(&l, "listen", "LISTEN_FDS", from->handed);
	take_files(&l, from->file, from->again);
	take_environment(&l, from->environment);
	take_arguments(&l, "listen", "--listen", from->listen);
	take_arguments(&l, "upstreams", "--upstream", from->upstreams);
	for (size_t i = 0; i < from->override_count; i++)
		take_override(&l, &from->overrides[i]);
	if (from->serves)
		settle_listen(&l);
	assemble(c, &l.problems);
	assemble_rules(c, &l.problems);
	checks_run(c, l.set_at, &l.problems);
	check_handed(&l, from->handed);
	settle_state(&l, from->environment);
	if (from->certificates && l.problems.count == 0)
		ruling_load(c, &l.problems);
	if (from->certificates)
		trust_load(c, from->before, l.set_at, &l.problems);
	problems_sum_up(&l.problems);
	if (l.problems.count == 0)
		return true;
	config_clear(c);
	return false;
}

void config_clear(struct config *c)
{
	trust_free(c);
	ruled_clear(&c->ruled);
	acl_clear(&c->query.allow);
	acl_clear(&c->listen.proxies);
	memory_clear(&c->memory);
	*c = (struct config){ 0 };
}

struct config *config_new(const struct config_sources *from, FILE *err)
{
	struct config *c = calloc(1, sizeof *c);

	if (!c) {
		fputs("out of memory\n", err);
		return NULL;
	}
	if (!config_load(c, from, err)) {
		free(c);
		return NULL;
	}
	atomic_init(&c->owners, 1);
	return c;
}

struct config *config_share(struct config *c)
{
	atomic_fetch_add(&c->owners, 1);
	return c;
}

void config_free(struct config *c)
{
	if (!c || atomic_fetch_sub(&c->owners, 1) != 1)
		return;
	config_clear(c);
	free(c);
}
