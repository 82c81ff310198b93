/* verdict: what is told where a decision is not to ask, packed. */
#include "rules/answer.h"
#include "rules/set.h"

#include <stddef.h>

/* With the one record that is made for the name. */
static void answer_made(const struct local_found *found, const struct answer_to *to,
	struct packed *packed, void *memory)
{
	union {
		struct rdata rdata;
		uint8_t room[sizeof(struct rdata) + NAME_MAX_WIRE];
	} data = { .rdata = { .next = NULL } };
	struct rrset set = { .count = 1, .ttl_s = to->ttl_s, .first = &data.rdata };

	data.rdata.len = (uint16_t)synth_find(
		found->made, found->owner, &set.type, data.room + offsetof(struct rdata, octets));
	answer_records(packed, memory, to, &set);
}

static void answer_with_records(
	const struct decision *d, const struct answer_to *to, struct packed *packed, void *memory)
{
	struct answer_dname dname = { .owner = d->local.owner,
		.set = rrset_find(d->local.sets, TYPE_DNAME) };

	if (d->local.kind == LOCAL_DNAME)
		answer_dname(packed, memory, to, &dname);
	else if (d->local.made)
		answer_made(&d->local, to, packed, memory);
	else if (d->too_long)
		answer_negative(packed, memory, to, RCODE_YXDOMAIN);
	else if (d->act == ACT_ANSWER && d->target_name.len)
		answer_alias(packed, memory, to, d->target_name);
	else
		answer_records(packed, memory, to, d->sets);
}

void ruleset_answer(const struct ruleset *set, const struct decision *d,
	const struct question *question, const struct addr *self, struct packed *packed,
	void *memory)
{
	const struct answer_to to = { .question = question,
		.self = self,
		.any = set->conf->any,
		.zone = d->zone,
		.soa = d->special ? rrset_find(d->sets, TYPE_SOA) : d->local.soa,
		.ttl_s = d->ttl_s };

	switch (d->act) {
	case ACT_ANSWER:
	case ACT_CNAME:
		answer_with_records(d, &to, packed, memory);
		break;
	case ACT_NXDOMAIN:
		answer_negative(packed, memory, &to, RCODE_NXDOMAIN);
		break;
	case ACT_REFUSE:
		answer_negative(packed, memory, &to, RCODE_REFUSED);
		break;
	case ACT_SERVFAIL:
		answer_negative(packed, memory, &to, RCODE_SERVFAIL);
		break;
	default:
		answer_negative(packed, memory, &to, RCODE_NOERROR);
		break;
	}
}
