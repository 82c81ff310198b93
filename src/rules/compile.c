#include "rules/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rules/compile_lists.h"
#include "rules/compile_special.h"
#include "rules/filing.h"

/* ---- rules ---- */

static const struct pattern_conf every_name = { PATTERN_SUFFIX, "." };

static bool file_patterns(
	struct filing *f, const struct rule_conf *conf, const struct standing *s, uint32_t of)
{
	if (!conf->pattern_count)
		return filing_put(f, &every_name, s, of);
	for (size_t i = 0; i < conf->pattern_count; i++)
		if (!filing_put(f, &conf->patterns[i], s, of))
			return false;
	return true;
}

/* Exceptions are found as rules are, so that one who has many of them costs no more. */
static bool file_exceptions(struct filing *f, const struct rule_conf *conf, uint32_t of)
{
	const struct standing s = { .tier = TIER_RULE, .order = of };

	f->into = f->set->except;
	for (size_t i = 0; i < conf->except_count; i++)
		if (!filing_put(f, &conf->except[i], &s, of))
			return false;
	f->into = f->set->names;
	return true;
}

static bool read_outcome(struct filing *f, const struct rule_conf *conf, struct outcome *o)
{
	char why[RRSET_WHY];

	o->act = conf->act;
	for (size_t i = 0; i < conf->record_count; i++)
		if (!rrset_read(&o->sets, conf->records[i], conf->ttl_s, why))
			return filing_fails(f, "%s", why);
	return !conf->target || filing_target(f, o, conf->target, conf->ttl_s);
}

/* Does it answer instead of servers who have what is asked for? An alias to a name for which it
 * holds is not let through then. */
static bool is_blocking(enum act act)
{
	return act == ACT_NODATA || act == ACT_NXDOMAIN || act == ACT_REFUSE || act == ACT_DROP;
}

static bool add_rule(struct filing *f, uint32_t i)
{
	struct ruleset *set = f->set;
	const struct rule_conf *conf = &set->conf->rules[i];
	struct rule *rule = &set->rules[i];
	const struct standing s = {
		.tier = conf->view ? TIER_VIEW : TIER_RULE, .priority = conf->priority, .order = i
	};

	f->place = conf->place;
	rule->conf = conf;
	rule->has_except = conf->except_count > 0;
	set->wants_facts |= conf->identity_count || conf->listener_count;
	set->wants_who |= conf->clients.count > 0;
	if (is_blocking(conf->act))
		set->blocks_names |= conf->view ? UINT64_C(1) << conf->view : UINT64_MAX;
	return read_outcome(f, conf, &rule->outcome) && file_patterns(f, conf, &s, i) &&
		file_exceptions(f, conf, i);
}

static bool add_rules(struct filing *f)
{
	for (size_t i = 0; i < f->set->conf->rule_count; i++)
		if (!add_rule(f, (uint32_t)i))
			return false;
	return true;
}

/* ---- local data ---- */

/* Files the names of a view's data. */
struct owned {
	struct filing *f;
	unsigned view;
};

/* A view's own goes before everybody's, whatever that fixes. */
static bool take_owned(void *arg, struct span name, bool zone)
{
	const struct owned *o = arg;
	const struct standing s = {
		.tier = TIER_LOCAL, .priority = o->view ? 1 : 0, .order = o->view
	};

	return filing_put_plain(o->f, zone ? PATTERN_SUFFIX : PATTERN_EXACT, name, &s, o->view);
}

static bool fails_as(struct filing *f, const struct local_fault *local)
{
	f->place = (struct rules_place){ local->file[0] ? local->file : f->place.file,
		local->file[0] ? local->line : f->place.line };
	return filing_fails(f, "%s", local->why);
}

/* The store of a view, made where there is something for it. */
static struct local *store_of(struct filing *f, unsigned view)
{
	struct local **local = &f->set->local[view];

	if (!*local)
		*local = local_new(f->set->conf->ttl_s);
	if (!*local)
		filing_lacks_memory(f);
	return *local;
}

static void say_ignored(const char *file, const struct local_leases *told)
{
	struct log_line line;

	log_begin(&line, LOG_WARN, "lines of leases were ignored");
	log_str(&line, "file", file);
	log_fmt(&line, "ignored", "%u", told->ignored);
	log_fmt(&line, "first", "%u", told->line);
	log_str(&line, "reason", told->why);
	log_end(&line);
}

static bool read_leases(struct filing *f, struct local *local, const struct local_file_conf *file)
{
	struct local_leases told;

	if (!local_read_leases(local, file->origin, file->file, clock_date_s(), &told))
		return filing_fails(f, "more addresses than can be kept");
	if (told.why)
		say_ignored(file->file, &told);
	return true;
}

static bool read_file(struct filing *f, const struct local_file_conf *file)
{
	struct local *local = store_of(f, file->view);
	struct local_fault fault;

	if (!local)
		return false;
	f->place = (struct rules_place){ file->file, 0 };
	if (file->leases)
		return read_leases(f, local, file);
	if (file->origin ? local_read_zone(local, file->origin, file->file, &fault)
			 : local_read_hosts(local, file->file, &fault))
		return true;
	return fails_as(f, &fault);
}

