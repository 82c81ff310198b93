/* Zones, from files that ldns reads (RFC 1035 §5). */
#include "rules/local.h"

#include "base/replace.h"
#include "dns/types.h"
#include "rules/local_store.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

struct reading {
	struct zone *zone;
	const char *file;
	struct local_fault *fault;
	int line, first; /* that is being read, of which a record may have several */
	uint32_t ttl_s;
	ldns_rdf *origin, *previous;
};

#define REFUSE(r, ...) local_refuse((r)->fault, (r)->file, (unsigned)(r)->line, __VA_ARGS__)

static bool take(const struct reading *r, const ldns_rr *rr)
{
	const struct zone *z = r->zone;
	const ldns_rdf *owner = ldns_rr_owner(rr);
	uint8_t name[NAME_MAX_WIRE];
	size_t len = ldns_rdf_size(owner);
	char why[RRSET_WHY];
	struct owner *to;

	if (len > sizeof name)
		return REFUSE(r, "not a name");
	memcpy(name, ldns_rdf_data(owner), len);
	name_lower(name, len);
	if (!name_is_below(name, len, z->apex, z->apex_len))
		return REFUSE(r, "a name outside of the zone");
	if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA && len != z->apex_len)
		return REFUSE(r, "SOA below the zone's own name");
	to = owners_put(&r->zone->owners, (struct span){ name, len });
	if (!to)
		return REFUSE(r, "no memory");
	if (!to->sets)
		to->line = (unsigned)r->first;
	if (!rrset_add_rr(&to->sets, rr, why))
		return REFUSE(r, "%s", why);
	const char *clash = rrset_clash(to->sets);

	return !clash || REFUSE(r, "%s", clash);
}

/* ldns takes 0 for no TTL at all, and has one of its own then: so it is told this. A record that
 * says it has 0 as well (RFC 2181 §8). */
#define TTL_ZERO UINT32_MAX

/* The next record, or whatever else has a line of its own. */
static bool read_entry(struct reading *r, FILE *f)
{
	ldns_rr *rr = NULL;
	uint32_t ttl_s = r->ttl_s ? r->ttl_s : TTL_ZERO;

	r->first = r->line + 1;
	ldns_status status =
		ldns_rr_new_frm_fp_l(&rr, f, &ttl_s, &r->origin, &r->previous, &r->line);
	bool ok;

	switch (status) {
	case LDNS_STATUS_OK:
		if (ldns_rr_ttl(rr) == TTL_ZERO)
			ldns_rr_set_ttl(rr, 0);
		ok = take(r, rr);
		ldns_rr_free(rr);
		return ok;
	case LDNS_STATUS_SYNTAX_TTL: /* $TTL */
		r->ttl_s = ttl_s;
		return true;
	case LDNS_STATUS_SYNTAX_EMPTY:
	case LDNS_STATUS_SYNTAX_ORIGIN: /* $ORIGIN, which is kept */
		return true;
	case LDNS_STATUS_SYNTAX_INCLUDE:
		return REFUSE(r, "$INCLUDE: a zone is one file here");
	default:
		return REFUSE(r, "%s", ldns_get_errorstr_by_id(status));
	}
}

/* The zone as a whole. */
static bool is_whole(struct reading *r)
{
	const struct zone *z = r->zone;
	const struct owner *apex =
		owners_put(&r->zone->owners, (struct span){ z->apex, z->apex_len });
	const struct rrset *soa = apex ? rrset_find(apex->sets, TYPE_SOA) : NULL;

	r->line = 0;
	if (!soa)
		return REFUSE(r, "the zone has no SOA");
	if (soa->count > 1)
		return REFUSE(r, "the zone has more than one SOA");
	return true;
}

bool local_read_zone(
	struct local *l, const char *origin, const char *file, struct local_fault *fault)
{
	struct reading r = { .file = file, .fault = fault, .ttl_s = l->ttl_s };
	FILE *f = replace_read(file);
	bool ok = false;

	if (!f)
		return REFUSE(&r, "%s", replace_why_not(errno));
	r.zone = local_add_zone(l, origin, file, fault);
	if (!r.zone)
		goto out;
	r.origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, r.zone->apex_len, r.zone->apex);
	ok = r.origin || REFUSE(&r, "no memory");
	while (ok && !feof(f) && !ferror(f))
		ok = read_entry(&r, f);
	if (ok && ferror(f))
		ok = REFUSE(&r, "cannot be read");
	ok = ok && is_whole(&r);
	ldns_rdf_deep_free(r.origin);
	ldns_rdf_deep_free(r.previous);
out:
	fclose(f);
	return ok;
}
