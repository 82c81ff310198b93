#include "dns/splice.h"

#include "dns/rdata.h"
#include "dns/writer.h"

enum { POINTER = 0xc000, POINTER_MAX = 0x3fff, IPV4_LEN = 4, IPV6_LEN = 16 };

/* A message while it is written. Owners are written once and then pointed to; names in RDATA are
 * written out. */
struct splicing {
	const struct splice *s;
	struct writer w;
	uint16_t count[SECTIONS];
	struct span told; /* the name to which the aliases lead ... */
	size_t told_at; /* ... and where it stands */
	size_t owner_at; /* where the latest other owner stands; 0: nowhere */
	uint8_t owner[NAME_MAX_WIRE];
	size_t owner_len;
};

static bool is_same(struct span a, const uint8_t *name, size_t len)
{
	return a.len == len && name_equals(a.at, name, len);
}

/* Type, class, TTL, and where the length is, which end() fills in. */
static size_t begin(struct splicing *p, int section, uint16_t type, uint32_t ttl_s)
{
	put_number(&p->w, type);
	put_number(&p->w, CLASS_IN);
	put_number(&p->w, (uint16_t)(ttl_s >> 16));
	put_number(&p->w, (uint16_t)ttl_s);
	put_number(&p->w, 0);
	p->count[section]++;
	return p->w.len;
}

static void end(struct splicing *p, size_t begin)
{
	if (p->w.ok)
		put_u16(p->w.out + begin - 2, (uint16_t)(p->w.len - begin));
}

/* ---- in front ---- */

/* As long as the alias that follows from it (RFC 6672 §3.1). */
static void put_dname(struct splicing *p, const struct alias *a)
{
	const uint8_t *target = a->target + a->target_len - a->dname_target_len;

	put_number(&p->w, (uint16_t)(POINTER | (p->told_at + p->told.len - a->dname_len)));
	size_t rdata = begin(p, SECTION_ANSWER, TYPE_DNAME, a->ttl_s);

	put_bytes(&p->w, target, a->dname_target_len);
	end(p, rdata);
}

static void put_alias(struct splicing *p, const struct alias *a)
{
	if (a->dname_len)
		put_dname(p, a);
	put_number(&p->w, (uint16_t)(POINTER | p->told_at));
	size_t rdata = begin(p, SECTION_ANSWER, TYPE_CNAME, a->ttl_s);

	put_bytes(&p->w, a->target, a->target_len);
	end(p, rdata);
	p->told = (struct span){ a->target, a->target_len };
	p->told_at = rdata;
}

/* ---- behind them ---- */

static void put_owner(struct splicing *p, struct span m, size_t at)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_copy(m, at, name);

	if (is_same(p->s->asked, name, len) || is_same(p->told, name, len)) {
		put_number(&p->w, (uint16_t)(POINTER | p->told_at));
		return;
	}
	if (p->owner_at && p->owner_len == len && memcmp(name, p->owner, len) == 0) {
		put_number(&p->w, (uint16_t)(POINTER | p->owner_at));
		return;
	}
	p->owner_at = p->w.len <= POINTER_MAX ? p->w.len : 0;
	p->owner_len = len;
	memcpy(p->owner, name, len);
	put_bytes(&p->w, name, len);
}

static void put_name(struct writer *w, struct span m, size_t at)
{
	uint8_t name[NAME_MAX_WIRE];

	put_bytes(w, name, name_copy(m, at, name));
}

/* What is told under another name than was asked has its zone there, too: an SOA that is not above
 * the name proves nothing of it. Behind an alias, it is of where that leads. */
static bool is_misplaced(const struct splicing *p, struct span m, const struct record *rec)
{
	uint8_t owner[NAME_MAX_WIRE];

	return rec->type == TYPE_SOA && !is_same(p->s->asked, p->told.at, p->told.len) &&
		!get_u16(m.at + 4 + 2 * SECTION_ANSWER) &&
		!name_is_below(p->told.at, p->told.len, owner, name_copy(m, rec->owner, owner));
}

static void put_rdata(struct splicing *p, struct span m, const struct record *rec)
{
	struct rdata_names names;
	size_t at = rec->rdata;

	if (!rdata_names(m, rec, &names)) {
		p->w.ok = false; /* where its names are is not known, so it cannot move */
		return;
	}
	put_bytes(&p->w, m.at + at, names.at - at);
	for (at = names.at; names.count > 0; names.count--) {
		put_name(&p->w, m, at);
		at = name_end(m, at);
	}
	put_bytes(&p->w, m.at + at, rec->end - at);
}

static uint32_t aged(const struct splice *s, uint32_t ttl)
{
	if (s->ttl_s)
		return s->ttl_s;
	return ttl > s->age_s ? ttl - s->age_s : 0;
}

