#include "config/kinds.h"

#include <sched.h>
#include <string.h>

#include "base/bug.h"
#include "config/near.h"

#define PATH_MAX_TEXT 128

void kind_tell_form(const struct setting *s, const struct node *node, const char *path)
{
	problem(s->problems, &node->place, path, "\"%s\" is not %s", node->text, s->option->kind->form);
}

static uint64_t get_number(const struct config *c, const struct option *o)
{
	const char *field = (const char *)c + o->offset;
	uint16_t narrow;
	uint32_t middle;
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
static void put_number(struct config *c, const struct option *o, uint64_t value)
{
	char *field = (char *)c + o->offset;
	uint16_t narrow = (uint16_t)value;
	uint32_t middle = (uint32_t)value;

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

static void take_number(const struct setting *s, const struct node *node, const char *path)
{
	const struct option *o = s->option;
	char min[VALUE_TEXT], max[VALUE_TEXT];
	uint64_t value = 0;

	if (!o->kind->read(node->text, &value))
		kind_tell_form(s, node, path);
	else if (value < o->min || value > o->max)
		problem(s->problems, &node->place, path, "%s is too %s; it may be from %s to %s",
			node->text, value < o->min ? "small" : "large", o->kind->print(o->min, min),
			o->kind->print(o->max, max));
	else
		put_number(s->config, o, value);
}

static const char *number_text(
	const struct config *c, const struct option *o, size_t index, struct memory *m)
{
	char text[VALUE_TEXT];

	if (index > 0)
		return NULL;
	return memory_format(m, "%s", o->kind->print(get_number(c, o), text));
}

const struct kind kind_count = {
	.name = "number",
	.form = "a whole number",
	.take = take_number,
	.text = number_text,
	.read = value_read_count,
	.print = value_print_count,
};

const struct kind kind_duration = {
	.name = "duration",
	.form = "a duration: a whole number with ms, s, m, h or d behind it, as in 800ms or 4s",
	.take = take_number,
	.text = number_text,
	.read = value_read_duration,
	.print = value_print_duration,
};

const struct kind kind_size = {
	.name = "size",
	.form = "a size: a whole number of octets, or with KiB, MiB or GiB behind it, as in 64MiB",
	.take = take_number,
	.text = number_text,
	.read = value_read_size,
	.print = value_print_size,
};

/* Processors that this process may run on, which in a container are fewer than the machine has. */
static uint64_t processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (uint64_t)CPU_COUNT(&set);
}

static void take_workers(const struct setting *s, const struct node *node, const char *path)
{
	const struct option *o = s->option;

	if (strcmp(node->text, "auto") == 0) {
		uint64_t n = processors();
		put_number(s->config, o, n > o->max ? o->max : n < o->min ? o->min : n);
	} else {
		take_number(s, node, path);
	}
}

const struct kind kind_workers = {
	.name = "auto or a number",
	.form = "auto or a whole number",
	.take = take_workers,
	.text = number_text,
	.read = value_read_count,
	.print = value_print_count,
};

static void take_ca(const struct setting *s, const struct node *node, const char *path)
{
	struct config *c = s->config;

	if (node->text[0] == '\0')
		kind_tell_form(s, node, path);
	else if (strcmp(node->text, "system") == 0)
		c->ca = NULL;
	else
		c->ca = memory_copy(&c->memory, node->text, strlen(node->text));
}

static const char *ca_text(
	const struct config *c, const struct option *o, size_t index, struct memory *m)
{
	(void)o, (void)m;
	if (index > 0)
		return NULL;
	return c->ca ? c->ca : "system";
}

const struct kind kind_ca = {
	.name = "system or a file",
	.form = "system or the name of a PEM file",
	.take = take_ca,
	.text = ca_text,
};

static const char *const levels[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static void take_level(const struct setting *s, const struct node *node, const char *path)
{
	struct near near;

	near_init(&near, node->text);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(node->text, levels[i]) == 0) {
			s->config->log_level = (enum log_level)i;
			return;
		}
		near_try(&near, levels[i]);
	}
	if (near.best)
		problem(s->problems, &node->place, path, "\"%s\" is not a level; did you mean \"%s\"?",
			node->text, near.best);
	else
		kind_tell_form(s, node, path);
}

static const char *level_text(
	const struct config *c, const struct option *o, size_t index, struct memory *m)
{
	(void)o, (void)m;
	return index > 0 ? NULL : levels[c->log_level];
}

const struct kind kind_level = {
	.name = "level",
	.form = "one of error, warn, info and debug",
	.take = take_level,
	.text = level_text,
};

/* False: there is no value to be taken, which has been told. */
static bool is_value(const struct setting *s, const struct node *node, const char *path)
{
	const char *form = s->option->kind->form;

	switch (node->kind) {
	case NODE_TEXT:
		return true;
	case NODE_BAD:
		return false;
	case NODE_NOTHING:
		problem(s->problems, &node->place, path,
			"no value; leave the key out to have the default");
		return false;
	case NODE_LIST:
	case NODE_MAP:
		break;
	}
	problem(s->problems, &node->place, path, "%s where there must be %s",
		node_kind_name(node->kind), form);
	return false;
}

static void take_list(const struct setting *s, const struct node *list)
{
	const struct kind *kind = s->option->kind;
	const char *key = s->option->key;
	size_t count = 0;

	for (const struct node *n = list->first; n; n = n->next)
		count++;
	if (count == 0 || count > kind->most) {
		problem(s->problems, &list->place, key, "%zu elements; there may be 1 to %zu", count,
			kind->most);
		return;
	}
	kind->begin(s->config, count);
	size_t i = 0;
	for (const struct node *n = list->first; n; n = n->next) {
		char path[PATH_MAX_TEXT];

		snprintf(path, sizeof(path), "%s[%zu]", key, i++);
		if (is_value(s, n, path))
			kind->take(s, n, path);
	}
}

void kind_take(const struct setting *s, const struct node *node)
{
	const struct kind *kind = s->option->kind;

	if (kind->most > 0 && node->kind == NODE_LIST) {
		take_list(s, node);
		return;
	}
	if (!is_value(s, node, s->option->key))
		return;
	if (kind->most > 0)
		kind->begin(s->config, 1);
	kind->take(s, node, s->option->key);
}

void kind_print_form(const struct option *o, FILE *out)
{
	const struct kind *kind = o->kind;
	char min[VALUE_TEXT], max[VALUE_TEXT];

	fputs(kind->name, out);
	if (kind->print)
		fprintf(out, ", %s to %s", kind->print(o->min, min), kind->print(o->max, max));
}
