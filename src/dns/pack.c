#include "dns/pack.h"

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/writer.h"

enum {
	MINIMUM_LEN = 4, /* the last field of an SOA */
	POINTER_TO_QUESTION = 0xc000 | DNS_HEADER,
	/* The start of no label: reading a name that leads through it fails. And another one. */
	NO_LABEL = 0x80,
	NO_LABEL_EITHER = 0x81,
};

/* A reply on its way into memory. */
struct packing {
	const struct reply *reply;
	const struct pack_limits *limits;
	struct writer w; /* of the message */
	uint16_t *ttl_at;
	uint16_t count[SECTIONS];
	uint32_t lowest, highest; /* TTL */
	uint8_t holds;
	bool plain; /* no name but the question's, and pointers to it */
};

/* ---- records ---- */

static void put_name(struct writer *w, struct span m, size_t at)
{
	uint8_t name[NAME_MAX_WIRE];

	put_bytes(w, name, name_copy(m, at, name));
}

/* A record to another place than it had. Pointers into what has moved would be wrong, so its names
 * are written out. False: there is no room, or the RDATA is not what its type asks for. */
static bool put_moved(struct writer *w, struct span m, const struct record *rec)
{
	struct rdata_names names;
	size_t at = rec->rdata, length_at;

	if (!rdata_names(m, rec, &names))
		return false;
	put_name(w, m, rec->owner);
	put_bytes(w, m.at + rec->type_at, 8);
	length_at = w->len;
	put_number(w, 0);
	put_bytes(w, m.at + at, names.at - at);
	for (at = names.at; names.count > 0; names.count--) {
		put_name(w, m, at);
		at = name_end(m, at);
	}
	put_bytes(w, m.at + at, rec->end - at);
	if (w->ok)
		put_u16(w->out + length_at, (uint16_t)(w->len - length_at - 2));
	return w->ok;
}

/* The records behind OPT, which move. Written out they may be more than a message holds: those that
 * do not fit, or cannot move, are left out with all behind them, as of any additional section. */
static void put_behind_opt(struct packing *p)
{
	struct span m = p->reply->message;
	struct record rec;
	size_t at = p->reply->opt_end, end = p->w.len;

	while (at < m.len) {
		message_record(m, &at, &rec);
		if (!put_moved(&p->w, m, &rec))
			break;
		p->count[SECTION_ADDITIONAL]++;
		end = p->w.len;
	}
	p->w.ok = true;
	p->w.len = end;
}

static void put_records(struct packing *p)
{
	const struct reply *r = p->reply;
	size_t end = r->has_opt ? r->opt : r->message.len, at = r->section[SECTION_ADDITIONAL];
	struct record rec;

	put_bytes(&p->w, r->message.at, end);
	for (int section = SECTION_QUESTION; section < SECTION_ADDITIONAL; section++)
		p->count[section] = r->count[section];
	if (!r->has_opt || r->opt_end == r->message.len) {
		p->count[SECTION_ADDITIONAL] =
			(uint16_t)(r->count[SECTION_ADDITIONAL] - r->has_opt);
		return;
	}
	for (; at < end; p->count[SECTION_ADDITIONAL]++)
		message_record(r->message, &at, &rec);
	put_behind_opt(p);
}

/* ---- times ---- */

static uint32_t bounded(const struct packing *p, uint32_t ttl)
{
	const struct pack_limits *l = p->limits;

	if (ttl > INT32_MAX)
		ttl = 0; /* RFC 2181 §8 */
	ttl = ttl > l->ttl_max_s ? l->ttl_max_s : ttl;
	return ttl < l->ttl_min_s ? l->ttl_min_s : ttl;
}

/* What an SOA says of how long something is known not to be: the lower of its TTL and its last
 * field (RFC 2308 §5). */
static uint32_t negative_ttl(const struct packing *p, const struct record *soa)
{
	uint32_t minimum = get_u32(p->w.out + soa->end - MINIMUM_LEN);

	if (minimum > p->limits->negative_max_s)
		minimum = p->limits->negative_max_s;
	return soa->ttl < minimum || soa->ttl > INT32_MAX ? soa->ttl : minimum;
}

