/* local: the maps `hosts`, `zone-files`, `leases-files` and `synthesized`, of everybody and of
 * views. Entries are replaced one by one by a later source.
 */
#include "config/local.h"

#include <string.h>

#include "config/parts.h"
#include "config/print.h"
#include "config/rules.h"

#define HOSTS_MAX      8192
#define ZONE_FILES_MAX 1024
#define FORMS_MAX      256

/* So that it can be read again (rules_stray). */
static const char *escape(struct memory *m, const char *name)
{
	const char *text = "";

	for (size_t len; *name; name += len) {
		len = strcspn(name, "*?");
		text = memory_format(m, "%s%.*s%s", text, (int)len, name,
			name[len] == '*'           ? "\\042"
				: name[len] == '?' ? "\\063"
						   : "");
		len += name[len] != '\0';
	}
	return text;
}

/* The entry's key as a domain in lower case, without the last dot. NULL: it is none, which is told.
 */
static const char *read_name(const struct setting *s, const struct node *node)
{
	uint8_t wire[NAME_MAX_WIRE];
	char text[NAME_TEXT];
	size_t len = name_from_text(node->key->text, wire);
	const char *stray = rules_stray(node->key->text);

	if (len <= 1) {
		problem(s->problems, &node->key->place, s->path, "\"%s\" is not a domain",
			node->key->text);
		return NULL;
	}
	if (stray) {
		problem(s->problems, &node->key->place, s->path, "\"%s\": %s", node->key->text,
			stray);
		return NULL;
	}
	name_lower(wire, len);
	name_to_text(wire, text);
	text[strlen(text) - 1] = '\0';
	return escape(&s->config->memory, text);
}

static bool tell_twice(const struct setting *s, const struct node *node)
{
	problem(s->problems, &node->key->place, s->path, "\"%s\" is listed twice", node->key->text);
	return false;
}

/* May the entry stand where count are before it, and this one was written there? */
static bool may_stand(const struct setting *s, const struct node *node, const struct place *before,
	size_t count, size_t most)
{
	if (before)
		return before->source != node->key->place.source || tell_twice(s, node);
	if (count < most)
		return true;
	problem(s->problems, &node->key->place, s->path, "more than %zu names", most);
	return false;
}

/* --- hosts -------------------------------------------------------------------------------------
 */

static void take_host(const struct setting *s, const struct node *node)
{
	struct written_host **h = s->field;
	const char *name = read_name(s, node);
	size_t count = 0;

	for (; name && *h && strcmp((*h)->name, name) != 0; h = &(*h)->next)
		count++;
	if (!name || !may_stand(s, node, *h ? &(*h)->place : NULL, count, HOSTS_MAX))
		return;
	if (!*h)
		*h = memory_take(&s->config->memory, sizeof **h);
	(*h)->name = name;
	(*h)->place = node->key->place;
	struct setting inner = parts_setting(s, &kind_addresses, s->path, &(*h)->addresses);

	kind_take(&inner, node);
}

void local_print_hosts(const struct written_host *h, int indent, FILE *out)
{
	fputs(h ? "\n" : " {}\n", out);
	for (; h; h = h->next) {
		fprintf(out, "%*s", indent, "");
		print_scalar(h->name, out);
		fputs(": ", out);
		words_print(&h->addresses, out);
		fputc('\n', out);
	}
}

static void print_hosts(const struct config *c, FILE *out)
{
	local_print_hosts(c->written_rules.everybody.hosts, 2, out);
}

const struct kind kind_hosts = { .name = "map of names to addresses",
	.form = "an address, or a list of addresses",
	.most = HOSTS_MAX,
	.take_entry = take_host,
	.print = print_hosts };

/* --- zone files --------------------------------------------------------------------------------
 */

static void take_zone_file(const struct setting *s, const struct node *node)
{
	struct written_zone_file **z = s->field;
	const char *origin = read_name(s, node);
	size_t count = 0;

	for (; origin && *z && strcmp((*z)->origin, origin) != 0; z = &(*z)->next)
		count++;
	if (!origin || !may_stand(s, node, *z ? &(*z)->place : NULL, count, ZONE_FILES_MAX))
		return;
	if (node->kind != NODE_TEXT || !*node->text) {
		problem(s->problems, &node->place, s->path, "%s is expected", s->kind->form);
		return;
	}
	if (!*z)
		*z = memory_take(&s->config->memory, sizeof **z);
	(*z)->origin = origin;
	(*z)->place = node->key->place;
	(*z)->file = node->text;
}

void local_print_zone_files(const struct written_zone_file *z, int indent, FILE *out)
{
	fputs(z ? "\n" : " {}\n", out);
	for (; z; z = z->next) {
		fprintf(out, "%*s", indent, "");
		print_scalar(z->origin, out);
		fputs(": ", out);
		print_scalar(z->file, out);
		fputc('\n', out);
	}
}

static void print_zone_files(const struct config *c, FILE *out)
{
	local_print_zone_files(c->written_rules.everybody.zone_files, 2, out);
}

const struct kind kind_zone_files = { .name = "map of domains to files",
	.form = "the name of a zone file",
	.most = ZONE_FILES_MAX,
	.take_entry = take_zone_file,
	.print = print_zone_files };

static void print_leases_files(const struct config *c, FILE *out)
{
	local_print_zone_files(c->written_rules.everybody.leases_files, 2, out);
}

const struct kind kind_leases_files = { .name = "map of domains to files",
	.form = "the name of a file of leases",
	.most = ZONE_FILES_MAX,
	.take_entry = take_zone_file,
	.print = print_leases_files };

/* --- names that are made of addresses ----------------------------------------------------------
 */

/* What is wrong with a form is told when rules are built (rules/synth.h). */
static void take_synth(const struct setting *s, const struct node *node)
{
	struct written_synth **w = s->field;
	size_t count = 0;

	for (; *w && strcasecmp((*w)->form, node->key->text) != 0; w = &(*w)->next)
		count++;
	if (!may_stand(s, node, *w ? &(*w)->place : NULL, count, FORMS_MAX))
		return;
	if (!*w)
		*w = memory_take(&s->config->memory, sizeof **w);
	(*w)->form = node->key->text;
	(*w)->place = node->key->place;
	struct setting inner = parts_setting(s, &kind_prefixes, s->path, &(*w)->nets);

	kind_take(&inner, node);
}

void local_print_synthesized(const struct written_synth *w, int indent, FILE *out)
{
	fputs(w ? "\n" : " {}\n", out);
	for (; w; w = w->next) {
		fprintf(out, "%*s", indent, "");
		print_scalar(w->form, out);
		fputs(": ", out);
		words_print(&w->nets.words, out);
		fputc('\n', out);
	}
}

static void print_synthesized(const struct config *c, FILE *out)
{
	local_print_synthesized(c->written_rules.everybody.synthesized, 2, out);
}

const struct kind kind_synthesized = { .name = "map of forms of names to prefixes",
	.form = "a prefix, or a list of prefixes",
	.most = FORMS_MAX,
	.take_entry = take_synth,
	.print = print_synthesized };
