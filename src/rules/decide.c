/* decide: what is done with a question. Entries on the way to its name are looked at in the order
 * of their ranks, and the first that holds decides.
 */
#include "rules/set.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/unset.h"
#include "dns/types.h"

/* ---- conditions of rules ---- */

static bool has_type(const struct rule_conf *rule, uint16_t type)
{
	for (size_t i = 0; i < rule->type_count; i++)
		if (rule->types[i] == type)
			return true;
	return !rule->type_count;
}

static bool has_listener(const struct rule_conf *rule, const char *listener)
{
	for (size_t i = 0; listener && i < rule->listener_count; i++)
		if (strcmp(rule->listeners[i], listener) == 0)
			return true;
	return !rule->listener_count;
}

/* `*.SUFFIX` is any name below it. */
static bool is_identity(const char *want, const char *have)
{
	size_t want_len = strlen(want), have_len = strlen(have);

	if (want[0] != '*' || want[1] != '.')
		return strcasecmp(want, have) == 0;
	return have_len >= want_len && strcasecmp(have + have_len - (want_len - 1), want + 1) == 0;
}

static bool has_identity(const struct rule_conf *rule, const char *identity)
{
	for (size_t i = 0; identity && i < rule->identity_count; i++)
		if (is_identity(rule->identities[i], identity))
			return true;
	return !rule->identity_count;
}

static bool matches(
	const struct ruleset *set, const struct entry *e, struct span name, size_t tail_len)
{
	if (e->kind > PATTERN_BELOW)
		return pattern_matches(&set->held[e->of].pattern, name.at, name.len);
	return pattern_plain_matches((enum pattern_kind)e->kind, tail_len, name.len);
}

bool set_is_excepted(const struct ruleset *set, uint32_t of, struct span name)
{
	uint32_t nodes[NAMES_DEPTH];
	unsigned depth = names_walk(set->except, name.at, name.len, nodes);

	for (unsigned i = 0; i < depth; i++) {
		size_t tail_len = names_name(set->except, nodes[i]).len;

		for (uint32_t n = names_number_of(set->except, nodes[i]); n;) {
			const struct entry *e = &set->entries.at[n];

			if (set_of(set, e) == of && matches(set, e, name, tail_len))
				return true;
			n = e->next;
		}
	}
	return false;
}

static const char *rule_why_not(const struct asked *q, uint32_t i)
{
	const struct rule *rule = &q->set->rules[i];
	const struct rule_conf *conf = rule->conf;
	const struct asker_facts *asker = q->asker;

	if (conf->view && conf->view != asker->view)
		return "it is of another view";
	if (!has_type(conf, q->type))
		return "it is about other types";
	if (conf->clients.count && !acl_has_all(&conf->clients, &asker->who->client))
		return "it is for other clients";
	if (!has_identity(conf, asker->identity))
		return "it is for clients of other identities";
	if (!has_listener(conf, asker->listener))
		return "it is for other listeners";
	if (rule->has_except && set_is_excepted(q->set, i, q->name))
		return "the name is excepted";
	if (conf->act == ACT_TRUNCATE && asker->stream)
		return "there is nothing to truncate over streams";
	if ((conf->lab.first || conf->lab.chance) && asker->lab &&
		!asker->lab(asker, conf, q->name))
		return "it does not hold this time";
	return NULL;
}

/* ---- conditions of others ---- */

static const char *local_why_not(const struct asked *q, unsigned view)
{
	if (view && view != q->asker->view)
		return "it is of another view";
	local_find(q->set->local[view], q->name, q->type, &q->d->local);
	return q->d->local.kind == LOCAL_FOREIGN ? "others are asked for this name" : NULL;
}

static const struct outcome *listed_outcome(const struct ruleset *set, const struct entry *e)
{
	uint32_t of = set_of(set, e);

	return of < OF_OWN ? &set->lists[entry_list(e->rank)] : &set->own[of - OF_OWN];
}

/* What an entry of a list says, which may be less than a whole outcome. */
static enum act listed_act(const struct ruleset *set, const struct entry *e)
{
	uint32_t of = set_of(set, e);

	return of >= OF_ACT && of < OF_OWN ? (enum act)(of - OF_ACT) : listed_outcome(set, e)->act;
}

const char *set_list_why_not(const struct asked *q, const struct entry *e)
{
	const struct list_conf *list = &q->set->conf->lists[entry_list(e->rank)];

	if (!(list->views >> q->asker->view & 1))
		return "the list is not for this view";
	if (q->asker->stream && listed_act(q->set, e) == ACT_TRUNCATE)
		return "there is nothing to truncate over streams";
	return NULL;
}

