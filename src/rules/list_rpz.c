#include "rules/list_form.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "dns/types.h"

/* Response policy zones (draft-vixie-dnsop-dns-rpz): the owner of a record is what triggers it,
 * below the zone's apex; a CNAME is an action, other records are an answer. Records of one owner
 * that stand together are one entry. */

/* Of one owner: they are held in memory, and each is compared with those before. */
#define RECORDS_MAX 1000

struct rpz {
	struct list_reading *r;
	uint8_t apex[NAME_MAX_WIRE];
	size_t apex_len; /* 0: no record was seen */
	/* The owner whose records are being gathered; len 0: none. */
	uint8_t owner[NAME_MAX_WIRE];
	size_t len;
	unsigned line;
	struct rrset *sets;
	unsigned records; /* in them */
	bool has_alias;
	uint8_t alias[NAME_MAX_WIRE]; /* its target */
	struct prefix addresses; /* of a trigger about them */
};

static bool name_is(const uint8_t *name, const char *text)
{
	uint8_t other[NAME_MAX_WIRE];
	size_t len = name_from_text(text, other);

	return name_len((struct span){ name, NAME_MAX_WIRE }, 0) == len &&
		name_equals(name, other, len);
}

static size_t copy_name(const ldns_rdf *rdf, uint8_t out[NAME_MAX_WIRE])
{
	size_t len = ldns_rdf_size(rdf);

	memcpy(out, ldns_rdf_data(rdf), len);
	return len;
}

/* ---- triggers ---- */

/* What ends the name of a trigger that is not the question's name; NULL: it is. */
static const char *trigger_kind(const uint8_t *name, size_t len)
{
	static const char *const kinds[] = { "rpz-ip", "rpz-client-ip", "rpz-nsdname", "rpz-nsip",
		NULL };

	for (const char *const *kind = kinds; *kind; kind++) {
		uint8_t end[NAME_MAX_WIRE];

		if (name_is_below(name, len, end, name_from_text(*kind, end)))
			return *kind;
	}
	return NULL;
}

/* Is this label a number, as octets and words of addresses have them, or zz? */
static bool is_part(const uint8_t *label)
{
	for (unsigned i = 1; i <= *label; i++)
		if (!isxdigit(label[i]) && label[i] != 'z')
			return false;
	return *label <= 4;
}

/* Labels of an address are in reverse, behind how many bits count; zz is the :: of IPv6. */
static bool read_prefix(const uint8_t *name, struct prefix *prefix)
{
	const uint8_t *labels[10];
	char text[80] = "", *to = text;
	unsigned count = 0;

	for (; *name; name += 1 + *name) {
		if (count == 10 || (name[1 + *name] && !is_part(name)))
			return false;
		labels[count++] = name;
	}
	if (count-- < 3) /* the last is rpz-ip */
		return false;
	bool v4 = count == 5;
	for (unsigned i = 1; i < count; i++)
		v4 &= memcmp(labels[i], "\2zz", 3) != 0;
	bool joined = true;

	for (unsigned i = count - 1; i > 0; i--) {
		if (memcmp(labels[i], "\2zz", 3) == 0) {
			to += snprintf(to, 3, "::");
			joined = true;
			continue;
		}
		to += snprintf(to, 6, "%s%.*s",
			joined       ? ""
				: v4 ? "."
				     : ":",
			*labels[i], (const char *)labels[i] + 1);
		joined = false;
	}
	snprintf(to, 6, "/%.*s", *labels[0], (const char *)labels[0] + 1);
	return prefix_parse(prefix, text);
}

/* ---- actions ---- */

/* An alias to *.x leads to x with the name that is asked for in front of it. */
static void read_action(const struct rpz *z, struct list_entry *entry, char target[NAME_TEXT])
{
	static const struct {
		const char *target;
		enum act act;
	} acts[] = { { ".", ACT_NXDOMAIN }, { "*", ACT_NODATA }, { "rpz-passthru", ACT_PASS },
		{ "rpz-drop", ACT_DROP }, { "rpz-tcp-only", ACT_TRUNCATE } };

	entry->has_act = true;
	if (!z->has_alias) {
		entry->act = ACT_ANSWER;
		entry->sets = z->sets;
		return;
	}
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (name_is(z->alias, acts[i].target)) {
			entry->act = acts[i].act;
			return;
		}
	}
	entry->act = ACT_CNAME;
	entry->target = name_to_text(z->alias, target);
}

static bool give(struct rpz *z, struct list_entry *entry, size_t trigger_len)
{
	const char *kind = trigger_kind(z->owner, trigger_len);

	if (kind && strcmp(kind, "rpz-ip") != 0)
		return list_ignore(z->r, "a trigger that a forwarder cannot see");
	if (kind) {
		if (!read_prefix(z->owner, &z->addresses))
			return list_fault(z->r, "not a prefix of addresses", NULL);
		entry->addresses = &z->addresses;
		return list_give(z->r, entry);
	}
	bool below = memcmp(z->owner, "\1*", 2) == 0;

	entry->kind = below ? PATTERN_BELOW : PATTERN_EXACT;
	entry->name = (struct span){ z->owner + (below ? 2 : 0), trigger_len - (below ? 2 : 0) };
	return list_give(z->r, entry);
}

