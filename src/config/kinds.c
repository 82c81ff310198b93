#include "config/kinds.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "config/near.h"
#include "config/uri.h"
#include "config/values.h"

#define LISTEN_PORT 53
#define LISTEN_MAX  64
#define ALLOW_MAX   256

static void tell_form(const struct setting *s, const struct node *node, const char *path)
{
	problem(s->problems, &node->place, path, "\"%s\" is not %s", node->text,
		s->option->kind->form);
}

/* --- numbers -----------------------------------------------------------------------------------
 */

static uint64_t get_number(const struct config *c, const struct config_option *o)
{
	const char *field = (const char *)c + o->offset;
	uint16_t narrow;
	unsigned middle;
	uint64_t wide;

	switch (o->width) {
	case sizeof(narrow):
		memcpy(&narrow, field, sizeof(narrow));
		return narrow;
	case sizeof(middle):
		memcpy(&middle, field, sizeof(middle));
		return middle;
	default:
		MUST(o->width == sizeof(wide));
		memcpy(&wide, field, sizeof(wide));
		return wide;
	}
}

/* The range of the option fits its field. */
static void put_number(struct config *c, const struct config_option *o, uint64_t value)
{
	char *field = (char *)c + o->offset;
	uint16_t narrow = (uint16_t)value;
	unsigned middle = (unsigned)value;

	switch (o->width) {
	case sizeof(narrow):
		memcpy(field, &narrow, sizeof(narrow));
		break;
	case sizeof(middle):
		memcpy(field, &middle, sizeof(middle));
		break;
	default:
		MUST(o->width == sizeof(value));
		memcpy(field, &value, sizeof(value));
	}
}

typedef bool number_reader(const char *text, uint64_t *);
typedef const char *number_printer(uint64_t, char text[VALUE_TEXT]);

static void take_number(const struct setting *s, const struct node *node, const char *path,
	number_reader *read, number_printer *print)
{
	const struct config_option *o = s->option;
	char min[VALUE_TEXT], max[VALUE_TEXT];
	uint64_t value = 0;

	if (!read(node->text, &value))
		tell_form(s, node, path);
	else if (value < o->min || value > o->max)
		problem(s->problems, &node->place, path, "%s is too %s; it may be from %s to %s",
			node->text, value < o->min ? "small" : "large", print(o->min, min),
			print(o->max, max));
	else
		put_number(s->config, o, value);
}

static const char *number_text(const struct config *c, const struct config_option *o, size_t index,
	struct memory *m, number_printer *print)
{
	char text[VALUE_TEXT];

	if (index > 0)
		return NULL;
	return memory_format(m, "%s", print(get_number(c, o), text));
}

#define NUMBER_KIND(noun, shape)                                                                   \
	static void take_##noun(                                                                   \
		const struct setting *s, const struct node *node, const char *path)                \
	{                                                                                          \
		take_number(s, node, path, value_read_##noun, value_print_##noun);                 \
	}                                                                                          \
	static const char *noun##_text(const struct config *c, const struct config_option *o,      \
		size_t index, struct memory *m)                                                    \
	{                                                                                          \
		return number_text(c, o, index, m, value_print_##noun);                            \
	}                                                                                          \
	const struct kind kind_##noun = { #noun, shape, 0, NULL, take_##noun, noun##_text }

NUMBER_KIND(count, "a whole number");
NUMBER_KIND(duration, "a duration such as 800ms, 4s or 1h");
NUMBER_KIND(size, "a size such as 64MiB");

static uint64_t processors(const struct config_option *o)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	uint64_t n = (uint64_t)CPU_COUNT(&set);

	return n > o->max ? o->max : n;
}

static void take_workers(const struct setting *s, const struct node *node, const char *path)
{
	if (strcmp(node->text, "auto") == 0)
		put_number(s->config, s->option, processors(s->option));
	else
		take_number(s, node, path, value_read_count, value_print_count);
}

const struct kind kind_workers = { "auto or count", "auto or a whole number", 0, NULL, take_workers,
	count_text };