static uint8_t holds_of(uint16_t type)
{
	switch (type) {
	case TYPE_CNAME:
	case TYPE_DNAME:
		return HOLDS_ALIAS;
	case TYPE_A:
	case TYPE_AAAA:
		return HOLDS_ADDRESS;
	case TYPE_SVCB:
	case TYPE_HTTPS:
		return HOLDS_SERVICE;
	default:
		return 0;
	}
}

static bool owner_is_question(struct span m, const struct record *rec)
{
	return rec->type_at == rec->owner + 2 && get_u16(m.at + rec->owner) == POINTER_TO_QUESTION;
}

/* Notes where the TTL of a record is, and makes it what may be told. */
static void take_ttl(struct packing *p, const struct record *rec, unsigned n, bool negative)
{
	bool is_soa = negative && rec->type == TYPE_SOA && rec->end - rec->rdata >= MINIMUM_LEN;
	uint32_t ttl = bounded(p, is_soa ? negative_ttl(p, rec) : rec->ttl);

	if (ttl != rec->ttl)
		put_u32(p->w.out + rec->type_at + 4, ttl);
	p->ttl_at[n] = (uint16_t)(rec->type_at + 4);
	p->lowest = n == 0 || ttl < p->lowest ? ttl : p->lowest;
	p->highest = n == 0 || ttl > p->highest ? ttl : p->highest;
	p->plain = p->plain && owner_is_question((struct span){ p->w.out, p->w.len }, rec) &&
		!rdata_has_names(rec->type);
}

/* Of so few records, each is compared with all; of more, with the one in front of it. Servers do
 * not take RRsets apart; one that does it to many may be told different TTLs. */
#define COMPARED_WITH_ALL 64

static void lower_to(struct packing *p, unsigned n, uint32_t ttl)
{
	uint8_t *at = p->w.out + p->ttl_at[n];

	if (get_u32(at) > ttl)
		put_u32(at, ttl);
}

/* All records of an RRset get its lowest TTL (RFC 2181 §5.2): the first of it collects that, and
 * then gives it to the others. */
static void lower_rrsets(struct packing *p, unsigned count)
{
	struct span m = { p->w.out, p->w.len };
	struct record rec, known[COMPARED_WITH_ALL];
	uint16_t first[PACKED_RECORDS]; /* of the RRset of each */
	size_t at = p->reply->question_end;

	for (unsigned n = 0; n < count; n++) {
		unsigned i = n < COMPARED_WITH_ALL ? 0 : n - 1;

		message_record(m, &at, &rec);
		while (i < n && !same_rrset(m, &known[i % COMPARED_WITH_ALL], &rec))
			i++;
		known[n % COMPARED_WITH_ALL] = rec;
		first[n] = i < n ? first[i] : (uint16_t)n;
		lower_to(p, first[n], rec.ttl);
	}
	for (unsigned n = 0; n < count; n++)
		lower_to(p, n, get_u32(p->w.out + p->ttl_at[first[n]]));
}

/* Octets that change are replaced by others than the server sent: none of them starts a label, and
 * a name that has one of them inside of a label, or of a pointer, is another name. */
static void spoil(const struct packing *p, uint8_t *at, size_t len)
{
	size_t from = (size_t)(at - p->w.out);
	struct span sent = p->reply->message;

	for (size_t i = 0; i < len; i++) {
		bool is_that = from + i < sent.len && sent.at[from + i] == NO_LABEL;

		at[i] = is_that ? NO_LABEL_EITHER : NO_LABEL;
	}
}

static bool same_name(struct span a, struct span b, size_t at)
{
	uint8_t x[NAME_MAX_WIRE], y[NAME_MAX_WIRE];
	size_t len = name_copy(a, at, x);

	return name_copy(b, at, y) == len && memcmp(x, y, len) == 0;
}