/* The entry of the records that were gathered. */
static bool settle(struct rpz *z)
{
	struct list_entry entry = { 0 };
	char target[NAME_TEXT];
	unsigned line = z->r->line;
	bool ok = true;

	if (z->sets || z->has_alias) {
		uint8_t *end = z->owner + z->len - z->apex_len;

		z->r->line = z->line;
		/* An alias to itself is how passing was written once. */
		if (z->has_alias &&
			name_len((struct span){ z->alias, NAME_MAX_WIRE }, 0) ==
				z->len - z->apex_len + 1) {
			uint8_t own[NAME_MAX_WIRE];

			memcpy(own, z->owner, z->len - z->apex_len);
			own[z->len - z->apex_len] = 0;
			if (name_equals(own, z->alias, z->len - z->apex_len + 1))
				name_from_text("rpz-passthru", z->alias);
		}
		*end = 0;
		read_action(z, &entry, target);
		ok = give(z, &entry, z->len - z->apex_len + 1);
	}
	rrset_free(z->sets);
	z->sets = NULL;
	z->records = 0;
	z->has_alias = false;
	z->len = 0;
	if (ok)
		z->r->line = line;
	return ok;
}

/* ---- records ---- */

/* Of the zone itself, or of its signatures. */
static bool is_of_zone(uint16_t type)
{
	switch (type) {
	case TYPE_SOA:
	case TYPE_NS:
	case TYPE_DNAME:
	case TYPE_DS:
	case TYPE_DNSKEY:
	case TYPE_RRSIG:
	case TYPE_NSEC:
	case TYPE_NSEC3:
	case TYPE_NSEC3PARAM:
	case TYPE_ZONEMD:
		return true;
	default:
		return false;
	}
}

static bool add_data(struct rpz *z, const ldns_rr *rr)
{
	char why[RRSET_WHY];

	return rrset_add_rr(&z->sets, rr, why) || list_fault(z->r, why, NULL);
}

/* An alias may be written as octets, and be none then (RFC 3597 §5). */
static bool take_alias(struct rpz *z, const ldns_rr *rr)
{
	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		return list_fault(z->r, "its class is not IN", NULL);
	if (ldns_rr_rd_count(rr) != 1)
		return list_fault(z->r, "an alias of nothing", NULL);
	z->has_alias = true;
	copy_name(ldns_rr_rdf(rr, 0), z->alias);
	return true;
}

static bool gather(struct rpz *z, const ldns_rr *rr)
{
	bool alias = ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME;

	if ((z->sets && alias) || z->has_alias)
		return list_fault(z->r, "an alias beside other records", NULL);
	if (!alias && ++z->records > RECORDS_MAX)
		return list_fault(z->r, "more than 1000 records of one name", NULL);
	return alias ? take_alias(z, rr) : add_data(z, rr);
}

static bool is_foreign(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] >= 0x80)
			return true;
	return false;
}

static bool take_record(struct rpz *z, const ldns_rr *rr, const ldns_rdf *origin, unsigned line)
{
	uint8_t owner[NAME_MAX_WIRE];
	size_t len = copy_name(ldns_rr_owner(rr), owner);

	name_lower(owner, len);
	if (!z->apex_len) {
		z->apex_len = ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA
			? copy_name(ldns_rr_owner(rr), z->apex)
			: copy_name(origin, z->apex);
		name_lower(z->apex, z->apex_len);
	}
	if (z->len != len || !name_equals(z->owner, owner, len)) {
		if (!settle(z))
			return false;
		memcpy(z->owner, owner, len);
		z->len = len;
		z->line = line;
	}
	if (!name_is_below(owner, len, z->apex, z->apex_len))
		return list_fault(z->r, "outside of the zone", NULL);
	if (len == z->apex_len)
		return true;
	if (is_of_zone((uint16_t)ldns_rr_get_type(rr)))
		return list_ignore(z->r, "a type that says nothing of answers");
	if (is_foreign(owner, len))
		return list_ignore(z->r, "a name that is not ASCII; questions have it as xn--");
	return gather(z, rr);
}

/* One record, or a line that has none. */
static bool read_record(struct rpz *z, uint32_t *ttl, ldns_rdf **origin, ldns_rdf **prev)
{
	struct list_reading *r = z->r;
	ldns_rr *rr = NULL;
	unsigned line = r->line + 1;
	int number = (int)r->line;
	ldns_status status = ldns_rr_new_frm_fp_l(&rr, r->file, ttl, origin, prev, &number);
	bool ok = true;

	r->line = line;
	switch (status) {
	case LDNS_STATUS_OK:
		ok = take_record(z, rr, *origin, line);
		ldns_rr_free(rr);
		break;
	case LDNS_STATUS_SYNTAX_EMPTY:
	case LDNS_STATUS_SYNTAX_TTL:
	case LDNS_STATUS_SYNTAX_ORIGIN:
		break;
	default:
		return list_fault(r, ldns_get_errorstr_by_id(status), NULL);
	}
	if (ok)
		r->line = (unsigned)number;
	return ok;
}

bool list_read_rpz(struct list_reading *r)
{
	struct rpz z = { .r = r };
	uint32_t ttl = 3600;
	ldns_rdf *origin = ldns_dname_new_frm_str("."), *prev = NULL;
	bool ok = origin || list_fault(r, "out of memory", NULL);

	while (ok && !feof(r->file) && !ferror(r->file))
		ok = read_record(&z, &ttl, &origin, &prev);
	ok = ok && settle(&z);
	rrset_free(z.sets);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(prev);
	return ok;
}
