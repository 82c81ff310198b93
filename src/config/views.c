/* views: the map `views`, whose entries a later source replaces part by part. The view of everybody
 * is what stands at the top; under its name there are only its lists.
 */
#include "config/views.h"

#include <string.h>

#include "config/local.h"
#include "config/parts.h"
#include "config/print.h"
#include "config/rules.h"

#define ROW(key, kind, member) PART(struct written_view, key, kind, member)
#define NAME_LETTERS           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

bool views_check_name(const struct setting *s, const struct node *node)
{
	const char *name = node->key->text;

	if (*name && name[strspn(name, NAME_LETTERS)] == '\0')
		return true;
	problem(s->problems, &node->key->place, s->path,
		"its name consists of letters, digits, - and _");
	return false;
}

static const struct config_option parts[] = {
	{ ROW("clients", kind_clients, clients) },
	{ ROW("macs", kind_macs, macs) },
	{ ROW("cpe-ids", kind_cpe_ids, cpe_ids) },
	{ ROW("rules", kind_rules, rules) },
	{ ROW("hosts", kind_hosts, hosts) },
	{ ROW("hosts-files", kind_files, hosts_files) },
	{ ROW("zone-files", kind_zone_files, zone_files) },
	{ ROW("leases-files", kind_leases_files, leases_files) },
	{ ROW("synthesized", kind_synthesized, synthesized) },
	{ ROW("lists", kind_words, lists) },
	{ ROW("group", kind_text, group) },
	{ 0 },
};

static const struct config_option everybodys_parts[] = {
	{ ROW("lists", kind_words, lists) },
	{ 0 },
};

/* NULL: there are too many, which is told. */
static struct written_view *find(const struct setting *s, const struct node *node)
{
	struct written_view **v = &s->config->written_rules.views;
	size_t count = 1;

	for (; *v && strcmp((*v)->name, node->key->text) != 0; v = &(*v)->next)
		count++;
	if (!*v && count == VIEWS_MAX) {
		problem(s->problems, &node->key->place, s->path, "more than %d views",
			VIEWS_MAX - 1);
		return NULL;
	}
	if (!*v) {
		*v = memory_take(&s->config->memory, sizeof **v);
		(*v)->name = node->key->text;
	}
	return *v;
}

static void take_view(const struct setting *s, const struct node *node)
{
	bool everybody = strcmp(node->key->text, VIEW_EVERYBODY) == 0;
	struct written_view *v = everybody  ? &s->config->written_rules.everybody
		: views_check_name(s, node) ? find(s, node)
					    : NULL;

	if (!v)
		return;
	v->place = node->key->place;
	v->path = s->path;
	parts_take(s, everybody ? everybodys_parts : parts, v, node);
	v->has_lists |= node->kind == NODE_MAP && parts_find(node, "lists");
}

static void print_words(const char *key, const struct word_list *words, FILE *out)
{
	fprintf(out, "    %s: ", key);
	words_print(words, out);
	fputc('\n', out);
}

static void print_view(const struct written_view *v, FILE *out)
{
	print_words("clients", &v->clients.words, out);
	if (v->macs.count)
		print_words("macs", &v->macs, out);
	if (v->cpe_ids.count)
		print_words("cpe-ids", &v->cpe_ids, out);
	fputs("    rules:", out);
	rules_print(&v->rules, 6, out);
	fputs("    hosts:", out);
	local_print_hosts(v->hosts, 6, out);
	print_words("hosts-files", &v->hosts_files, out);
	fputs("    zone-files:", out);
	local_print_zone_files(v->zone_files, 6, out);
	fputs("    leases-files:", out);
	local_print_zone_files(v->leases_files, 6, out);
	fputs("    synthesized:", out);
	local_print_synthesized(v->synthesized, 6, out);
	if (v->has_lists)
		print_words("lists", &v->lists, out);
	if (!v->group)
		return;
	fputs("    group: ", out);
	print_scalar(v->group, out);
	fputc('\n', out);
}

static void print_views(const struct config *c, FILE *out)
{
	const struct written_rules *w = &c->written_rules;

	fputs(w->views || w->everybody.has_lists ? "\n" : " {}\n", out);
	if (w->everybody.has_lists) {
		fputs("  " VIEW_EVERYBODY ":\n", out);
		print_words("lists", &w->everybody.lists, out);
	}
	for (const struct written_view *v = w->views; v; v = v->next) {
		fputs("  ", out);
		print_scalar(v->name, out);
		fputs(":\n", out);
		print_view(v, out);
	}
}

const struct kind kind_views = { .name = "map of names to maps",
	.form = "a map of clients and what they are told",
	.most = VIEWS_MAX,
	.take_entry = take_view,
	.print = print_views };