static bool read_local(struct filing *f)
{
	const struct rules_conf *conf = f->set->conf;
	struct local_fault fault;

	for (size_t i = 0; i < conf->host_count; i++) {
		struct local *local = store_of(f, conf->hosts[i].view);

		f->place = conf->hosts[i].place;
		if (!local)
			return false;
		if (!local_add_host(local, &conf->hosts[i], &fault))
			return fails_as(f, &fault);
	}
	for (size_t i = 0; i < conf->file_count; i++)
		if (!read_file(f, &conf->files[i]))
			return false;
	return true;
}

static bool add_pointers(struct filing *f)
{
	for (unsigned view = 0; f->set->conf->hosts_ptr && view < VIEWS_MAX; view++)
		if (f->set->local[view] && !local_add_pointers(f->set->local[view]))
			return filing_lacks_memory(f);
	return true;
}

static bool add_synthesized(struct filing *f)
{
	const struct rules_conf *conf = f->set->conf;
	struct local_fault fault;

	for (size_t i = 0; i < conf->synthesized_count; i++) {
		const struct synth_conf *synth = &conf->synthesized[i];
		struct local *local = store_of(f, synth->view);

		f->place = synth->place;
		if (!local)
			return false;
		if (!local_add_synthesized(local, synth, &fault))
			return fails_as(f, &fault);
	}
	return true;
}

static bool add_local(struct filing *f)
{
	if (!read_local(f) || !add_pointers(f) || !add_synthesized(f))
		return false;
	for (unsigned view = 0; view < VIEWS_MAX; view++) {
		struct local *local = f->set->local[view];

		if (!local)
			continue;
		local_seal(local);
		if (!local_each(local, take_owned, &(struct owned){ f, view }))
			return false;
	}
	return true;
}

/* ---- what the configuration says elsewhere ---- */

/* The configuration's own go before those of lists that block. */
static bool add_addresses(struct filing *f, const struct acl *acl, uint32_t of)
{
	const struct standing s = { .tier = TIER_BLOCK, .priority = 1 };

	for (size_t i = 0; i < acl->count; i++)
		if (!filing_put_network(f, &acl->prefixes[i], &s, of))
			return false;
	if (acl->count)
		f->set->blocks_addresses = UINT64_MAX;
	return true;
}

/* Those that unbound's documentation recommends (private-address), and all others that lead to the
 * host or its network. IPv4-mapped ones are the addresses that they carry. */
static bool add_private(struct filing *f)
{
	static const char *const words[] = { "private", "local", "0.0.0.0/8", "::" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!acl_add(&f->set->private, words[i]))
			return filing_lacks_memory(f);
	return true;
}

static bool add_judged(struct filing *f)
{
	const struct judge_conf *judge = &f->set->conf->judge;
	const uint32_t of = (uint32_t)f->set->conf->rule_count;
	const struct standing s = { .tier = TIER_RULE, .order = of };

	f->into = f->set->except;
	if (!filing_put_suffixes(f, judge->rebind_allow, judge->rebind_allow_count, &s, of))
		return false;
	f->into = f->set->names;
	return add_private(f) && add_addresses(f, &judge->block, OF_BLOCKED) &&
		add_addresses(f, &judge->bogus, OF_BOGUS);
}

/* Of two that say the same network, the first. */
static bool add_views(struct filing *f)
{
	const struct rules_conf *conf = f->set->conf;

	for (unsigned view = 1; view < conf->view_count; view++) {
		const struct acl *acl = &conf->views[view].clients;

		for (size_t i = 0; i < acl->count; i++) {
			uint32_t *number = prefixes_put(f->set->views, &acl->prefixes[i]);

			if (!number)
				return filing_lacks_memory(f);
			*number = *number ? *number : view;
		}
	}
	return true;
}

static bool add_marks(struct filing *f)
{
	const struct rules_conf *conf = f->set->conf;
	bool ok = true;

	for (unsigned view = 1; view < conf->view_count; view++) {
		const struct view_conf *v = &conf->views[view];

		for (size_t i = 0; i < v->mac_count && ok; i++)
			ok = marks_add(&f->set->macs, v->macs[i], view);
		for (size_t i = 0; i < v->cpe_id_count && ok; i++)
			ok = marks_add(&f->set->cpe_ids, v->cpe_ids[i], view);
	}
	marks_seal(&f->set->macs);
	marks_seal(&f->set->cpe_ids);
	return ok || filing_lacks_memory(f);
}

/* ---- all of it ---- */

static bool begin(struct filing *f)
{
	struct ruleset *set = f->set;

	set->names = names_new();
	set->except = names_new();
	set->addresses = prefixes_new();
	set->views = prefixes_new();
	set->rules = calloc(set->conf->rule_count + 1, sizeof *set->rules);
	f->into = set->names;
	return (set->names && set->except && set->addresses && set->views && set->rules) ||
		filing_lacks_memory(f);
}

bool compile(struct ruleset *set, struct ruleset_fault *fault)
{
	const struct rules_conf *conf = set->conf;
	struct filing f = { .set = set, .fault = fault };
	const struct standing routed = { .tier = TIER_ROUTED };

	if (!begin(&f) || !add_views(&f) || !add_marks(&f) || !add_rules(&f) || !add_local(&f) ||
		!filing_put_suffixes(&f, conf->routed, conf->routed_count, &routed, 0) ||
		!compile_lists(&f) || !compile_special(&f) || !add_judged(&f))
		return false;
	names_seal(set->names);
	names_seal(set->except);
	entries_seal(&set->entries);
	return true;
}
