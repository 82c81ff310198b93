#include "config/kinds.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/bug.h"
#include "config/values.h"

#define ACL_MAX 256

void kind_tell_form(const struct setting *s, const struct node *node)
{
	problem(s->problems, &node->place, s->path, "\"%s\" is not %s", node->text, s->kind->form);
}

/* A text as the one value of an option. */
static const char *only(size_t index, const char *text)
{
	return index == 0 ? text : NULL;
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
	case sizeof(bool):
		return *(const bool *)field;
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
static void put_number(const struct setting *s, uint64_t value)
{
	uint16_t narrow = (uint16_t)value;
	unsigned middle = (unsigned)value;

	switch (s->option->width) {
	case sizeof(bool):
		*(bool *)s->field = value;
		break;
	case sizeof(narrow):
		memcpy(s->field, &narrow, sizeof(narrow));
		break;
	case sizeof(middle):
		memcpy(s->field, &middle, sizeof(middle));
		break;
	default:
		MUST(s->option->width == sizeof(value));
		memcpy(s->field, &value, sizeof(value));
	}
}

typedef bool number_reader(const char *text, uint64_t *);
typedef const char *number_printer(uint64_t, char text[VALUE_TEXT]);

static void take_number(const struct setting *s, const struct node *node, number_reader *read,
	number_printer *print)
{
	const struct config_option *o = s->option;
	char min[VALUE_TEXT], max[VALUE_TEXT];
	uint64_t value = 0;

	if (!read(node->text, &value))
		kind_tell_form(s, node);
	else if (value < o->min || value > o->max)
		problem(s->problems, &node->place, s->path, "%s is too %s; it may be from %s to %s",
			node->text, value < o->min ? "small" : "large", print(o->min, min),
			print(o->max, max));
	else
		put_number(s, value);
}

static const char *number_text(const struct config *c, const struct config_option *o, size_t index,
	struct memory *m, number_printer *print)
{
	char text[VALUE_TEXT];

	return only(index, memory_format(m, "%s", print(get_number(c, o), text)));
}

#define NUMBER_KIND(noun, shape)                                                                   \
	static void take_##noun(const struct setting *s, const struct node *node)                  \
	{                                                                                          \
		take_number(s, node, value_read_##noun, value_print_##noun);                       \
	}                                                                                          \
	static const char *noun##_text(const struct config *c, const struct config_option *o,      \
		size_t index, struct memory *m)                                                    \
	{                                                                                          \
		return number_text(c, o, index, m, value_print_##noun);                            \
	}                                                                                          \
	const struct kind kind_##noun = {                                                          \
		.name = #noun, .form = shape, .take = take_##noun, .text = noun##_text             \
	}

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

static void take_workers(const struct setting *s, const struct node *node)
{
	if (strcmp(node->text, "auto") == 0)
		put_number(s, processors(s->option));
	else
		take_number(s, node, value_read_count, value_print_count);
}

const struct kind kind_workers = { .name = "auto or count",
	.form = "auto or a whole number",
	.take = take_workers,
	.text = count_text };

/* --- words -------------------------------------------------------------------------------------
 */

static void take_ca(const struct setting *s, const struct node *node)
{
	struct config *c = s->config;

	if (!*node->text)
		kind_tell_form(s, node);
	else if (strcmp(node->text, "system") == 0)
		c->ca = NULL;
	else
		c->ca = node->text;
}

static const char *ca_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return only(index, c->ca ? c->ca : "system");
}

const struct kind kind_ca = {
	.name = "file", .form = "system or the name of a PEM file", .take = take_ca, .text = ca_text
};

/* Into a field that is NULL for none. */
static void take_file(const struct setting *s, const struct node *node)
{
	const char *name = strcmp(node->text, "none") == 0 ? NULL : node->text;

	if (name && !*name)
		kind_tell_form(s, node);
	else
		memcpy(s->field, &name, sizeof name);
}

static const char *file_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	const char *name;

	(void)m;
	memcpy(&name, (const char *)c + o->offset, sizeof name);
	return only(index, name ? name : "none");
}