/* --- words -------------------------------------------------------------------------------------
 */

static void take_ca(const struct setting *s, const struct node *node, const char *path)
{
	struct config *c = s->config;

	if (!*node->text)
		tell_form(s, node, path);
	else if (strcmp(node->text, "system") == 0)
		c->ca = NULL;
	else
		c->ca = memory_copy(&c->memory, node->text, strlen(node->text));
}

static const char *ca_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	if (index > 0)
		return NULL;
	return c->ca ? c->ca : "system";
}

const struct kind kind_ca = { "file", "system or the name of a PEM file", 0, NULL, take_ca,
	ca_text };

static const char *const levels[] = { "error", "warn", "info", "debug" };

static void take_level(const struct setting *s, const struct node *node, const char *path)
{
	for (unsigned i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (strcmp(node->text, levels[i]) == 0) {
			s->config->log_level = (enum log_level)i;
			return;
		}
	}
	tell_form(s, node, path);
}

static const char *level_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return index > 0 ? NULL : levels[c->log_level];
}

const struct kind kind_level = { "level", "error, warn, info or debug", 0, NULL, take_level,
	level_text };

/* --- lists -------------------------------------------------------------------------------------
 */

static void begin_listen(struct config *c, size_t count)
{
	c->listen.addrs = memory_take(&c->memory, count * sizeof(*c->listen.addrs));
	c->listen.count = 0;
}

static void take_listen(const struct setting *s, const struct node *node, const char *path)
{
	struct listen_conf *l = &s->config->listen;
	struct addr a;

	if (strstr(node->text, "://")) {
		problem(s->problems, &node->place, path,
			"\"%s\": this version listens for plain UDP and TCP only; write ADDRESS:PORT",
			node->text);
		return;
	}
	if (!addr_parse(&a, node->text, LISTEN_PORT)) {
		tell_form(s, node, path);
		return;
	}
	for (size_t i = 0; i < l->count; i++) {
		if (addr_equal(&a, &l->addrs[i])) {
			problem(s->problems, &node->place, path, "\"%s\" is listed twice",
				node->text);
			return;
		}
	}
	l->addrs[l->count++] = a;
}

static const char *listen_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	char text[ADDR_TEXT];

	(void)o;
	if (index >= c->listen.count)
		return NULL;
	return memory_format(m, "%s", addr_print(&c->listen.addrs[index], text));
}

const struct kind kind_listen = { "list of addresses", "an IP address or ADDRESS:PORT", LISTEN_MAX,
	begin_listen, take_listen, listen_text };

static void begin_allow(struct config *c, size_t count)
{
	acl_clear(&c->query.allow);
	c->allow_words = memory_take(&c->memory, count * sizeof(*c->allow_words));
	c->allow_count = 0;
}

static void take_allow(const struct setting *s, const struct node *node, const char *path)
{
	struct config *c = s->config;

	errno = 0;
	if (acl_add(&c->query.allow, node->text))
		c->allow_words[c->allow_count++] =
			memory_copy(&c->memory, node->text, strlen(node->text));
	else if (errno == ENOMEM)
		problem(s->problems, &node->place, path, "out of memory");
	else
		tell_form(s, node, path);
}

static const char *allow_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return index < c->allow_count ? c->allow_words[index] : NULL;
}

const struct kind kind_allow = { "list of words and prefixes",
	"local, private, any, an address, or a prefix whose bits behind its length are zero",
	ALLOW_MAX, begin_allow, take_allow, allow_text };

static void begin_upstreams(struct config *c, size_t count)
{
	c->upstream.servers = memory_take(&c->memory, count * sizeof(*c->upstream.servers));
	c->upstream.count = 0;
	c->upstream.groups = memory_take(&c->memory, GROUPS_FIXED * sizeof(*c->upstream.groups));
	c->upstream.groups[GROUP_DEFAULT] = (struct group_conf){ .name = "default" };
	c->upstream.groups[GROUP_BOOTSTRAP] = (struct group_conf){ .name = "bootstrap" };
	c->upstream.group_count = GROUPS_FIXED;
	c->notes = NULL;
}

