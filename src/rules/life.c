/* life: a ruleset's owners, and what it is as a whole. */
#include "rules/compile.h"

#include <stdlib.h>

#include "base/bug.h"
#include "base/file_state.h"
#include "base/unset.h"

/* ---- life ---- */

static void outcome_clear(struct outcome *o)
{
	rrset_free(o->sets);
	free(o->target);
	free(o->target_text);
}

static void free_all(struct ruleset *set)
{
	names_free(set->names);
	names_free(set->except);
	prefixes_free(set->addresses);
	prefixes_free(set->views);
	marks_clear(&set->macs);
	marks_clear(&set->cpe_ids);
	entries_clear(&set->entries);
	acl_clear(&set->private);
	for (size_t i = 0; set->rules && i < set->conf->rule_count; i++)
		outcome_clear(&set->rules[i].outcome);
	free(set->rules);
	for (size_t i = 0; i < VIEWS_MAX; i++)
		local_free(set->local[i]);
	for (size_t i = 0; i < LISTS_MAX; i++)
		outcome_clear(&set->lists[i]);
	for (size_t i = 0; set->special && special_names[i].name; i++)
		rrset_free(set->special[i]);
	free(set->special);
	for (size_t i = 0; i < set->own_count; i++)
		outcome_clear(&set->own[i]);
	free(set->own);
	for (size_t i = 0; i < set->held_count; i++)
		pattern_clear(&set->held[i].pattern);
	free(set->held);
	free(set);
}

struct ruleset *ruleset_new(const struct rules_conf *conf, struct ruleset_fault *fault)
{
	struct ruleset *set = calloc(1, sizeof *set);

	*fault = (struct ruleset_fault){ .why = "out of memory" };
	if (!set)
		return NULL;
	MUST(conf->view_count <= VIEWS_MAX && conf->list_count <= LISTS_MAX);
	set->conf = conf;
	set->owners = 1;
	if (compile(set, fault))
		return set;
	free_all(set);
	return NULL;
}

bool ruleset_is_shared(const struct ruleset *set)
{
	return atomic_load(&set->owners) > 1;
}

struct ruleset *ruleset_share(struct ruleset *set)
{
	atomic_fetch_add(&set->owners, 1);
	return set;
}

void ruleset_free(struct ruleset *set)
{
	if (set && atomic_fetch_sub(&set->owners, 1) == 1)
		free_all(set);
}

/* ---- what it is ---- */

const struct rules_conf *ruleset_conf(const struct ruleset *set)
{
	return set->conf;
}

bool ruleset_is_empty(const struct ruleset *set)
{
	const struct rules_conf *conf = set->conf;

	return !set->entries.count && conf->view_count <= 1 && !conf->judge.rebind &&
		!conf->dns64.prefix.bits;
}

bool ruleset_wants_facts(const struct ruleset *set)
{
	return set->wants_facts;
}

bool ruleset_wants_who(const struct ruleset *set)
{
	return set->wants_who || set->conf->view_count > 1 || set->conf->dns64.clients.count;
}

unsigned ruleset_view(const struct ruleset *set, const struct who *who)
{
	if (set->conf->view_count <= 1)
		return 0;
	unsigned view = who->mac ? marks_find(&set->macs, who->mac) : 0;
	UNSET uint32_t views[PREFIXES_DEPTH];

	if (!view && who->cpe_id)
		view = marks_find(&set->cpe_ids, who->cpe_id);
	if (view)
		return view;
	return prefixes_find(set->views, &who->client, views) ? views[0] : 0;
}

const struct view_conf *ruleset_view_conf(const struct ruleset *set, unsigned view)
{
	return &set->conf->views[view];
}

void ruleset_count(const struct ruleset *set, struct ruleset_count *count)
{
	*count = (struct ruleset_count){ .rules = set->conf->rule_count,
		.names = names_count(set->names),
		.list_entries = set->list_entries,
		.memory = sizeof *set + names_memory(set->names) + names_memory(set->except) +
			prefixes_memory(set->addresses) + prefixes_memory(set->views) +
			set->entries.room * sizeof *set->entries.at +
			set->conf->rule_count * sizeof *set->rules +
			set->own_room * sizeof *set->own + set->held_room * sizeof *set->held };
}

uint64_t ruleset_files(const struct rules_conf *conf)
{
	uint64_t sum = 1;

	for (size_t i = 0; i < conf->file_count; i++)
		file_state_add(&sum, conf->files[i].file);
	for (size_t i = 0; i < conf->list_count; i++)
		file_state_add(&sum, conf->lists[i].file);
	return sum;
}
