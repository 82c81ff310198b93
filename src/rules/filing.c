#include "rules/filing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/types.h"

#define FIRST_ROOM 16

/* ---- faults ---- */

bool filing_fails(struct filing *f, const char *format, ...)
{
	va_list arguments;

	snprintf(f->fault->file, sizeof f->fault->file, "%s", f->place.file ? f->place.file : "");
	f->fault->line = f->place.line;
	va_start(arguments, format);
	vsnprintf(f->fault->why, sizeof f->fault->why, format, arguments);
	va_end(arguments);
	return false;
}

bool filing_lacks_memory(struct filing *f)
{
	f->place = (struct rules_place){ .file = NULL };
	return filing_fails(f, "out of memory");
}

/* ---- entries ---- */

static unsigned labels_of(struct span name)
{
	unsigned labels = 0;

	for (size_t at = 0; name.at[at]; at += name.at[at] + 1u)
		labels++;
	return labels;
}

/* *taken: it is in its chain, and not one that decides in its place. */
static bool put(struct filing *f, uint32_t *first, const struct entry *e, bool *taken)
{
	enum filed filed = entries_file(&f->set->entries, first, e);

	*taken = filed == FILED;
	if (filed == FILED_NO_MEMORY)
		return filing_lacks_memory(f);
	if (filed == FILED_TOO_MANY)
		return filing_fails(f, "more than %d patterns have the same end", ENTRY_CHAIN_MAX);
	f->set->list_entries += filed == FILED &&
		(rank_tier(e->rank) == TIER_ALLOW || rank_tier(e->rank) == TIER_BLOCK);
	return true;
}

static bool put_at(struct filing *f, struct span name, struct entry e, bool *taken)
{
	uint32_t node = names_put(f->into, name.at, name.len);

	if (node == NAMES_NONE)
		return filing_lacks_memory(f);
	return put(f, names_number(f->into, node), &e, taken);
}

bool filing_put_plain(struct filing *f, enum pattern_kind kind, struct span name,
	const struct standing *standing, uint32_t of)
{
	struct standing s = *standing;
	bool taken;

	s.exact = kind == PATTERN_EXACT;
	s.fixed = labels_of(name);
	return put_at(f, name, (struct entry){ rank_of(&s), 0, (unsigned)kind & 7, of & OF_MASK },
		&taken);
}

static bool has_room(struct ruleset *set)
{
	size_t room = set->held_room ? 2 * set->held_room : FIRST_ROOM;

	if (set->held_count < set->held_room)
		return true;
	struct held *more = reallocarray(set->held, room, sizeof *more);

	if (!more)
		return false;
	set->held = more;
	set->held_room = room;
	return true;
}

/* Of a pattern with a test, which is kept beside. */
static bool put_held(struct filing *f, struct pattern *p, struct standing s, uint32_t of)
{
	struct span tail = { p->tail, p->tail_len };
	uint32_t i = (uint32_t)f->set->held_count;
	bool taken = false;

	s.fixed = labels_of(tail);
	bool ok = has_room(f->set)
		? put_at(f, tail,
			  (struct entry){ rank_of(&s), 0, (unsigned)p->kind & 7, i & OF_MASK },
			  &taken)
		: filing_lacks_memory(f);

	if (!taken) {
		pattern_clear(p);
		return ok;
	}
	f->set->held[f->set->held_count++] = (struct held){ *p, of };
	return true;
}

bool filing_put(struct filing *f, const struct pattern_conf *conf, const struct standing *standing,
	uint32_t of)
{
	struct pattern p;
	char why[PATTERN_WHY];

	if (!pattern_read(&p, conf, why))
		return filing_fails(f, "%s", why);
	if (p.kind > PATTERN_BELOW)
		return put_held(f, &p, *standing, of);
	bool ok = filing_put_plain(f, p.kind, (struct span){ p.tail, p.tail_len }, standing, of);

	pattern_clear(&p);
	return ok;
}

bool filing_put_suffixes(
	struct filing *f, const char **names, size_t count, const struct standing *s, uint32_t of)
{
	f->place = (struct rules_place){ .file = NULL };
	for (size_t i = 0; i < count; i++) {
		const struct pattern_conf p = { PATTERN_SUFFIX, names[i] };

		if (!filing_put(f, &p, s, of))
			return false;
	}
	return true;
}

bool filing_put_network(struct filing *f, const struct prefix *network,
	const struct standing *standing, uint32_t of)
{
	struct standing s = *standing;
	uint32_t *first = prefixes_put(f->set->addresses, network);
	bool taken;

	if (!first)
		return filing_lacks_memory(f);
	s.fixed = network->bits;
	return put(
		f, first, &(struct entry){ rank_of(&s), 0, PATTERN_SUFFIX, of & OF_MASK }, &taken);
}

/* ---- outcomes ---- */

bool filing_address(struct filing *f, struct rrset **sets, const char *text, uint32_t ttl_s)
{
	char why[RRSET_WHY];

	return rrset_add_address(sets, text, ttl_s, why) || filing_fails(f, "%s", why);
}

bool filing_target(struct filing *f, struct outcome *o, const char *text, uint32_t ttl_s)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_from_text(text, name);

	if (!len)
		return filing_fails(f, "`%s` is not a name", text);
	o->target = malloc(len);
	o->target_text = strdup(text);
	if (!o->target || !o->target_text ||
		!rrset_add(&o->sets, TYPE_CNAME, ttl_s, (struct span){ name, len }))
		return filing_lacks_memory(f);
	memcpy(o->target, name, len);
	o->target_len = len;
	return true;
}
