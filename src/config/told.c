#include "config/told.h"

#include <limits.h>
#include <string.h>

#include "config/parts.h"
#include "net/unix_socket.h"

#define NAME_OCTETS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* --- words -------------------------------------------------------------------------------------
 */

static const struct {
	const char *word;
	unsigned bit;
} whats[] = { { "all", DUMP_ALL }, { "invalid", DUMP_INVALID }, { "rules", DUMP_RULES } };

enum { WHATS = sizeof whats / sizeof *whats };

static void begin_what(const struct setting *s, size_t count)
{
	(void)count;
	s->config->dump_what = 0;
}

static void take_what(const struct setting *s, const struct node *node)
{
	for (size_t i = 0; i < WHATS; i++) {
		if (strcmp(node->text, whats[i].word) == 0) {
			s->config->dump_what |= whats[i].bit;
			return;
		}
	}
	kind_tell_form(s, node);
}

static const char *what_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	(void)m;
	for (size_t i = 0; i < WHATS; i++)
		if (c->dump_what & whats[i].bit && index-- == 0)
			return whats[i].word;
	return NULL;
}

const struct kind kind_what = { .name = "list of words",
	.form = "all, invalid or rules",
	.most = WHATS,
	.may_be_empty = true,
	.begin = begin_what,
	.take = take_what,
	.text = what_text };

/* Into a field that is NULL for none. */
static void take_path(const struct setting *s, const struct node *node, size_t room)
{
	const char *path = strcmp(node->text, "none") == 0 ? NULL : node->text;

	if (path && (*path != '/' || strlen(path) >= room))
		kind_tell_form(s, node);
	else
		memcpy(s->field, &path, sizeof path);
}

static void take_dump(const struct setting *s, const struct node *node)
{
	take_path(s, node, PATH_MAX);
}

static void take_socket(const struct setting *s, const struct node *node)
{
	take_path(s, node, UNIX_PATH);
}

static const char *text_of(const void *base, const struct config_option *o)
{
	const char *text;

	memcpy(&text, (const char *)base + o->offset, sizeof text);
	return text;
}

static const char *path_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	const char *path = text_of(c, o);

	(void)m;
	return index > 0 ? NULL : path ? path : "none";
}

const struct kind kind_dump = { .name = "none or file",
	.form = "none, or the path of a file, from / on",
	.take = take_dump,
	.text = path_text };

const struct kind kind_socket = { .name = "none or socket",
	.form = "none, or the path of a unix socket, from / on, of up to 107 octets",
	.take = take_socket,
	.text = path_text };

static void take_event(const struct setting *s, const struct node *node)
{
	size_t len = strlen(node->text);

	if (len == 0 || len > EVENT_NAME_MAX || strspn(node->text, NAME_OCTETS) != len)
		kind_tell_form(s, node);
	else
		memcpy(s->field, &node->text, sizeof node->text);
}

static const char *event_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	(void)m;
	return index == 0 ? text_of(base, o) : NULL;
}

const struct kind kind_event = { .name = "word",
	.form = "a word of up to 63 letters, digits, dots, dashes and underscores",
	.take = take_event,
	.text = event_text };

/* --- rules -------------------------------------------------------------------------------------
 */

/* False: there are too many. */
static bool number(struct told_events *e, struct rule_conf *rule)
{
	unsigned i = 0;

	while (i < e->count && strcmp(e->names[i], rule->event) != 0)
		i++;
	if (i == EVENTS_MAX)
		return false;
	e->names[i] = rule->event;
	e->count += i == e->count;
	rule->event_number = i;
	return true;
}

static void refuse(
	struct problems *problems, const struct written_rule *r, const char *key, const char *why)
{
	problem(problems, &parts_find(r->node, key)->key->place, r->path, "%s: %s", key, why);
}

void told_rule(const struct told *t, const struct written_rule *r, struct rule_conf *to)
{
	to->dump = r->dump;
	to->event = r->event;
	if (r->dump && !t->config->dump.file)
		refuse(t->problems, r, "dump", "there is no dump: set dump.file");
	if (r->event && !t->config->query.events.socket)
		refuse(t->problems, r, "event", "nobody is told: set events.socket");
	if (r->event && !number(t->events, to))
		refuse(t->problems, r, "event", "more than 256 names of events");
}