/* Delegation of home.arpa is what those outside know (RFC 8375 §4). */
static const char *special_why_not(const struct asked *q, uint32_t of, size_t tail_len)
{
	bool asks = of != OF_ASKED && special_names[of].kind == SPECIAL_HOME &&
		q->type == TYPE_DS && q->name.len == tail_len;

	return asks ? "DS is asked of those outside" : NULL;
}

/* The octets of the name that the entry's pattern fixes. */
static size_t tail_len_of(const struct asked *q, const struct entry *e)
{
	return names_name(q->set->names, q->nodes[rank_fixed(e->rank)]).len;
}

static const char *name_why_not(const struct asked *q, const struct entry *e)
{
	size_t tail_len = tail_len_of(q, e);

	if (!matches(q->set, e, q->name, tail_len))
		return "the pattern does not hold";
	switch (rank_tier(e->rank)) {
	case TIER_VIEW:
	case TIER_RULE:
		return rule_why_not(q, set_of(q->set, e));
	case TIER_LOCAL:
		return local_why_not(q, e->of);
	case TIER_ALLOW:
	case TIER_BLOCK:
		return set_list_why_not(q, e);
	case TIER_SPECIAL:
		return special_why_not(q, e->of, tail_len);
	case TIER_ROUTED:
		break;
	}
	return NULL;
}

/* ---- the one that decides ---- */

static struct rules_place place_of(const struct ruleset *set, const struct entry *e)
{
	enum tier tier = rank_tier(e->rank);

	if (tier == TIER_VIEW || tier == TIER_RULE)
		return set->rules[set_of(set, e)].conf->place;
	if ((tier == TIER_ALLOW || tier == TIER_BLOCK) && set_of(set, e) < OF_BLOCKED)
		return (struct rules_place){ set->conf->lists[entry_list(e->rank)].file,
			entry_line(e->rank) };
	return (struct rules_place){ .file = NULL };
}

/* What local data has is found for each question anew. */
static struct rules_place local_place(const struct asked *q, const struct entry *e)
{
	struct local_found found;

	local_find(q->set->local[e->of], q->name, q->type, &found);
	return found.place;
}

static void tell(const struct asked *q, const struct entry *e, const char *why_not)
{
	struct rules_place place =
		rank_tier(e->rank) == TIER_LOCAL ? local_place(q, e) : place_of(q->set, e);
	char name[NAME_TEXT], text[NAME_TEXT + 16];
	const char *kind = pattern_kind_name((enum pattern_kind)e->kind);

	if (q->address)
		snprintf(text, sizeof text, "%s", q->address);
	else if (e->kind > PATTERN_BELOW)
		snprintf(text, sizeof text, "%s:%s", kind, q->set->held[e->of].pattern.text);
	else
		snprintf(text, sizeof text, "%s:%s", kind,
			name_to_text(q->name.at + q->name.len - tail_len_of(q, e), name));
	q->trace->tried(q->trace, rank_tier(e->rank), &place, text, why_not);
}

const struct entry *set_lowest(const struct asked *q, uint32_t *first, unsigned count,
	const char *(*why_not)(const struct asked *, const struct entry *))
{
	const struct entries *all = &q->set->entries;
	const struct entry *decides = NULL;
	unsigned i;

	while ((i = entries_lowest(all, first, count)) < count && (!decides || q->trace)) {
		const struct entry *e = &all->at[first[i]];
		const char *why = decides ? "another one goes before it" : why_not(q, e);

		first[i] = e->next;
		if (q->trace)
			tell(q, e, why);
		if (!why)
			decides = e;
	}
	return decides;
}

/* ---- what it says ---- */

/* Its name leads to another one, which takes the place of so many octets at its end. */
static void take_target(const struct asked *q, enum act act, size_t end_len, struct span target)
{
	struct decision *d = q->d;
	size_t len = name_replace_end(q->name, end_len, target, d->name);

	d->act = len ? act : ACT_ANSWER;
	d->too_long = !len;
	d->target_name = (struct span){ d->name, len };
}

static void take_outcome(const struct asked *q, const struct outcome *o, size_t end_len)
{
	struct decision *d = q->d;
	bool is_alias = o->act == ACT_CNAME;
	/* The alias itself is what is asked for. */
	bool is_asked = is_alias && (q->type == TYPE_CNAME || q->type == TYPE_ANY);

	d->act = is_asked ? ACT_ANSWER : o->act;
	d->sets = o->sets;
	d->target = o->target_text;
	if (o->prepends)
		end_len = 1; /* the root */
	if (o->prepends || (!is_asked && (is_alias || o->act == ACT_REWRITE)))
		take_target(q, d->act, end_len, (struct span){ o->target, o->target_len });
}