static void add_note(struct config *c, const char *given, const char *understood)
{
	struct config_note *note = memory_take(&c->memory, sizeof(*note));

	note->given = memory_copy(&c->memory, given, strlen(given));
	note->understood = understood;
	note->next = c->notes;
	c->notes = note;
}

static void take_upstreams(const struct setting *s, const struct node *node, const char *path)
{
	struct config *c = s->config;
	struct server_conf *server = &c->upstream.servers[c->upstream.count];
	struct uri_reading reading;

	if (!uri_read(server, node->text, &c->memory, &reading)) {
		problem(s->problems, &node->place, path, "%s", reading.problem);
		return;
	}
	for (size_t i = 0; i < c->upstream.count; i++) {
		if (strcmp(server->text, c->upstream.servers[i].text) == 0) {
			problem(s->problems, &node->place, path, "\"%s\" is listed twice",
				node->text);
			return;
		}
	}
	struct group_conf *group = &c->upstream.groups[GROUP_DEFAULT];

	group->servers[group->count++] = (uint8_t)c->upstream.count++;
	if (reading.is_foreign)
		add_note(c, node->text, server->text);
}

static const char *upstreams_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	return index < c->upstream.count ? uri_print(&c->upstream.servers[index], m) : NULL;
}

const struct kind kind_upstreams = { "list of upstreams", "tls://ADDRESS#NAME", GROUP_MAX,
	begin_upstreams, take_upstreams, upstreams_text };

/* --- all kinds ---------------------------------------------------------------------------------
 */

static void take_one(const struct setting *s, const struct node *node, const char *path)
{
	const struct kind *kind = s->option->kind;

	if (node->kind == NODE_TEXT)
		kind->take(s, node, path);
	else if (node->kind != NODE_BAD)
		problem(s->problems, &node->place, path, "%s stands where %s is expected",
			node_kind_name(node->kind), kind->form);
}

static void take_list(const struct setting *s, const struct node *node)
{
	const struct kind *kind = s->option->kind;
	size_t count = 0, i = 0;
	char path[128];

	for (const struct node *e = node->first; e; e = e->next)
		count++;
	if (count == 0 || count > kind->most) {
		problem(s->problems, &node->place, s->option->key,
			"needs at least one and at most %zu", kind->most);
		return;
	}
	kind->begin(s->config, count);
	for (const struct node *e = node->first; e; e = e->next, i++) {
		snprintf(path, sizeof(path), "%s[%zu]", s->option->key, i);
		take_one(s, e, path);
	}
}

void kind_take(const struct setting *s, const struct node *node)
{
	const struct kind *kind = s->option->kind;

	if (kind->most > 0 && node->kind == NODE_LIST) {
		take_list(s, node);
		return;
	}
	if (kind->most > 0 && node->kind == NODE_TEXT)
		kind->begin(s->config, 1);
	take_one(s, node, s->option->key);
}

void kind_print_range(const struct config_option *o, FILE *out)
{
	char min[VALUE_TEXT], max[VALUE_TEXT];
	number_printer *print = o->kind == &kind_duration ? value_print_duration
		: o->kind == &kind_size                   ? value_print_size
							  : value_print_count;

	fputs(o->kind->name, out);
	if (o->max > 0)
		fprintf(out, ", %s to %s", print(o->min, min), print(o->max, max));
}

/* --- clocks ------------------------------------------------------------------------------------
 */

static void take_clock(const struct setting *s, const struct node *node, const char *path)
{
	bool wait = strcmp(node->text, "wait") == 0;

	if (wait || strcmp(node->text, "judge") == 0)
		s->config->await_clock = wait;
	else
		tell_form(s, node, path);
}

static const char *clock_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	if (index > 0)
		return NULL;
	return c->await_clock ? "wait" : "judge";
}

const struct kind kind_clock = { "word", "judge or wait", 0, NULL, take_clock, clock_text };