const struct kind kind_file = { .name = "none or file",
	.form = "none or the name of a file",
	.take = take_file,
	.text = file_text };

/* What auto means is known when all sources have been read. */
static void take_state(const struct setting *s, const struct node *node)
{
	struct config *c = s->config;

	c->state_auto = strcmp(node->text, "auto") == 0;
	c->upstream.state = *node->text == '/' ? node->text : NULL;
	if (!c->state_auto && !c->upstream.state && strcmp(node->text, "none") != 0)
		kind_tell_form(s, node);
}

static const char *state_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return only(index, c->upstream.state ? c->upstream.state : "none");
}

const struct kind kind_state = { .name = "auto, none or directory",
	.form = "auto, none or a directory, from / on",
	.take = take_state,
	.text = state_text };

static void take_choice(const struct setting *s, const struct node *node)
{
	const char *const *words = s->kind->words;

	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(node->text, words[i]) == 0) {
			put_number(s, i);
			return;
		}
	}
	kind_tell_form(s, node);
}

static const char *choice_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)m;
	return only(index, o->kind->words[get_number(c, o)]);
}

#define CHOICE_KIND(noun, shape, ...)                                                              \
	static const char *const noun##_words[] = { __VA_ARGS__, NULL };                           \
	const struct kind kind_##noun = { .name = #noun,                                           \
		.form = shape,                                                                     \
		.words = noun##_words,                                                             \
		.take = take_choice,                                                               \
		.text = choice_text }

/* In the order of their enums. */
CHOICE_KIND(level, "error, warn, info or debug", "error", "warn", "info", "debug");
CHOICE_KIND(policy, "fastest, ordered, race or spread", "fastest", "ordered", "race", "spread");
CHOICE_KIND(
	require, "authenticated, encrypted or nothing", "authenticated", "encrypted", "nothing");
CHOICE_KIND(flag, "true or false", "false", "true");
CHOICE_KIND(clock, "judge or wait", "judge", "wait");
CHOICE_KIND(sandbox, "off, on or strict", "off", "on", "strict");
CHOICE_KIND(any, "all, hinfo or refuse", "all", "hinfo", "refuse");
CHOICE_KIND(per, "all, client or name", "all", "client", "name");
CHOICE_KIND(format, "auto, hosts, domains, adblock, dnsmasq or rpz", "auto", "hosts", "domains",
	"adblock", "dnsmasq", "rpz");
CHOICE_KIND(why_blocked, "blocked, censored or filtered", "blocked", "censored", "filtered");

/* --- lists -------------------------------------------------------------------------------------
 */

/* Who may do something: the prefixes, and the words that they are written as. */
static void begin_acl(struct config *c, struct acl *acl, struct word_list *words, size_t count)
{
	acl_clear(acl);
	words->all = memory_take(&c->memory, count * sizeof(*words->all));
	words->count = 0;
}

typedef bool acl_adder(struct acl *, const char *word);

/* The next of these words, if there is something that it could be added as. */
static void take_acl(const struct setting *s, const struct node *node, struct acl *acl,
	acl_adder *add, struct word_list *words)
{
	errno = 0;
	if (add(acl, node->text))
		words->all[words->count++] =
			memory_copy(&s->config->memory, node->text, strlen(node->text));
	else if (errno == ENOMEM)
		memory_out();
	else
		kind_tell_form(s, node);
}

static const char *word_at(const struct word_list *words, size_t index)
{
	return index < words->count ? words->all[index] : NULL;
}

static void begin_allow(const struct setting *s, size_t count)
{
	begin_acl(s->config, &s->config->query.allow, &s->config->allow_words, count);
}

static void take_allow(const struct setting *s, const struct node *node)
{
	take_acl(s, node, &s->config->query.allow, acl_add, &s->config->allow_words);
}

static const char *allow_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return word_at(&c->allow_words, index);
}

const struct kind kind_allow = { .name = "list of words and prefixes",
	.form = "local, private, any, an address, or a prefix whose bits behind its length are zero",
	.most = ACL_MAX,
	.begin = begin_allow,
	.take = take_allow,
	.text = allow_text };

