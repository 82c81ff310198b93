/* judge: may this answer of a server be told? Not if it leads to names or addresses that are
 * blocked, or, where that is looked at, into this network.
 */
#include "rules/set.h"

#include <string.h>

#include "dns/reader.h"
#include "dns/svcb.h"
#include "rules/answer.h"

/* An answer that has more aliases is not told: each may be looked for in all rules, regular
 * expressions too, and who wants a worker to stand still would send a thousand. */
#define ALIASES_MAX 32

struct judged {
	const struct ruleset *set;
	const struct asker_facts *asker;
	struct span message;
	uint16_t type; /* that was asked for */
	uint8_t question[NAME_MAX_WIRE], name[NAME_MAX_WIRE]; /* in lower case; name: where its
								 aliases have led so far */
	size_t question_len, name_len;
	unsigned aliases; /* so far */
	bool passes, may_be_private; /* what lists have against; what is of this network */
	struct decision *d;
	struct trace *trace;
};

unsigned ruleset_objects_to(const struct ruleset *set, unsigned view)
{
	unsigned aliases = set->blocks_names >> view & 1 ? HOLDS_ALIAS : 0;
	bool addresses = set->conf->judge.rebind || set->blocks_addresses >> view & 1;

	return aliases | (addresses ? HOLDS_ADDRESS | HOLDS_SERVICE : 0);
}

/* What the configuration itself has against an answer. */
static void take_own(struct decision *d, enum ede ede, const char *text)
{
	d->decided = true;
	d->tier = TIER_BLOCK;
	d->act = ACT_NXDOMAIN;
	d->ede = ede;
	d->ede_text = text;
}

/* ---- aliases ---- */

static bool objects_to_many(struct judged *j)
{
	*j->d = (struct decision){ .ttl_s = j->set->conf->ttl_s };
	take_own(j->d, EDE_OTHER, "too many aliases");
	j->d->act = ACT_SERVFAIL;
	return true;
}

/* A rule that is about every name says nothing of where a name leads. */
static bool is_blocked(const struct decision *d)
{
	if (!d->decided || d->act == ACT_PASS)
		return false;
	if (d->tier == TIER_BLOCK)
		return true;
	return d->rule && d->rule->pattern_count &&
		(d->act == ACT_NXDOMAIN || d->act == ACT_NODATA || d->act == ACT_REFUSE ||
			d->act == ACT_DROP);
}

static bool objects_to_name(struct judged *j)
{
	if (j->passes)
		return false;
	if (++j->aliases > ALIASES_MAX)
		return objects_to_many(j);
	ruleset_decide(
		j->set, (struct span){ j->name, j->name_len }, j->type, j->asker, j->d, j->trace);
	return is_blocked(j->d);
}

static bool objects_to_alias(struct judged *j, const struct record *rec)
{
	uint8_t target[NAME_MAX_WIRE], owner[NAME_MAX_WIRE], led[NAME_MAX_WIRE];
	struct span name = { j->name, j->name_len };
	size_t len = name_copy(j->message, rec->rdata, target), owner_len;

	if (rec->type == TYPE_DNAME) {
		owner_len = name_copy(j->message, rec->owner, owner);
		len = answer_dname_target(
			name, (struct span){ owner, owner_len }, (struct span){ target, len }, led);
		memcpy(target, led, len);
	}
	if (!len)
		return false;
	memcpy(j->name, target, len);
	name_lower(j->name, len);
	j->name_len = len;
	return objects_to_name(j);
}

/* ---- addresses ---- */

static const char *address_why_not(const struct asked *q, const struct entry *e)
{
	return e->of >= OF_BLOCKED ? NULL : set_list_why_not(q, e);
}

static bool is_listed(struct judged *j, const struct addr *a)
{
	const struct prefix host = prefix_of_host(a);
	uint32_t first[PREFIXES_DEPTH];
	unsigned count = prefixes_find(j->set->addresses, &host, first);
	char text[ADDR_TEXT];
	struct decision *d = j->d;

	if (!count || j->passes)
		return false;
	*d = (struct decision){ .act = ACT_PASS, .ede = EDE_NONE, .ttl_s = j->set->conf->ttl_s };
	const struct asked q = { .set = j->set,
		.asker = j->asker,
		.name = { j->question, j->question_len },
		.type = j->type,
		.address = addr_print_host(a, text),
		.d = d,
		.trace = j->trace };
	const struct entry *e = set_lowest(&q, first, count, address_why_not);

	if (!e)
		return false;
	if (e->of >= OF_BLOCKED)
		take_own(d, e->of == OF_BLOCKED ? EDE_BLOCKED : EDE_NONE, NULL);
	else
		set_take_listed(&q, e);
	return d->act != ACT_PASS;
}

