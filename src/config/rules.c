/* rules: the list `rules`, each element of it a map. */
#include "config/rules.h"

#include <string.h>

#include "base/bug.h"

#define RULES_MAX              65536
#define ROW(key, kind, member) PART(struct written_rule, key, kind, member)
#define HOUR                   3600000
#define WEEK                   (7u * 24 * HOUR)

/* --- what is done ------------------------------------------------------------------------------
 */

static const struct {
	const char *word;
	enum act act;
} actions[] = { { NULL, ACT_ANSWER }, { "pass", ACT_PASS }, { "nodata", ACT_NODATA },
	{ "nxdomain", ACT_NXDOMAIN }, { "refuse", ACT_REFUSE }, { "drop", ACT_DROP },
	{ "truncate", ACT_TRUNCATE }, { "servfail", ACT_SERVFAIL } };

enum { ACTIONS = sizeof actions / sizeof *actions };

static void take_action(const struct setting *s, const struct node *node)
{
	unsigned *action = s->field;

	for (unsigned i = 1; i < ACTIONS; i++) {
		if (strcmp(node->text, actions[i].word) == 0) {
			*action = i;
			return;
		}
	}
	kind_tell_form(s, node);
}

static const char *action_text(
	const struct config *base, const struct config_option *o, size_t index, struct memory *m)
{
	const unsigned *action = (const void *)((const char *)base + o->offset);

	(void)m;
	return index == 0 ? actions[*action].word : NULL;
}

const struct kind kind_action = { .name = "action",
	.form = "pass, nodata, nxdomain, refuse, drop, truncate or servfail",
	.take = take_action,
	.text = action_text };

enum act rules_act(const struct written_rule *r)
{
	if (r->cname)
		return ACT_CNAME;
	if (r->rewrite)
		return ACT_REWRITE;
	if (r->route)
		return ACT_ROUTE;
	if (r->records.count)
		return ACT_ANSWER;
	return r->action ? actions[r->action].act : ACT_PASS;
}

struct pattern_conf rules_exception(const char *text, struct memory *m)
{
	const char *colon = strchr(text, ':');
	struct pattern_conf conf = { PATTERN_SUFFIX, text };

	if (colon && pattern_read_kind(memory_copy(m, text, (size_t)(colon - text)), &conf.kind))
		conf.text = colon + 1;
	return conf;
}

/* --- one rule ----------------------------------------------------------------------------------
 */

/* `name` first: what it means is printed under the keys behind it. */
static const struct config_option parts[] = {
	{ ROW("name", kind_name, patterns[0]) },
	{ ROW("exact", kind_pattern, patterns[PATTERN_EXACT]) },
	{ ROW("suffix", kind_pattern, patterns[PATTERN_SUFFIX]) },
	{ ROW("below", kind_pattern, patterns[PATTERN_BELOW]) },
	{ ROW("glob", kind_pattern, patterns[PATTERN_GLOB]) },
	{ ROW("regex", kind_pattern, patterns[PATTERN_REGEX]) },
	{ ROW("dnschef", kind_pattern, patterns[PATTERN_DNSCHEF]) },
	{ ROW("type", kind_types, types) },
	{ ROW("clients", kind_clients, clients) },
	{ ROW("identity", kind_words, identities) },
	{ ROW("listener", kind_words, listeners) },
	{ ROW("except", kind_except, except) },
	{ ROW("priority", kind_priority, priority), .standard = "0" },
	{ ROW("ttl", kind_duration, ttl_ms), .standard = "1m", .max = WEEK },
	{ ROW("ede", kind_ede, ede), .standard = "none" },
	{ ROW("ede-text", kind_text, ede_text) },
	{ ROW("answer", kind_records, records) },
	{ ROW("a", kind_a, records) },
	{ ROW("aaaa", kind_aaaa, records) },
	{ ROW("cname", kind_target, cname) },
	{ ROW("rewrite", kind_target, rewrite) },
	{ ROW("route", kind_text, route) },
	{ ROW("action", kind_action, action) },
	{ ROW("dump", kind_flag, dump), .standard = "false" },
	{ ROW("event", kind_event, event) },
	{ ROW("delay", kind_duration, delay_ms), .standard = "0ms", .max = HOUR },
	{ ROW("jitter", kind_duration, jitter_ms), .standard = "0ms", .max = HOUR },
	{ ROW("first", kind_count, first), .standard = "0", .max = 1u << 30 },
	{ ROW("per", kind_per, per), .standard = "all" },
	{ ROW("chance", kind_chance, chance) },
	{ ROW("seed", kind_count, seed), .standard = "0", .max = UINT64_MAX },
	{ 0 },
};

/* The keys that say what is done; those of a row may stand together. */
static const char *const acts[][3] = { { "answer", "a", "aaaa" }, { "cname" }, { "rewrite" },
	{ "route" }, { "action" } };
