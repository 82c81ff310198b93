#include "config/assemble_rules.h"

#include <string.h>

#include "base/bug.h"
#include "config/lists.h"
#include "config/near.h"
#include "config/parts.h"
#include "config/rules.h"
#include "config/told.h"
#include "config/views.h"
#include "dns/text.h"

struct assembly {
	struct config *config;
	struct rules_conf *rules;
	struct problems *problems;
	struct told_events events;
};

static void *take(struct assembly *a, size_t count, size_t size)
{
	return memory_take(&a->config->memory, count * size);
}

static struct rules_place place_of(const struct place *p)
{
	return p->line ? (struct rules_place){ p->source->name, p->line }
		       : (struct rules_place){ NULL, 0 };
}

/* --- what is named elsewhere -------------------------------------------------------------------
 */

static void tell_missing(struct assembly *a, const struct place *at, const char *path,
	const char *what, const struct near *near)
{
	if (near->best)
		problem(a->problems, at, path, "there is no %s \"%s\"; did you mean \"%s\"?", what,
			near->word, near->best);
	else
		problem(a->problems, at, path, "there is no %s \"%s\"", what, near->word);
}

/* The index of a group, which is told if there is none. */
static size_t group_of(
	struct assembly *a, const struct place *at, const char *path, const char *name)
{
	size_t index = GROUPS_FIXED;
	struct near near;

	if (strcmp(name, "default") == 0)
		return GROUP_DEFAULT;
	near_init(&near, name);
	near_try(&near, "default");
	for (const struct written_group *g = a->config->written.groups; g; g = g->next, index++) {
		if (strcmp(g->name, name) == 0)
			return index;
		near_try(&near, g->name);
	}
	tell_missing(a, at, path, "group", &near);
	return GROUP_DEFAULT;
}

/* One that is not in force now may be some day. */
static void check_listener(struct assembly *a, const struct written_rule *r, const char *word)
{
	const struct listen_conf *listen = &a->config->listen;
	struct near near;

	for (size_t i = 0; i < a->config->off_count; i++)
		if (strcmp(a->config->off[i].text, word) == 0)
			return;
	near_init(&near, word);
	for (size_t i = 0; i < listen->count; i++) {
		if (strcmp(listen->endpoints[i].text, word) == 0)
			return;
		near_try(&near, listen->endpoints[i].text);
	}
	tell_missing(
		a, &parts_find(r->node, "listener")->place, r->path, "endpoint in listen:", &near);
}

/* --- rules -------------------------------------------------------------------------------------
 */

static void add_patterns(struct assembly *a, struct rule_conf *to, const struct written_rule *r)
{
	size_t count = 0;

	for (unsigned kind = 0; kind < PATTERN_KINDS; kind++)
		count += r->patterns[kind].count;
	to->patterns = take(a, count, sizeof *to->patterns);
	for (unsigned kind = 0; kind < PATTERN_KINDS; kind++)
		for (size_t i = 0; i < r->patterns[kind].count; i++)
			to->patterns[to->pattern_count++] =
				(struct pattern_conf){ kind, r->patterns[kind].all[i] };
	to->except = take(a, r->except.count, sizeof *to->except);
	for (; to->except_count < r->except.count; to->except_count++)
		to->except[to->except_count] =
			rules_exception(r->except.all[to->except_count], &a->config->memory);
}

static void add_conditions(struct assembly *a, struct rule_conf *to, const struct written_rule *r)
{
	to->types = take(a, r->types.count, sizeof *to->types);
	for (; to->type_count < r->types.count; to->type_count++)
		MUST(text_read_type(r->types.all[to->type_count], &to->types[to->type_count]));
	to->clients = r->clients.acl;
	to->identities = r->identities.all;
	to->identity_count = r->identities.count;
	to->listeners = r->listeners.all;
	to->listener_count = r->listeners.count;
	for (size_t i = 0; i < r->listeners.count; i++)
		check_listener(a, r, r->listeners.all[i]);
	to->priority = r->priority;
}

static void add_act(struct assembly *a, struct rule_conf *to, const struct written_rule *r)
{
	to->act = rules_act(r);
	to->records = r->records.all;
	to->record_count = r->records.count;
	to->ttl_s = r->ttl_ms / 1000;
	to->target = r->cname ? r->cname : r->rewrite;
	to->group_name = r->route;
	if (r->route)
		to->group = group_of(a, &parts_find(r->node, "route")->place, r->path, r->route);
	to->ede = (enum ede)r->ede;
	to->ede_text = r->ede_text;
	to->lab = (struct lab_conf){ .delay_ms = r->delay_ms,
		.jitter_ms = r->jitter_ms,
		.first = r->first,
		.per = (enum lab_per)r->per,
		.chance = r->chance,
		.seed = r->seed };
}