/* There are no such records, which is what unbound makes of them. */
static bool is_private(struct judged *j, const struct addr *a)
{
	struct decision *d = j->d;

	if (j->may_be_private || !acl_has(&j->set->private, a))
		return false;
	*d = (struct decision){ .ttl_s = j->set->conf->ttl_s };
	take_own(d, EDE_BLOCKED, "private address");
	d->act = ACT_NODATA;
	return true;
}

/* The address that NAT64 carries in another one (RFC 6052 §2.2), which has it behind its prefix,
 * octet 8 left out. */
static bool carried(const struct prefix *nat64, const struct addr *a, struct addr *v4)
{
	uint8_t octets[4];
	size_t at = nat64->bits / 8;

	if (!nat64->bits || !prefix_matches(nat64, a))
		return false;
	for (size_t i = 0; i < sizeof octets; i++) {
		at += at == 8;
		octets[i] = a->v6.sin6_addr.s6_addr[at++];
	}
	return addr_from_octets(v4, octets, sizeof octets);
}

static bool objects_to_address(struct judged *j, const uint8_t *octets, size_t len)
{
	const struct prefix *own = &j->set->conf->dns64.prefix;
	struct prefix known = { .bits = 96 };
	static const uint8_t well_known[16] = { 0, 0x64, 0xff, 0x9b };
	struct addr a, v4;

	if (!addr_from_octets(&a, octets, len))
		return false;
	addr_from_octets(&known.base, well_known, sizeof well_known);
	if (is_listed(j, &a) || is_private(j, &a))
		return true;
	return (carried(&known, &a, &v4) || carried(own, &a, &v4)) &&
		(is_listed(j, &v4) || is_private(j, &v4));
}

static bool objects_to_addresses(struct judged *j, struct span hints, size_t len)
{
	for (size_t at = 0; at + len <= hints.len; at += len)
		if (objects_to_address(j, hints.at + at, len))
			return true;
	return false;
}

static bool objects_to_service(struct judged *j, struct span rdata)
{
	struct svcb s;

	return svcb_parse(rdata, &s) &&
		(objects_to_addresses(j, s.ipv4hint, 4) || objects_to_addresses(j, s.ipv6hint, 16));
}

/* ---- records ---- */

static bool objects_to(struct judged *j, const struct record *rec, bool is_answer)
{
	struct span rdata = { j->message.at + rec->rdata, rec->end - rec->rdata };

	if (rec->class != CLASS_IN)
		return false;
	switch (rec->type) {
	case TYPE_CNAME:
	case TYPE_DNAME:
		return is_answer && objects_to_alias(j, rec);
	case TYPE_A:
	case TYPE_AAAA:
		return objects_to_address(j, rdata.at, rdata.len);
	case TYPE_SVCB:
	case TYPE_HTTPS:
		return objects_to_service(j, rdata);
	default:
		return false;
	}
}

static bool objects(struct judged *j)
{
	size_t at = DNS_HEADER + j->question_len + 4;
	struct record rec;

	for (int section = SECTION_ANSWER; section < SECTIONS; section++)
		for (unsigned n = get_u16(j->message.at + 4 + 2 * section); n > 0; n--) {
			message_record(j->message, &at, &rec);
			if (objects_to(j, &rec, section == SECTION_ANSWER))
				return true;
		}
	return false;
}

/* Who lets a name pass, by a rule or a list, lets pass what it leads to. */
static bool passes(const struct judged *j)
{
	struct decision d;

	ruleset_decide(
		j->set, (struct span){ j->question, j->question_len }, j->type, j->asker, &d, NULL);
	return d.decided && d.act == ACT_PASS && (d.rule || d.tier == TIER_ALLOW);
}

bool ruleset_judge(const struct ruleset *set, const struct packed *packed,
	const struct asker_facts *asker, struct decision *d, struct trace *trace)
{
	struct question question = packed_question(packed);
	struct judged j = { .set = set,
		.asker = asker,
		.message = packed->message,
		.type = question.type,
		.question_len = question.name_len,
		.name_len = question.name_len,
		.d = d,
		.trace = trace };

	memcpy(j.question, question.name, question.name_len);
	name_lower(j.question, question.name_len);
	memcpy(j.name, j.question, question.name_len);
	j.passes = passes(&j);
	j.may_be_private = !set->conf->judge.rebind || asker->inside ||
		set_is_excepted(set, (uint32_t)set->conf->rule_count,
			(struct span){ j.question, j.question_len });
	d->decided = false;
	if (!objects(&j))
		return true;
	if (!d->target_name.len) { /* what does not exist is what was asked for */
		memcpy(d->name, j.question, j.question_len);
		d->zone = (struct span){ d->name, j.question_len };
	}
	return false;
}
