#include "rules/local.h"

#include "dns/types.h"
#include "rules/local_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the store ---- */

struct local *local_new(uint32_t ttl_s)
{
	struct local *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->ttl_s = ttl_s;
	l->apexes = names_new();
	if (!owners_init(&l->hosts) || !l->apexes) {
		local_free(l);
		return NULL;
	}
	return l;
}

static void zone_free(struct zone *z)
{
	if (!z)
		return;
	owners_clear(&z->owners);
	free(z);
}

void local_free(struct local *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->zone_count; i++)
		zone_free(l->zones[i]);
	free(l->zones);
	names_free(l->apexes);
	for (size_t i = 0; i < l->synth_count; i++)
		synth_free(l->synths[i]);
	free(l->synths);
	owners_clear(&l->hosts);
	for (size_t i = 0; i < l->source_count; i++)
		free(l->sources[i].file);
	free(l->sources);
	free(l->addresses);
	free(l);
}

bool local_refuse(
	struct local_fault *fault, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	*fault = (struct local_fault){ .line = line };
	snprintf(fault->file, sizeof fault->file, "%s", file ? file : "");
	va_start(args, format);
	vsnprintf(fault->why, sizeof fault->why, format, args);
	va_end(args);
	return false;
}

static unsigned labels_of(struct span name)
{
	unsigned count = 0;

	for (size_t at = 0; name.at[at]; at += 1u + name.at[at])
		count++;
	return count;
}

static struct zone *zone_new(const char *origin)
{
	struct zone *z = calloc(1, sizeof *z);

	if (!z)
		return NULL;
	z->apex_len = name_from_text(origin, z->apex);
	name_lower(z->apex, z->apex_len);
	if (z->apex_len)
		z->depth = labels_of((struct span){ z->apex, z->apex_len });
	if (!owners_init(&z->owners)) {
		zone_free(z);
		return NULL;
	}
	return z;
}

/* Takes the zone; the number of its node, to be set when there is room for it. */
static bool keep_zone(struct local *l, struct zone *z, uint32_t *number)
{
	struct zone **zones = realloc(l->zones, (l->zone_count + 1) * sizeof *zones);

	if (!zones)
		return false;
	l->zones = zones;
	zones[l->zone_count++] = z;
	*number = l->zone_count;
	return true;
}

struct zone *local_add_zone(
	struct local *l, const char *origin, const char *file, struct local_fault *fault)
{
	struct zone *z = zone_new(origin);
	uint32_t node = NAMES_NONE;

	if (z)
		z->file = file;
	if (z && !z->apex_len) {
		local_refuse(fault, file, 0, "%.80s: the zone is not a name", origin);
		goto fail;
	}
	if (z)
		node = names_put(l->apexes, z->apex, z->apex_len);
	if (node != NAMES_NONE && names_number_of(l->apexes, node)) {
		local_refuse(fault, file, 0, "%.80s: another file is of the same zone", origin);
		goto fail;
	}
	if (node != NAMES_NONE && keep_zone(l, z, names_number(l->apexes, node)))
		return z;
	local_refuse(fault, file, 0, "no memory");
fail:
	zone_free(z);
	return NULL;
}

bool local_add_synthesized(
	struct local *l, const struct synth_conf *conf, struct local_fault *fault)
{
	struct synth **more = reallocarray(l->synths, l->synth_count + 1, sizeof *more);
	char why[RRSET_WHY] = "no memory";

	if (more) {
		l->synths = more;
		more[l->synth_count] = synth_new(conf->form, &conf->nets, why);
	}
	if (!more || !more[l->synth_count])
		return local_refuse(fault, conf->place.file, conf->place.line, "%s", why);
	l->synth_count++;
	return true;
}

void local_seal(struct local *l)
{
	owners_seal(&l->hosts);
	names_seal(l->apexes);
	for (uint32_t i = 0; i < l->zone_count; i++)
		owners_seal(&l->zones[i]->owners);
	free(l->addresses);
	l->addresses = NULL;
	l->address_count = l->address_room = 0;
}

bool local_each(
	const struct local *l, bool (*visit)(void *arg, struct span name, bool zone), void *arg)
{
	for (uint32_t i = 0; i < l->hosts.count; i++)
		if (!visit(arg, names_name(l->hosts.names, l->hosts.owners[i].node), false))
			return false;
	for (uint32_t i = 0; i < l->zone_count; i++) {
		const struct zone *z = l->zones[i];

		if (!visit(arg, (struct span){ z->apex, z->apex_len }, true))
			return false;
	}
	for (size_t i = 0; i < l->synth_count; i++)
		if (!synth_each_domain(l->synths[i], visit, arg))
			return false;
	return true;
}

/* ---- finding ---- */

/* A name on its way. */
struct search {
	struct span name;
	unsigned depth; /* labels of it */
	uint16_t type;
	uint32_t nodes[NAMES_DEPTH];
	unsigned reached; /* labels of the deepest node */
};

static void walk(struct search *s, const struct names *names)
{
	s->reached = names_walk(names, s->name.at, s->name.len, s->nodes) - 1;
}

/* What a name has of a type. */
static enum local_kind kind_of(const struct rrset *sets, uint16_t type)
{
	if (!sets)
		return LOCAL_NODATA;
	if (type == TYPE_ANY || rrset_find(sets, type))
		return LOCAL_RECORDS;
	return rrset_find(sets, TYPE_CNAME) ? LOCAL_ALIAS : LOCAL_NODATA;
}

struct rules_place local_host_place(const struct local *l, const struct owner *owner)
{
	uint32_t index = (uint32_t)(owner - l->hosts.owners);
	size_t i = l->source_count;

