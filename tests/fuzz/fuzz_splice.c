/* An answer put together of aliases and what a server sends is well-formed, and has the records
 * that it had, in all sections and in their order, under their names or that which is told. */
#include <string.h>

#include "dns/rdata.h"
#include "dns/splice.h"
#include "fuzz.h"

static const struct pack_limits limits = { 0, 86400, 3600 };
static const struct dns64_prefix well_known = { { 0, 0x64, 0xff, 0x9b }, 96 };
static uint8_t scratch[DNS_MESSAGE_MAX];
static _Alignas(uint16_t) uint8_t memory[PACKED_MAX], spliced_memory[PACKED_MAX];

/* How many aliases there are, and what else: all of it is tried. */
enum { ALIASES = 3, REWRITES = 4, TRANSLATES = 8, OPTIONS = 16 };

static unsigned records_of(struct span m, int section)
{
	return get_u16(m.at + 4 + 2 * section);
}

static size_t name_at(struct span m, size_t at, uint8_t name[NAME_MAX_WIRE])
{
	size_t len = name_copy(m, at, name);

	name_lower(name, len);
	return len;
}

static void same_name(struct span a, size_t a_at, struct span b, size_t b_at)
{
	uint8_t x[NAME_MAX_WIRE], y[NAME_MAX_WIRE];
	size_t len = name_at(a, a_at, x);

	HOLDS(name_at(b, b_at, y) == len && memcmp(x, y, len) == 0);
}

static void same_rdata(struct span a, const struct record *x, struct span b, const struct record *y)
{
	struct rdata_names from, to;

	HOLDS(rdata_names(a, x, &from) && rdata_names(b, y, &to) && from.count == to.count);
	HOLDS(from.at - x->rdata == to.at - y->rdata);
	HOLDS(memcmp(a.at + x->rdata, b.at + y->rdata, from.at - x->rdata) == 0);
	for (; from.count > 0; from.count--) {
		same_name(a, from.at, b, to.at);
		from.at = name_end(a, from.at);
		to.at = name_end(b, to.at);
	}
	HOLDS(x->end - from.at == y->end - to.at);
	HOLDS(memcmp(a.at + from.at, b.at + to.at, x->end - from.at) == 0);
}

static void same_record(
	const struct splice *s, struct span told, struct span b, size_t *at, const struct record *x)
{
	struct span a = s->answer->message;
	uint8_t name[NAME_MAX_WIRE], owner[NAME_MAX_WIRE];
	size_t len = name_at(a, x->owner, name);
	struct record y;

	message_record(b, at, &y);
	HOLDS(x->type == y.type && x->class == y.class && y.ttl <= x->ttl);
	if (len == s->asked.len && name_equals(name, s->asked.at, len))
		HOLDS(name_copy(b, y.owner, owner) == told.len &&
			name_equals(owner, told.at, told.len));
	else
		same_name(a, x->owner, b, y.owner);
	same_rdata(a, x, b, &y);
}

/* An SOA that proves that there is nothing stands at the name that is told, unless it is above that
 * already. */
static void same_proof(
	const struct splice *s, struct span told, struct span b, size_t *at, const struct record *x)
{
	struct span a = s->answer->message;
	struct splice moved = *s;
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_at(a, x->owner, name);
	bool elsewhere = told.len != s->asked.len || !name_equals(told.at, s->asked.at, told.len);

	if (elsewhere && x->type == TYPE_SOA && !records_of(a, SECTION_ANSWER) &&
		!name_is_below(told.at, told.len, name, len))
		moved.asked = (struct span){ name, len };
	same_record(&moved, told, b, at, x);
}

static void check(const struct splice *s, const struct packed *spliced, struct span told)
{
	struct span a = s->answer->message, b = spliced->message;
	struct record rec;
	struct reply r;

	HOLDS(reply_parse(b, &r) && reply_answers(&r, s->question));
	HOLDS(spliced->rcode == s->answer->rcode && !(get_u16(b.at + 2) & DNS_AD));
	HOLDS(spliced->errors.len == s->answer->errors.len);
	if (s->dns64)
		return;
	size_t at = DNS_HEADER + name_len(a, DNS_HEADER) + 4, told_at = r.question_end;

	for (size_t i = 0; i < s->alias_count; i++) {
		message_record(b, &told_at, &rec);
		HOLDS(rec.type == TYPE_CNAME);
	}
	for (int section = SECTION_ANSWER; section < SECTIONS; section++) {
		unsigned n = records_of(a, section);

		HOLDS(records_of(b, section) ==
			n + (section == SECTION_ANSWER ? s->alias_count : 0));
		for (; n > 0; n--) {
			message_record(a, &at, &rec);
			if (section == SECTION_AUTHORITY)
				same_proof(s, told, b, &told_at, &rec);
			else
				same_record(s, told, b, &told_at, &rec);
		}
	}
	HOLDS(told_at == b.len);
}

static void put_together(const struct packed *packed, unsigned options)
{
	static const uint8_t other[] = "\4told\4test";
	const struct question q = packed_question(packed),
			      mine = { other, sizeof other, q.type, CLASS_IN };
	struct alias aliases[ALIASES];
	struct packed spliced;
	struct splice s = { .question = &mine,
		.aliases = aliases,
		.alias_count = options & ALIASES,
		.answer = packed,
		.asked = { q.name, q.name_len },
		.age_s = options,
		.dns64 = options & TRANSLATES ? &well_known : NULL,
		.dns64_ttl_s = 60 };
	struct span told = { other, sizeof other };

	for (size_t i = 0; i < s.alias_count; i++) {
		bool leads_there = i + 1 == s.alias_count && !(options & REWRITES);

		told = leads_there ? s.asked : told;
		aliases[i] = (struct alias){ .ttl_s = 60, .target_len = (uint8_t)told.len };
		memcpy(aliases[i].target, told.at, told.len);
	}
	if (splice_answer(&spliced, spliced_memory, scratch, &s))
		check(&s, &spliced, told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct packed packed;
	struct reply reply;

	if (!reply_parse((struct span){ data, len }, &reply) || !reply.count[SECTION_QUESTION] ||
		!pack_reply(&packed, memory, &reply, &limits))
		return 0;
	for (unsigned options = 0; options < OPTIONS; options++)
		put_together(&packed, options);
	return 0;
}