/* What is for test benches is asked for by name. */
static void check_lab(struct assembly *a, const struct written_rule *r)
{
	static const char *const keys[] = { "delay", "jitter", "first", "per", "chance", "seed" };
	const struct node *key =
		rules_act(r) == ACT_SERVFAIL ? parts_find(r->node, "action") : NULL;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		key = key ? key : parts_find(r->node, keys[i]);
	if (key && !a->rules->lab)
		problem(a->problems, &key->key->place, r->path,
			"%s is for test benches: set lab: true",
			rules_act(r) == ACT_SERVFAIL && strcmp(key->key->text, "action") == 0
				? "servfail"
				: key->key->text);
}

static void add_rules(struct assembly *a, unsigned view, const struct written_rule_list *list)
{
	const struct told told = { a->config, &a->events, a->problems };

	for (size_t i = 0; i < list->count; i++) {
		const struct written_rule *r = &list->all[i];
		struct rule_conf *to = &a->rules->rules[a->rules->rule_count++];

		to->place = place_of(&r->node->place);
		to->view = view;
		add_patterns(a, to, r);
		add_conditions(a, to, r);
		add_act(a, to, r);
		check_lab(a, r);
		told_rule(&told, r, to);
	}
}

/* --- local data --------------------------------------------------------------------------------
 */

static void add_hosts(struct assembly *a, unsigned view, const struct written_host *h)
{
	for (; h; h = h->next)
		a->rules->hosts[a->rules->host_count++] = (struct host_conf){ place_of(&h->place),
			view, h->name, h->addresses.all, h->addresses.count };
}

static void add_files(struct assembly *a, unsigned view, const struct written_view *v)
{
	struct rules_conf *r = a->rules;

	for (size_t i = 0; i < v->hosts_files.count; i++)
		r->files[r->file_count++] =
			(struct local_file_conf){ .view = view, .file = v->hosts_files.all[i] };
	for (const struct written_zone_file *z = v->zone_files; z; z = z->next)
		r->files[r->file_count++] =
			(struct local_file_conf){ view, z->file, z->origin, false };
	for (const struct written_zone_file *z = v->leases_files; z; z = z->next)
		r->files[r->file_count++] =
			(struct local_file_conf){ view, z->file, z->origin, true };
}

static void add_synthesized(struct assembly *a, unsigned view, const struct written_synth *w)
{
	for (; w; w = w->next)
		a->rules->synthesized[a->rules->synthesized_count++] =
			(struct synth_conf){ place_of(&w->place), view, w->form, w->nets.acl };
}

/* --- lists -------------------------------------------------------------------------------------
 */

static bool is_named(const struct written_rules *w, const char *list)
{
	for (const struct written_view *v = w->views; v; v = v->next)
		if (words_have(&v->lists, list))
			return true;
	return false;
}

/* The views in which a list holds: a view that names lists has these; the others, and who is in no
 * view, have those that `everybody` names, or those that no view does. */
static uint64_t views_of(const struct written_rules *w, const char *list)
{
	bool common =
		w->everybody.has_lists ? words_have(&w->everybody.lists, list) : !is_named(w, list);
	uint64_t views = common, bit = 2;

	for (const struct written_view *v = w->views; v; v = v->next, bit <<= 1)
		if (v->has_lists ? words_have(&v->lists, list) : common)
			views |= bit;
	return views;
}

static void check_lists(struct assembly *a, const struct written_view *v)
{
	for (size_t i = 0; i < v->lists.count; i++) {
		const struct written_list *l = a->config->written_rules.lists;
		struct near near;

		near_init(&near, v->lists.all[i]);
		for (; l && strcmp(l->name, v->lists.all[i]) != 0; l = l->next)
			near_try(&near, l->name);
		if (!l)
			tell_missing(a, &v->place, v->path, "list", &near);
	}
}

static void add_list(struct assembly *a, const struct written_list *l)
{
	struct list_conf *to = &a->rules->lists[a->rules->list_count++];
	bool word = false;

	if (!l->file)
		problem(a->problems, &l->place, l->path, "this list has no file");
	*to = (struct list_conf){ .name = l->name,
		.file = l->file,
		.format = (enum list_format)l->format,
		.allows = l->allows,
		.ttl_s = l->ttl_ms / 1000,
		.ede = (enum ede)(EDE_BLOCKED + (int)l->ede),
		.views = views_of(&a->config->written_rules, l->name) };
	if (l->answer.count)
		word = lists_read_answer(l->answer.all[0], &to->answer);
	if (!l->answer.count || word)
		return;
	to->answer = BLOCK_ADDRESSES;
	to->addresses = l->answer.all;
	to->address_count = l->answer.count;
}

/* --- views -------------------------------------------------------------------------------------
 */

static bool is_same(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && addr_same_host(&a->base, &b->base);
}

static bool share_prefix(const struct acl *a, const struct acl *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (is_same(&a->prefixes[i], &b->prefixes[k]))
				return true;
	return false;
}

