#include "rules/answer.h"

#include "base/bug.h"
#include "dns/draft.h"
#include "dns/name.h"

#include <string.h>

/* The last field of an SOA. */
#define MINIMUM_LEN 4

/* ---- records ---- */

/* What a record says; of @self, if the address that was asked is of this family. Nothing: at NULL.
 */
static struct span data_of(const struct rdata *data, uint16_t type, const struct addr *self)
{
	size_t len = type == TYPE_A ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	if (data->macro != MACRO_SELF)
		return (struct span){ data->octets, data->len };
	if (self && addr_octets(self).len == len)
		return addr_octets(self);
	return (struct span){ NULL, 0 };
}

static void put_record(struct draft *d, uint16_t type, uint32_t ttl_s, struct span data)
{
	size_t record = draft_record(d, SECTION_ANSWER, type, ttl_s);

	put_bytes(&d->w, data.at, data.len);
	draft_close(d, record);
}

static void put_set(struct draft *d, const struct rrset *set, const struct addr *self)
{
	for (const struct rdata *r = set->first; r; r = r->next) {
		struct span data = data_of(r, set->type, self);

		if (!data.at)
			continue;
		draft_pointer(d, d->question->name_len);
		put_record(d, set->type, set->ttl_s, data);
	}
}

/* RFC 8482 §4.2. */
static void put_hinfo(struct draft *d, uint32_t ttl_s)
{
	draft_pointer(d, d->question->name_len);
	put_record(d, TYPE_HINFO, ttl_s, (struct span){ (const uint8_t *)"\7RFC8482", 9 });
}

static void put_any(struct draft *d, const struct answer_to *to, const struct rrset *sets)
{
	if (to->any == ANY_HINFO)
		put_hinfo(d, to->ttl_s);
	else
		for (; sets; sets = sets->next)
			put_set(d, sets, to->self);
}

void answer_records(
	struct packed *packed, void *memory, const struct answer_to *to, const struct rrset *sets)
{
	uint16_t type = to->question->type;
	const struct rrset *set = rrset_find(sets, type);
	struct draft d;

	if (type == TYPE_ANY && to->any == ANY_REFUSE) {
		answer_negative(packed, memory, to, RCODE_REFUSED);
		return;
	}
	draft_begin(&d, memory, to->question);
	if (!set)
		set = rrset_find(sets, TYPE_CNAME);
	if (type == TYPE_ANY)
		put_any(&d, to, sets);
	else if (set)
		put_set(&d, set, to->self);
	if (d.count[SECTION_ANSWER])
		MUST(draft_end(&d, packed, RCODE_NOERROR)); /* RRSET_ROOM */
	else
		answer_negative(packed, memory, to, RCODE_NOERROR);
}

/* ---- aliases ---- */

void answer_alias(
	struct packed *packed, void *memory, const struct answer_to *to, struct span target)
{
	struct draft d;

	draft_begin(&d, memory, to->question);
	draft_pointer(&d, to->question->name_len);
	put_record(&d, TYPE_CNAME, to->ttl_s, target);
	MUST(draft_end(&d, packed, RCODE_NOERROR));
}

size_t answer_dname_target(
	struct span name, struct span owner, struct span to, uint8_t target[NAME_MAX_WIRE])
{
	if (name.len <= owner.len || !name_is_below(name.at, name.len, owner.at, owner.len))
		return 0;
	return name_replace_end(name, owner.len, to, target);
}

size_t answer_dname(
	struct packed *packed, void *memory, const struct answer_to *to, struct answer_dname *dname)
{
	const struct question *q = to->question;
	const struct rdata *data = dname->set->first;
	size_t len = answer_dname_target((struct span){ q->name, q->name_len }, dname->owner,
		(struct span){ data->octets, data->len }, dname->target);
	struct draft d;

	draft_begin(&d, memory, q);
	draft_pointer(&d, dname->owner.len);
	put_record(&d, TYPE_DNAME, dname->set->ttl_s, (struct span){ data->octets, data->len });
	if (len) {
		draft_pointer(&d, q->name_len);
		put_record(&d, TYPE_CNAME, dname->set->ttl_s, (struct span){ dname->target, len });
	}
	MUST(draft_end(&d, packed, len ? RCODE_NOERROR : RCODE_YXDOMAIN));
	return len;
}

/* ---- nothing ---- */

/* That of a zone, with the TTL for which one may remember that something is not there (RFC 2308
 * §3). */
static void put_soa(struct draft *d, const struct rrset *soa, size_t zone_len)
{
	const struct rdata *data = soa->first;
	uint32_t minimum = get_u32(data->octets + data->len - MINIMUM_LEN);
	size_t record;

	draft_pointer(d, zone_len);
	record = draft_record(
		d, SECTION_AUTHORITY, TYPE_SOA, minimum < soa->ttl_s ? minimum : soa->ttl_s);
	put_bytes(&d->w, data->octets, data->len);
	draft_close(d, record);
}

void answer_negative(
	struct packed *packed, void *memory, const struct answer_to *to, enum rcode rcode)
{
	const struct question *q = to->question;
	size_t zone_len = to->zone.len ? to->zone.len : q->name_len;
	struct draft d;

	MUST(zone_len <= q->name_len);
	draft_begin(&d, memory, q);
	if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN) {
		if (to->soa)
			put_soa(&d, to->soa, zone_len);
		else
			draft_soa(&d, SECTION_AUTHORITY, zone_len, to->ttl_s);
	}
	MUST(draft_end(&d, packed, rcode));
}