/* Are the names of what did not move those that the server sent? */
static bool names_are_as_sent(const struct packing *p)
{
	struct span sent = p->reply->message, m = { p->w.out, p->w.len };
	size_t end = p->reply->has_opt ? p->reply->opt : sent.len, at = p->reply->question_end;
	struct rdata_names names;
	struct record rec;

	while (at < end) {
		message_record(m, &at, &rec);
		if (!same_name(sent, m, rec.owner))
			return false;
		if (rec.type > TYPE_TXT || !rdata_names(m, &rec, &names))
			continue;
		for (; names.count > 0; names.count--) {
			if (!same_name(sent, m, names.at))
				return false;
			names.at = name_end(m, names.at);
		}
	}
	return true;
}

/* Can every TTL change, and the type asked for (of a name that does not exist), and the message
 * tell of the same names all the same? */
static bool names_keep_off_changes(const struct packing *p, unsigned count)
{
	size_t question_end = p->reply->question_end;
	uint8_t kept[4 * PACKED_RECORDS], *type = p->w.out + question_end - 4, kept_type[2];
	struct reply r;

	if (p->plain)
		return true;
	memcpy(kept_type, type, 2);
	if (question_end > DNS_HEADER)
		spoil(p, type, 2);
	for (unsigned i = 0; i < count; i++) {
		memcpy(kept + 4 * i, p->w.out + p->ttl_at[i], 4);
		spoil(p, p->w.out + p->ttl_at[i], 4);
	}
	bool ok = reply_parse((struct span){ p->w.out, p->w.len }, &r) && names_are_as_sent(p);

	for (unsigned i = 0; i < count; i++)
		memcpy(p->w.out + p->ttl_at[i], kept + 4 * i, 4);
	memcpy(type, kept_type, 2);
	return ok;
}

/* ---- what it is worth ---- */

/* What the answer section has of what was asked for, and the authority section. */
struct contents {
	bool wanted, soa;
};

static struct contents take_records(struct packing *p, uint16_t type, unsigned *count)
{
	struct span m = { p->w.out, p->w.len };
	struct contents c = { false };
	size_t at = p->reply->question_end;
	bool nxdomain = p->reply->rcode == RCODE_NXDOMAIN;
	struct record rec;

	*count = 0;
	for (int section = SECTION_ANSWER; section < SECTIONS; section++)
		for (unsigned i = 0; i < p->count[section]; i++) {
			message_record(m, &at, &rec);
			p->holds |= holds_of(rec.type);
			c.wanted |=
				section == SECTION_ANSWER && (rec.type == type || type == TYPE_ANY);
			c.soa |= section == SECTION_AUTHORITY && rec.type == TYPE_SOA;
			take_ttl(p, &rec, (*count)++,
				section == SECTION_AUTHORITY && (!c.wanted || nxdomain));
		}
	return c;
}

/* Of such types there is nothing to keep: they are about the message, or a transaction (RFC 6895
 * §3.1, RFC 2930 §2.2). */
static bool is_meta(uint16_t type)
{
	return type == 0 || type == TYPE_OPT || (type >= 128 && type < TYPE_ANY);
}

static enum worth worth_of(const struct packing *p, const struct contents *c)
{
	const struct reply *r = p->reply;

	if (r->rcode != RCODE_NOERROR && r->rcode != RCODE_NXDOMAIN)
		return WORTH_FAILURE;
	if (r->flags & DNS_TC || p->lowest == 0)
		return WORTH_NOTHING;
	/* Behind an alias, it is the last name that does not exist (RFC 2308 §2.1). */
	if (r->rcode == RCODE_NXDOMAIN && c->soa && !r->count[SECTION_ANSWER])
		return WORTH_NXDOMAIN;
	if (is_meta(get_u16(p->w.out + r->question_end - 4)))
		return WORTH_NOTHING;
	if (r->rcode == RCODE_NOERROR && c->wanted)
		return WORTH_POSITIVE;
	return c->soa ? WORTH_NODATA : WORTH_NOTHING; /* RFC 2308 §5 */
}

static void put_error(struct writer *w, uint16_t code, struct span text)
{
	size_t len = edns_text_len(text);

	put_number(w, OPTION_EDE);
	put_number(w, (uint16_t)(2 + len));
	put_number(w, code);
	put_bytes(w, text.at, len);
}

static struct span put_errors(uint8_t *to, const struct edns *server)
{
	struct writer w = { to, 0, PACKED_ERRORS, true };
	struct edns_error error;