static bool share_word(const struct word_list *a, const struct word_list *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (words_have(b, a->all[i]))
			return true;
	return false;
}

/* A client is in one view, whose prefix is the longest; so no two may have the same, nor the same
 * word of forwarders. */
static void check_clients(struct assembly *a, const struct written_view *v)
{
	const bool by_word = v->macs.count || v->cpe_ids.count;

	if (!v->clients.acl.count && !by_word)
		problem(a->problems, &v->place, v->path, "this view has no clients");
	if (by_word && !a->config->query.forwarders.count)
		problem(a->problems, &v->place, v->path,
			"nobody is believed for the MAC address or CPE of a client: set "
			"trusted-forwarders");
	for (const struct written_view *w = a->config->written_rules.views; w != v; w = w->next) {
		if (!share_prefix(&w->clients.acl, &v->clients.acl) &&
			!share_word(&w->macs, &v->macs) && !share_word(&w->cpe_ids, &v->cpe_ids))
			continue;
		problem(a->problems, &v->place, v->path,
			"has clients that are those of view \"%s\"", w->name);
		return;
	}
}

static void add_view(struct assembly *a, const struct written_view *v)
{
	unsigned index = (unsigned)a->rules->view_count++;
	struct view_conf *to = &a->rules->views[index];

	*to = (struct view_conf){ .name = v->name,
		.clients = v->clients.acl,
		.macs = v->macs.all,
		.mac_count = v->macs.count,
		.cpe_ids = v->cpe_ids.all,
		.cpe_id_count = v->cpe_ids.count,
		.group_name = v->group };
	if (v->group)
		to->group = group_of(a, &v->place, v->path, v->group);
	if (index)
		check_clients(a, v);
	check_lists(a, v);
	add_rules(a, index, &v->rules);
	add_hosts(a, index, v->hosts);
	add_files(a, index, v);
	add_synthesized(a, index, v->synthesized);
}

/* --- everything --------------------------------------------------------------------------------
 */

struct counts {
	size_t views, rules, hosts, files, synthesized;
};

static void count(struct counts *n, const struct written_view *v)
{
	n->views++;
	n->rules += v->rules.count;
	n->files += v->hosts_files.count;
	for (const struct written_host *h = v->hosts; h; h = h->next)
		n->hosts++;
	for (const struct written_zone_file *z = v->zone_files; z; z = z->next)
		n->files++;
	for (const struct written_zone_file *z = v->leases_files; z; z = z->next)
		n->files++;
	for (const struct written_synth *w = v->synthesized; w; w = w->next)
		n->synthesized++;
}

static void make_room(struct assembly *a)
{
	const struct written_rules *w = &a->config->written_rules;
	struct rules_conf *r = a->rules;
	struct counts n = { 0 };

	count(&n, &w->everybody);
	for (const struct written_view *v = w->views; v; v = v->next)
		count(&n, v);
	r->views = take(a, n.views, sizeof *r->views);
	r->rules = take(a, n.rules, sizeof *r->rules);
	r->hosts = take(a, n.hosts, sizeof *r->hosts);
	r->files = take(a, n.files, sizeof *r->files);
	r->synthesized = take(a, n.synthesized, sizeof *r->synthesized);
	r->lists = take(a, LISTS_MAX, sizeof *r->lists);
	r->routed = take(a, a->config->upstream.zone_count, sizeof *r->routed);
}

static void add_words(struct assembly *a)
{
	const struct written_rules *w = &a->config->written_rules;
	const struct upstream_conf *u = &a->config->upstream;
	struct rules_conf *r = a->rules;

	for (size_t i = 0; i < u->zone_count; i++)
		r->routed[r->routed_count++] = u->zones[i].text;
	r->special_off = w->special_except.all;
	r->special_off_count = w->special_except.count;
	r->judge.rebind_allow = w->rebinding_except.all;
	r->judge.rebind_allow_count = w->rebinding_except.count;
	a->config->query.forwarders = w->forwarders.acl;
	r->judge.block = w->block.acl;
	r->judge.bogus = w->bogus.acl;
	r->dns64.clients = w->dns64_clients.acl;
	r->dns64.exclude = w->dns64_exclude.acl;
	r->ttl_s = w->ttl_ms / 1000;
}

void assemble_rules(struct config *c, struct problems *problems)
{
	struct assembly a = { .config = c, .rules = &c->rules, .problems = problems };

	c->written_rules.everybody.name = VIEW_EVERYBODY;
	make_room(&a);
	add_words(&a);
	add_view(&a, &c->written_rules.everybody);
	for (const struct written_view *v = c->written_rules.views; v; v = v->next)
		add_view(&a, v);
	for (const struct written_list *l = c->written_rules.lists; l; l = l->next)
		add_list(&a, l);
	c->query.dump = c->dump.file ? c->dump_what : 0;
}