	while (i > 0 && l->sources[i - 1].first > index)
		i--;
	return (struct rules_place){ i > 0 ? l->sources[i - 1].file : NULL, owner->line };
}

static bool find_host(const struct local *l, struct search *s, struct local_found *found)
{
	walk(s, l->hosts.names);
	if (s->reached < s->depth)
		return false;
	const struct owner *owner = owners_find(&l->hosts, s->nodes[s->depth]);

	if (!owner || !owner->sets)
		return false;
	found->sets = owner->sets;
	found->owner = s->name;
	found->place = local_host_place(l, owner);
	found->kind = kind_of(found->sets, s->type);
	return true;
}

/* The innermost zone; but what its parent says of a zone's apex, DS, is the parent's if that is
 * here as well (RFC 4035 §3.1.4.1). */
static const struct zone *find_zone(const struct local *l, struct search *s)
{
	const struct zone *apex = NULL;

	walk(s, l->apexes);
	for (unsigned i = s->reached + 1; i-- > 0;) {
		uint32_t number = names_number_of(l->apexes, s->nodes[i]);

		if (!number)
			continue;
		if (s->type != TYPE_DS || i < s->depth)
			return l->zones[number - 1];
		apex = l->zones[number - 1];
	}
	return apex;
}

static bool is_apex(const struct local *l, struct search *s)
{
	walk(s, l->apexes);
	return s->reached == s->depth && names_number_of(l->apexes, s->nodes[s->depth]);
}

/* Is a node that is not the apex where the zone ends? What the parent has of that is DS alone. */
static bool is_cut(const struct search *s, const struct rrset *sets, unsigned depth)
{
	return rrset_find(sets, TYPE_NS) && !(s->type == TYPE_DS && depth == s->depth);
}

/* Empty non-terminals have none. */
static void take_line(const struct zone *z, uint32_t node, struct local_found *found)
{
	const struct owner *owner = owners_find(&z->owners, node);

	found->place.line = owner ? owner->line : 0;
}

/* Does something above the name decide: a delegation, or DNAME? */
static bool find_above(const struct zone *z, struct search *s, struct local_found *found)
{
	for (unsigned i = z->depth; i <= s->reached; i++) {
		const struct rrset *sets = owners_sets(&z->owners, s->nodes[i]);

		if (i > z->depth && is_cut(s, sets, i)) {
			found->kind = LOCAL_FOREIGN;
			return true;
		}
		if (i < s->depth && rrset_find(sets, TYPE_DNAME)) {
			found->kind = LOCAL_DNAME;
			found->sets = sets;
			found->owner = names_name(z->owners.names, s->nodes[i]);
			take_line(z, s->nodes[i], found);
			return true;
		}
	}
	return false;
}

/* The node of `*` in front of the last so many labels of the name (RFC 4592 §2.1.1); NAMES_NONE:
 * there is none. */
static uint32_t find_wildcard(const struct zone *z, const struct search *s, unsigned labels)
{
	uint8_t name[NAME_MAX_WIRE] = "\1*";
	uint32_t nodes[NAMES_DEPTH];
	size_t at = 0;

	for (unsigned i = s->depth; i > labels; i--)
		at += 1u + s->name.at[at];
	/* There is room: the name has at least a label of an octet in front of that. */
	memcpy(name + 2, s->name.at + at, s->name.len - at);
	if (names_walk(z->owners.names, name, 2 + s->name.len - at, nodes) != labels + 2)
		return NAMES_NONE;
	return nodes[labels + 1];
}

static void find_in_zone(const struct zone *z, struct search *s, struct local_found *found)
{
	uint32_t node;

	walk(s, z->owners.names);
	found->zone = (struct span){ z->apex, z->apex_len };
	found->place = (struct rules_place){ z->file, 0 };
	found->soa = rrset_find(owners_sets(&z->owners, s->nodes[z->depth]), TYPE_SOA);
	if (find_above(z, s, found))
		return;
	node = s->reached == s->depth ? s->nodes[s->depth] : find_wildcard(z, s, s->reached);
	if (node == NAMES_NONE) {
		found->kind = LOCAL_NXDOMAIN;
		return;
	}
	found->sets = owners_sets(&z->owners, node);
	found->owner = names_name(z->owners.names, node);
	take_line(z, node, found);
	found->kind = s->reached < s->depth && is_cut(s, found->sets, s->depth)
		? LOCAL_FOREIGN
		: kind_of(found->sets, s->type);
}

/* The first that makes this name. */
static void find_made(const struct local *l, const struct search *s, struct local_found *found)
{
	uint8_t data[NAME_MAX_WIRE];
	uint16_t type;

	for (size_t i = 0; i < l->synth_count; i++) {
		if (!synth_find(l->synths[i], s->name, &type, data))
			continue;
		*found = (struct local_found){ .kind = s->type == type || s->type == TYPE_ANY
				? LOCAL_RECORDS
				: LOCAL_NODATA,
			.made = l->synths[i],
			.owner = s->name,
			.zone = s->name };
		return;
	}
}

void local_find(const struct local *l, struct span name, uint16_t type, struct local_found *found)
{
	struct search s = { .name = name, .depth = labels_of(name), .type = type };
	const struct zone *z;

	*found = (struct local_found){ .kind = LOCAL_FOREIGN };
	if (find_host(l, &s, found))
		return;
	z = find_zone(l, &s);
	if (z)
		find_in_zone(z, &s, found);
	if (found->kind == LOCAL_NXDOMAIN && is_apex(l, &s))
		found->kind = LOCAL_NODATA; /* its parent does not know of it, but it is there */
	if (found->kind == LOCAL_FOREIGN || found->kind == LOCAL_NXDOMAIN)
		find_made(l, &s, found);
}