static const char *const waits[] = { "delay", "jitter" };

/* The first of a row's keys that the rule has. */
static const struct node *find_act(const struct node *rule, size_t row)
{
	const struct node *found = NULL;

	for (size_t i = 0; i < 3 && acts[row][i] && !found; i++)
		found = parts_find(rule, acts[row][i]);
	return found;
}

/* A rule does one thing, and not nothing. */
static void check_acts(const struct setting *s, const struct node *node)
{
	const struct node *first = NULL;

	for (size_t row = 0; row < sizeof acts / sizeof *acts; row++) {
		const struct node *act = find_act(node, row);

		if (act && first)
			problem(s->problems, &act->key->place, s->path,
				"%s beside %s: a rule does one thing", act->key->text,
				first->key->text);
		first = first ? first : act;
	}
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		first = first ? first : parts_find(node, waits[i]);
	if (!first)
		problem(s->problems, &node->place, s->path,
			"does nothing: answer, a, aaaa, cname, rewrite, route or action is missing");
}

/* Adds a record of a rule to the sets; what is no record has been told. */
static void add_record(struct rrset **sets, const char *key, const char *text)
{
	char why[RRSET_WHY];

	if (strcmp(key, "answer") == 0)
		rrset_read(sets, text, 1, why);
	else
		rrset_add_address(sets, text, 1, why);
}

/* All records of a rule are of one name. */
static void check_records(const struct setting *s, const struct node *rule)
{
	struct rrset *sets = NULL;
	const char *clash = NULL;

	for (size_t i = 0; i < 3; i++) {
		const struct node *value = parts_find(rule, acts[0][i]);
		const struct node *n = value && value->kind == NODE_LIST ? value->first : value;

		for (; n && !clash; n = n == value ? NULL : n->next) {
			if (n->kind != NODE_TEXT)
				continue;
			add_record(&sets, acts[0][i], n->text);
			clash = rrset_clash(sets);
			if (clash)
				problem(s->problems, &n->place, s->path, "%s", clash);
		}
	}
	rrset_free(sets);
}

static void check_target(
	const struct setting *s, const struct written_rule *r, const struct node *rule)
{
	const char *target = r->cname ? r->cname : r->rewrite;
	const struct node *at = parts_find(rule, r->cname ? "cname" : "rewrite");

	for (unsigned kind = 0; target && kind < PATTERN_KINDS; kind++)
		for (size_t i = 0; i < r->patterns[kind].count; i++) {
			const struct pattern_conf conf = { kind, r->patterns[kind].all[i] };

			if (rules_leads_to_itself(
				    &conf, r->cname ? ACT_CNAME : ACT_REWRITE, target))
				problem(s->problems, &at->place, s->path, "%s leads to itself",
					target);
		}
}

static void take_rule(const struct setting *s, struct written_rule *r, const struct node *node)
{
	r->node = node;
	r->path = s->path;
	parts_begin(s, parts, r);
	parts_take(s, parts, r, node);
	if (node->kind != NODE_MAP)
		return;
	check_acts(s, node);
	check_records(s, node);
	check_target(s, r, node);
}

/* --- all of them -------------------------------------------------------------------------------
 */

static void take_rules(const struct setting *s, const struct node *node)
{
	struct written_rule_list *list = s->field;
	struct setting element = *s;
	size_t count = 0;

	if (node->kind == NODE_BAD)
		return;
	if (node->kind != NODE_LIST) {
		problem(s->problems, &node->place, s->path, "%s stands where a list is expected",
			node_kind_name(node->kind));
		return;
	}
	for (const struct node *n = node->first; n; n = n->next)
		count++;
	if (count > RULES_MAX) {
		problem(s->problems, &node->place, s->path, "more than %d rules", RULES_MAX);
		return;
	}
	*list = (struct written_rule_list){ 0 };
	list->all = memory_take(&s->config->memory, count * sizeof *list->all);
	for (const struct node *n = node->first; n; n = n->next) {
		element.path = memory_format(&s->config->memory, "%s[%zu]", s->path, list->count);
		take_rule(&element, &list->all[list->count++], n);
	}
}

void rules_print(const struct written_rule_list *list, int indent, FILE *out)
{
	fputs(list->count ? "\n" : " []\n", out);
	for (size_t i = 0; i < list->count; i++) {
		fprintf(out, "%*s- ", indent, "");
		parts_print(&list->all[i], parts, out);
		fputc('\n', out);
	}
}

static void print_rules(const struct config *c, FILE *out)
{
	rules_print(&c->written_rules.everybody.rules, 2, out);
}

const struct kind kind_rules = { .name = "list of maps",
	.form = "a rule",
	.most = RULES_MAX,
	.take_whole = take_rules,
	.print = print_rules };