	for (unsigned n = 0; n < EDNS_EDE_MAX && edns_error_at(server, n, &error); n++)
		put_error(&w, error.code, error.text);
	return (struct span){ to, w.len };
}

/* ---- the whole ---- */

static void set_header(struct packing *p)
{
	put_u16(p->w.out, 0);
	put_u16(p->w.out + 2, p->reply->flags);
	for (int i = 0; i < SECTIONS; i++)
		put_u16(p->w.out + 4 + 2 * i, p->count[i]);
}

static unsigned record_count(const struct reply *r)
{
	unsigned n = 0;

	for (int section = SECTION_ANSWER; section < SECTIONS; section++)
		n += r->count[section];
	return n;
}

bool pack_reply(struct packed *packed, void *memory, const struct reply *r,
	const struct pack_limits *limits)
{
	uint8_t *message = (uint8_t *)memory + 2 * record_count(r);
	struct packing p = { .reply = r,
		.limits = limits,
		.w = { message, 0, DNS_MESSAGE_MAX, true },
		.ttl_at = memory,
		.plain = true };
	unsigned count;

	put_records(&p);
	set_header(&p);
	struct contents c = take_records(&p, get_u16(message + r->question_end - 4), &count);

	if (!names_keep_off_changes(&p, count)) /* first: from here on names may be followed */
		return false;
	if (p.lowest != p.highest)
		lower_rrsets(&p, count);
	*packed = (struct packed){ .message = { message, p.w.len },
		.ttl_at = p.ttl_at,
		.ttl_count = (uint16_t)count,
		.errors = put_errors(message + p.w.len, &r->edns),
		.rcode = r->rcode,
		.holds = p.holds,
		.worth = worth_of(&p, &c),
		.lifetime_s = p.lowest };
	return true;
}

void pack_failure(
	struct packed *packed, void *memory, const struct question *q, const struct failure *f)
{
	uint8_t *message = memory;
	struct writer w = { message, DNS_HEADER, DNS_MESSAGE_MAX + PACKED_ERRORS, true };
	const char *text = f->text ? f->text : "";

	memset(message, 0, DNS_HEADER);
	put_u16(message + 4, 1);
	put_bytes(&w, q->name, q->name_len);
	put_number(&w, q->type);
	put_number(&w, q->class);

	size_t len = w.len; /* behind it are the errors */

	if (f->ede != EDE_NONE)
		put_error(
			&w, (uint16_t)f->ede, (struct span){ (const uint8_t *)text, strlen(text) });
	*packed = (struct packed){ .message = { message, len },
		.ttl_at = memory,
		.errors = { message + len, w.len - len },
		.rcode = (uint16_t)f->rcode,
		.worth = WORTH_FAILURE };
}

size_t packed_size(const struct packed *p)
{
	return 2u * p->ttl_count + p->message.len + p->errors.len;
}

void packed_move(struct packed *p, void *memory)
{
	uint8_t *message = (uint8_t *)memory + 2 * p->ttl_count;
	uint8_t *errors = message + p->message.len;

	memcpy(memory, p->ttl_at, 2u * p->ttl_count);
	memcpy(message, p->message.at, p->message.len);
	memcpy(errors, p->errors.at, p->errors.len);
	p->ttl_at = memory;
	p->message.at = message;
	p->errors.at = errors;
}

void packed_age(const struct packed *p, uint8_t *copy, size_t len, uint32_t age_s, uint32_t ttl_s)
{
	for (unsigned i = 0; i < p->ttl_count && p->ttl_at[i] < len; i++) {
		uint8_t *at = copy + p->ttl_at[i];
		uint32_t ttl = get_u32(at), aged = ttl > age_s ? ttl - age_s : 0;

		put_u32(at, ttl_s ? ttl_s : aged);
	}
}

struct question packed_question(const struct packed *p)
{
	struct question q = { .name = p->message.at + DNS_HEADER };

	q.name_len = name_len(p->message, DNS_HEADER);
	q.type = get_u16(q.name + q.name_len);
	q.class = get_u16(q.name + q.name_len + 2);
	return q;
}
