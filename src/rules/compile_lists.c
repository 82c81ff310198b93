#include "rules/compile_lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FIRST_ROOM 16

/* A list while it is read. */
struct listing {
	struct filing *f;
	const struct list_conf *conf;
	unsigned index;
	bool failed; /* in filing, not in reading; the fault is told */
};

/* ---- what is done with what a list blocks ---- */

static bool read_answer(struct filing *f, const struct list_conf *conf, struct outcome *o)
{
	static const enum act acts[] = { [BLOCK_NXDOMAIN] = ACT_NXDOMAIN,
		[BLOCK_NODATA] = ACT_NODATA,
		[BLOCK_ZERO] = ACT_ANSWER,
		[BLOCK_REFUSED] = ACT_REFUSE,
		[BLOCK_ADDRESSES] = ACT_ANSWER };

	o->act = acts[conf->answer];
	if (conf->answer == BLOCK_ZERO)
		return filing_address(f, &o->sets, "0.0.0.0", conf->ttl_s) &&
			filing_address(f, &o->sets, "::", conf->ttl_s);
	for (size_t i = 0; conf->answer == BLOCK_ADDRESSES && i < conf->address_count; i++)
		if (!filing_address(f, &o->sets, conf->addresses[i], conf->ttl_s))
			return false;
	return true;
}

/* ---- entries that say themselves what is done ---- */

static struct outcome *more_own(struct ruleset *set)
{
	size_t room = set->own_room ? 2 * set->own_room : FIRST_ROOM;

	if (set->own_count == set->own_room) {
		struct outcome *more = reallocarray(set->own, room, sizeof *more);

		if (!more)
			return NULL;
		set->own = more;
		set->own_room = room;
	}
	set->own[set->own_count] = (struct outcome){ .act = ACT_PASS };
	return &set->own[set->own_count++];
}

static bool copy_sets(struct rrset **to, const struct rrset *from)
{
	for (const struct rrset *set = from; set; set = set->next)
		for (const struct rdata *r = set->first; r; r = r->next)
			if (!rrset_add(
				    to, set->type, set->ttl_s, (struct span){ r->octets, r->len }))
				return false;
	return true;
}

/* Aliases of one list are all the same, as a rule. */
static bool is_last_alias(const struct ruleset *set, const struct list_entry *e)
{
	const struct outcome *last = set->own_count ? &set->own[set->own_count - 1] : NULL;

	return last && e->act == ACT_CNAME && last->act == ACT_CNAME &&
		strcmp(last->target_text, e->target) == 0;
}

/* `*.x`: that record is another one for each name, so it is not kept. */
static void take_wildcard(struct outcome *o)
{
	if (memcmp(o->target, "\1*", 2) != 0)
		return;
	o->target_len -= 2;
	memmove(o->target, o->target + 2, o->target_len);
	rrset_free(o->sets);
	o->sets = NULL;
	o->prepends = true;
}

static bool own_outcome(struct listing *l, const struct list_entry *e, uint32_t *of)
{
	struct ruleset *set = l->f->set;

	*of = OF_ACT + (uint32_t)e->act;
	if (e->act != ACT_CNAME && e->act != ACT_ANSWER)
		return true;
	if (!is_last_alias(set, e)) {
		struct outcome *own = more_own(set);

		if (!own || !copy_sets(&own->sets, e->sets))
			return filing_lacks_memory(l->f);
		own->act = e->act;
		if (e->act == ACT_CNAME && !filing_target(l->f, own, e->target, l->conf->ttl_s)) {
			own->act = ACT_PASS;
			return false;
		}
		if (e->act == ACT_CNAME)
			take_wildcard(own);
	}
	*of = OF_OWN + (uint32_t)set->own_count - 1;
	return true;
}

/* ---- entries ---- */

static bool put(
	struct listing *l, const struct list_entry *e, const struct standing *s, uint32_t of)
{
	const struct pattern_conf glob = { PATTERN_GLOB, e->glob };

	if (e->addresses)
		return filing_put_network(l->f, e->addresses, s, of);
	if (e->kind == PATTERN_GLOB)
		return filing_put(l->f, &glob, s, of);
	return filing_put_plain(l->f, e->kind, e->name, s, of);
}

static bool take(void *arg, const struct list_entry *e)
{
	struct listing *l = arg;
	struct ruleset *set = l->f->set;
	bool allows = l->conf->allows || e->allows || (e->has_act && e->act == ACT_PASS);
	const struct standing s = { .tier = allows ? TIER_ALLOW : TIER_BLOCK,
		.order = entry_order(l->index, e->line) };
	uint32_t of = allows ? OF_ACT + ACT_PASS : OF_LIST;

	l->f->place = (struct rules_place){ l->conf->file, e->line };
	if (!allows && e->has_act && !own_outcome(l, e, &of)) {
		l->failed = true;
		return false;
	}
	if (!allows)
		*(e->addresses ? &set->blocks_addresses : &set->blocks_names) |= l->conf->views;
	l->failed = !put(l, e, &s, of);
	return !l->failed;
}

static void say_ignored(const struct list_conf *conf, const struct list_report *report)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "lines of a list were ignored");
	log_str(&line, "list", conf->name);
	log_str(&line, "file", conf->file);
	log_str(&line, "format", list_format_name(report->format));
	log_fmt(&line, "entries", "%u", report->entries);
	log_fmt(&line, "ignored", "%u", report->ignored);
	log_fmt(&line, "first", "%u", report->ignored_line);
	log_end(&line);
}

static bool read_list(struct filing *f, unsigned index)
{
	const struct list_conf *conf = &f->set->conf->lists[index];
	struct listing l = { f, conf, index, false };
	struct list_report report;

	f->place = (struct rules_place){ conf->file, 0 };
	if (!read_answer(f, conf, &f->set->lists[index]))
		return false;
	if (!list_read(conf->file, conf->format, take, &l, &report)) {
		if (l.failed)
			return false;
		f->place.line = report.line;
		return filing_fails(f, "%s", report.why);
	}
	if (report.ignored)
		say_ignored(conf, &report);
	return true;
}

bool compile_lists(struct filing *f)
{
	for (unsigned i = 0; i < f->set->conf->list_count; i++)
		if (!read_list(f, i))
			return false;
	return true;
}