static void take_rule(const struct asked *q, const struct entry *e)
{
	const struct rule *rule = &q->set->rules[set_of(q->set, e)];
	bool keeps_labels = rule->conf->act == ACT_REWRITE &&
		(e->kind == PATTERN_SUFFIX || e->kind == PATTERN_BELOW);
	struct decision *d = q->d;

	d->rule = rule->conf;
	d->ttl_s = rule->conf->ttl_s;
	d->ede = rule->conf->ede;
	d->ede_text = rule->conf->ede_text;
	d->lab = rule->conf->lab;
	take_outcome(q, &rule->outcome, keeps_labels ? tail_len_of(q, e) : q->name.len);
}

/* The first record of a type is a name. */
static struct span target_of(const struct rrset *sets, uint16_t type)
{
	const struct rrset *set = rrset_find(sets, type);

	return (struct span){ set->first->octets, set->first->len };
}

static void take_local(const struct asked *q)
{
	static const enum act acts[] = { [LOCAL_RECORDS] = ACT_ANSWER,
		[LOCAL_NODATA] = ACT_NODATA,
		[LOCAL_NXDOMAIN] = ACT_NXDOMAIN };
	struct decision *d = q->d;
	const struct local_found *found = &d->local;

	d->sets = found->sets;
	d->place = found->place;
	if (found->zone.len)
		d->zone = found->zone;
	if (found->kind == LOCAL_ALIAS)
		take_target(q, ACT_CNAME, q->name.len, target_of(found->sets, TYPE_CNAME));
	else if (found->kind == LOCAL_DNAME)
		take_target(q, ACT_CNAME, found->owner.len, target_of(found->sets, TYPE_DNAME));
	else
		d->act = acts[found->kind];
}

void set_take_listed(const struct asked *q, const struct entry *e)
{
	const struct outcome just = { .act = listed_act(q->set, e) };
	uint32_t of = set_of(q->set, e);
	struct decision *d = q->d;

	d->decided = true;
	d->tier = rank_tier(e->rank);
	d->place = place_of(q->set, e);
	d->list = &q->set->conf->lists[entry_list(e->rank)];
	d->ttl_s = d->list->ttl_s;
	if (d->tier == TIER_BLOCK)
		d->ede = d->list->ede;
	take_outcome(
		q, of >= OF_ACT && of < OF_OWN ? &just : listed_outcome(q->set, e), q->name.len);
}

/* Below the top of an empty zone there is nothing; at it, SOA and NS. */
static void take_special(const struct asked *q, const struct entry *e)
{
	struct decision *d = q->d;

	if (e->of == OF_ASKED)
		return;
	d->special = &special_names[e->of];
	d->sets = q->set->special[e->of];
	switch (d->special->kind) {
	case SPECIAL_LOOPBACK:
		d->act = ACT_ANSWER;
		break;
	case SPECIAL_ZONE:
	case SPECIAL_HOME:
		d->act = q->name.len == d->zone.len ? ACT_ANSWER : ACT_NXDOMAIN;
		break;
	case SPECIAL_NXDOMAIN:
	case SPECIAL_CANARY:
		d->act = ACT_NXDOMAIN;
		break;
	}
}

static void take(const struct asked *q, const struct entry *e)
{
	struct decision *d = q->d;

	d->decided = true;
	d->tier = rank_tier(e->rank);
	d->place = place_of(q->set, e);
	d->zone = names_name(q->set->names, q->nodes[rank_fixed(e->rank)]);
	d->ttl_s = q->set->conf->ttl_s;
	switch (d->tier) {
	case TIER_VIEW:
	case TIER_RULE:
		take_rule(q, e);
		break;
	case TIER_LOCAL:
		take_local(q);
		break;
	case TIER_ALLOW:
	case TIER_BLOCK:
		set_take_listed(q, e);
		break;
	case TIER_SPECIAL:
		take_special(q, e);
		break;
	case TIER_ROUTED:
		break;
	}
}

void ruleset_decide(const struct ruleset *set, struct span name, uint16_t type,
	const struct asker_facts *asker, struct decision *d, struct trace *trace)
{
	UNSET uint32_t nodes[NAMES_DEPTH], first[NAMES_DEPTH];
	uint32_t any = 0;
	unsigned depth = names_walk(set->names, name.at, name.len, nodes);

	for (unsigned i = 0; i < depth; i++)
		any |= first[i] = names_number_of(set->names, nodes[i]);
	d->decided = false;
	d->act = ACT_PASS;
	if (!any)
		return;
	*d = (struct decision){ .act = ACT_PASS, .ede = EDE_NONE };
	const struct asked q = { set, asker, name, type, nodes, NULL, d, trace };
	const struct entry *e = set_lowest(&q, first, depth, name_why_not);

	if (e)
		take(&q, e);
}