/* Without words: to trust all of a network, or everybody, is for who says so in figures. */
static void begin_proxies(const struct setting *s, size_t count)
{
	begin_acl(s->config, &s->config->listen.proxies, &s->config->proxies_words, count);
}

static void take_proxies(const struct setting *s, const struct node *node)
{
	take_acl(s, node, &s->config->listen.proxies, acl_add_prefix, &s->config->proxies_words);
}

static const char *proxies_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return word_at(&c->proxies_words, index);
}

const struct kind kind_proxies = { .name = "list of prefixes",
	.form = "an address, or a prefix whose bits behind its length are zero",
	.most = ACL_MAX,
	.may_be_empty = true,
	.begin = begin_proxies,
	.take = take_proxies,
	.text = proxies_text };

/* --- control -----------------------------------------------------------------------------------
 */

static bool is_socket_path(const char *text)
{
	return text[0] == '/' && strlen(text) < sizeof((struct sockaddr_un){ 0 }.sun_path);
}

static void take_control(const struct setting *s, const struct node *node)
{
	if (strcmp(node->text, "auto") != 0 && strcmp(node->text, "none") != 0 &&
		!is_socket_path(node->text))
		kind_tell_form(s, node);
	else
		s->config->control = node->text;
}

static const char *control_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	return only(index, c->control);
}

const struct kind kind_control = { .name = "auto, none or path",
	.form = "auto, none, or a path from / on of less than 108 octets",
	.take = take_control,
	.text = control_text };

/* --- all kinds ---------------------------------------------------------------------------------
 */

struct setting kind_setting(
	struct config *c, const struct config_option *o, struct problems *problems)
{
	return (struct setting){ .config = c,
		.problems = problems,
		.option = o,
		.kind = o->kind,
		.path = o->key,
		.field = (char *)c + o->offset };
}

static void take_one(const struct setting *s, const struct node *node)
{
	if (node->kind == NODE_TEXT)
		s->kind->take(s, node);
	else if (node->kind != NODE_BAD)
		problem(s->problems, &node->place, s->path, "%s stands where %s is expected",
			node_kind_name(node->kind), s->kind->form);
}

static void take_list(const struct setting *s, const struct node *node)
{
	struct setting element = *s;
	size_t count = 0, i = 0;

	for (const struct node *e = node->first; e; e = e->next)
		count++;
	if ((count == 0 && !s->kind->may_be_empty) || count > s->kind->most) {
		problem(s->problems, &node->place, s->path, "needs at least one and at most %zu",
			s->kind->most);
		return;
	}
	s->kind->begin(s, count);
	for (const struct node *e = node->first; e; e = e->next, i++) {
		element.path = memory_format(&s->config->memory, "%s[%zu]", s->path, i);
		take_one(&element, e);
	}
}

void kind_take_entry(const struct setting *s, const struct node *node)
{
	struct setting entry = *s;

	entry.path = memory_format(&s->config->memory, "%s.%s", s->path, node->key->text);
	if (node->kind == NODE_NOTHING)
		take_one(&entry, node);
	else if (node->kind != NODE_BAD)
		s->kind->take_entry(&entry, node);
}

static void take_map(const struct setting *s, const struct node *node)
{
	if (node->kind == NODE_NOTHING || node->kind == NODE_BAD)
		return;
	if (node->kind != NODE_MAP) {
		problem(s->problems, &node->place, s->path, "%s stands where a map is expected",
			node_kind_name(node->kind));
		return;
	}
	for (const struct node *e = node->first; e; e = e->next)
		kind_take_entry(s, e);
}

void kind_take(const struct setting *s, const struct node *node)
{
	if (s->kind->take_whole) {
		s->kind->take_whole(s, node);
		return;
	}
	if (s->kind->take_entry) {
		take_map(s, node);
		return;
	}
	if (s->kind->most > 0 && node->kind == NODE_LIST) {
		take_list(s, node);
		return;
	}
	if (s->kind->most > 0 && node->kind == NODE_TEXT)
		s->kind->begin(s, 1);
	take_one(s, node);
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