static bool is_a(const struct record *rec)
{
	return rec->type == TYPE_A && rec->class == CLASS_IN && rec->end - rec->rdata == IPV4_LEN;
}

static void put_synthesised(struct splicing *p, struct span m, const struct record *rec)
{
	const struct splice *s = p->s;
	uint32_t ttl = aged(s, rec->ttl);
	uint8_t v6[IPV6_LEN];

	if (!dns64_embed(s->dns64, m.at + rec->rdata, v6))
		return;
	put_owner(p, m, rec->owner);
	size_t rdata =
		begin(p, SECTION_ANSWER, TYPE_AAAA, ttl < s->dns64_ttl_s ? ttl : s->dns64_ttl_s);

	put_bytes(&p->w, v6, sizeof v6);
	end(p, rdata);
}

/* A signature of what is told otherwise would be wrong (RFC 6147 §5.5). */
static bool signs(uint16_t type, struct span m, const struct record *rec)
{
	return rec->type == TYPE_RRSIG && rec->end - rec->rdata >= 2 &&
		get_u16(m.at + rec->rdata) == type;
}

static bool is_left_out(const struct splice *s, struct span m, const struct record *rec)
{
	if (s->dns64)
		return signs(TYPE_A, m, rec);
	if (!s->tells)
		return false;
	return signs(TYPE_AAAA, m, rec) ||
		(rec->type == TYPE_AAAA && rec->end - rec->rdata == IPV6_LEN &&
			!s->tells(s->of, m.at + rec->rdata));
}

static void put_record(struct splicing *p, int section, struct span m, const struct record *rec)
{
	bool is_answer = section == SECTION_ANSWER;

	if (is_answer && is_left_out(p->s, m, rec))
		return;
	if (is_answer && p->s->dns64 && is_a(rec)) {
		put_synthesised(p, m, rec);
		return;
	}
	if (section == SECTION_AUTHORITY && is_misplaced(p, m, rec))
		put_number(&p->w, (uint16_t)(POINTER | p->told_at));
	else
		put_owner(p, m, rec->owner);
	size_t rdata = begin(p, section, rec->type, aged(p->s, rec->ttl));

	put_rdata(p, m, rec);
	end(p, rdata);
	if (p->w.ok)
		put_u16(p->w.out + rdata - 8, rec->class);
}

static void put_answer(struct splicing *p)
{
	struct span m = p->s->answer->message;
	size_t at = DNS_HEADER + name_len(m, DNS_HEADER) + 4;
	struct record rec;

	for (int section = SECTION_ANSWER; section < SECTIONS; section++)
		for (unsigned n = get_u16(m.at + 4 + 2 * section); n > 0 && p->w.ok; n--) {
			message_record(m, &at, &rec);
			put_record(p, section, m, &rec);
		}
}

/* ---- the whole ---- */

static void set_header(struct splicing *p)
{
	const struct packed *answer = p->s->answer;
	uint16_t flags = answer ? get_u16(answer->message.at + 2) & DNS_TC : 0;

	put_u16(p->w.out, 0);
	put_u16(p->w.out + 2, (uint16_t)(DNS_QR | flags));
	for (int i = 0; i < SECTIONS; i++)
		put_u16(p->w.out + 4 + 2 * i, p->count[i]);
}

/* Behind the message, as pack.h has them. */
static void add_errors(struct packed *packed, void *memory, struct span errors)
{
	uint8_t *to = (uint8_t *)memory + 2 * packed->ttl_count + packed->message.len;

	memcpy(to, errors.at, errors.len);
	packed->errors = (struct span){ to, errors.len };
}

bool splice_answer(struct packed *packed, void *memory, uint8_t *scratch, const struct splice *s)
{
	static const struct pack_limits none = { 0, INT32_MAX, INT32_MAX };
	const struct question *q = s->question;
	struct splicing p = { .s = s,
		.w = { scratch, DNS_HEADER, DNS_MESSAGE_MAX, true },
		.count = { 1 },
		.told = { q->name, q->name_len },
		.told_at = DNS_HEADER };
	struct reply reply;

	put_bytes(&p.w, q->name, q->name_len);
	put_number(&p.w, q->type);
	put_number(&p.w, q->class);
	for (size_t i = 0; i < s->alias_count; i++)
		put_alias(&p, &s->aliases[i]);
	if (s->answer)
		put_answer(&p);
	set_header(&p);
	if (!p.w.ok || !reply_parse((struct span){ scratch, p.w.len }, &reply))
		return false;
	if (s->answer)
		reply.rcode = s->answer->rcode;
	if (!pack_reply(packed, memory, &reply, &none))
		return false;
	if (s->answer)
		add_errors(packed, memory, s->answer->errors);
	return true;
}
