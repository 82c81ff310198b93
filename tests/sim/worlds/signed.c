#include "signed.h"

#include <string.h>

#define POINTER_TO_QUESTION (0xc000 | DNS_HEADER)
#define SOA_LEN             22
#define OPT_LEN             11

/* ---- making ---- */

struct pen {
	uint8_t *at, *end;
};

static uint8_t *put_record(struct pen *p, uint16_t owner, uint16_t type, uint32_t ttl, size_t len)
{
	uint8_t *at = p->at;

	put_u16(at, owner);
	put_u16(at + 2, type);
	put_u16(at + 4, CLASS_IN);
	put_u32(at + 6, ttl);
	put_u16(at + 10, (uint16_t)len);
	memset(at + 12, 0, len);
	p->at += 12 + len;
	return at + 12;
}

/* An alias whose name holds the serial; where that name is. */
static uint16_t put_alias(struct pen *p, const uint8_t *message, const struct reply_form *f)
{
	uint8_t *rdata = put_record(p, POINTER_TO_QUESTION, TYPE_CNAME, f->ttl_s, 6);

	rdata[0] = 4;
	for (int i = 0; i < 4; i++)
		rdata[1 + i] = (uint8_t)('a' + (f->serial >> (4 * i) & 15));
	return (uint16_t)(0xc000 | (rdata - message));
}

static void put_answer(
	struct pen *p, uint16_t owner, uint16_t type, const struct reply_form *f, unsigned i)
{
	uint8_t *rdata;

	switch (type) {
	case TYPE_A:
		put_u32(put_record(p, owner, type, f->ttl_s, 4), f->serial);
		break;
	case TYPE_AAAA:
		rdata = put_record(p, owner, type, f->ttl_s, 16);
		rdata[0] = 0xfd;
		put_u32(rdata + 8, i);
		put_u32(rdata + 12, f->serial);
		break;
	case TYPE_TXT:
		rdata = put_record(p, owner, type, f->ttl_s, 9);
		rdata[0] = 8;
		put_u32(rdata + 1, i);
		put_u32(rdata + 5, f->serial);
		break;
	default:
		rdata = put_record(p, owner, type, f->ttl_s, 8);
		put_u32(rdata, i);
		put_u32(rdata + 4, f->serial);
	}
}

static void put_soa(struct pen *p, const struct reply_form *f)
{
	uint8_t *rdata = put_record(p, POINTER_TO_QUESTION, TYPE_SOA, f->ttl_s, SOA_LEN);

	put_u32(rdata + 2, f->serial);
	put_u32(rdata + 18, f->ttl_s);
}

static void put_opt(struct pen *p, const struct reply_form *f)
{
	uint8_t *at = p->at;

	memset(at, 0, OPT_LEN + 6);
	put_u16(at + 1, TYPE_OPT);
	put_u16(at + 3, 1232);
	p->at += OPT_LEN;
	if (!f->keepalive)
		return;
	put_u16(at + 9, 6);
	put_u16(at + OPT_LEN, OPTION_KEEPALIVE);
	put_u16(at + OPT_LEN + 2, 2);
	put_u16(at + OPT_LEN + 4, 20);
	p->at += 6;
}

size_t signed_reply(uint8_t *out, struct span query, const struct reply_form *f)
{
	size_t question_end = name_end(query, DNS_HEADER) + 4;
	size_t len = f->no_question ? DNS_HEADER : question_end;
	uint16_t asked = get_u16(query.at + 2), type = get_u16(query.at + question_end - 4);
	uint16_t owner = POINTER_TO_QUESTION;
	struct pen p = { out + len, out + DNS_MESSAGE_MAX };
	bool gives = f->rcode == RCODE_NOERROR && f->records && !f->no_question;
	unsigned given = 0;

	memcpy(out, query.at, len);
	if (type == TYPE_ANY)
		type = TYPE_A;
	if (gives && f->alias)
		owner = put_alias(&p, out, f);
	for (; gives && given < f->records && p.end - p.at > 256; given++)
		put_answer(&p, owner, type, f, given);
	bool soa = f->soa && !gives && !f->no_question;

	if (soa)
		put_soa(&p, f);
	if (f->opt)
		put_opt(&p, f);
	put_u16(out + 2,
		(uint16_t)(DNS_QR | DNS_RA | (asked & (DNS_RD | DNS_CD)) | f->set_flags |
			f->rcode));
	put_u16(out + 4, !f->no_question);
	put_u16(out + 6, (uint16_t)(given + (gives && f->alias)));
	put_u16(out + 8, soa);
	put_u16(out + 10, f->opt);
	return (size_t)(p.at - out);
}

/* ---- reading ---- */

static void take_serial(struct signature *s, uint32_t serial, uint32_t ttl)
{
	s->mixed |= s->has_serial && s->serial != serial;
	s->has_serial = true;
	s->serial = serial;
	if (ttl > s->ttl_max)
		s->ttl_max = ttl;
}

/* Where the serial is in the record; 0: it has none. */
static size_t serial_at(const struct record *r)
{
	size_t len = r->end - r->rdata;

	if ((r->type == TYPE_A && len == 4) || (r->type == TYPE_AAAA && len == 16) ||
		(r->type == TYPE_TXT && len == 9) || (r->type == TYPE_OPAQUE && len == 8))
		return r->end - 4;
	return r->type == TYPE_SOA && len == SOA_LEN ? r->rdata + 2 : 0;
}

void signed_read(const struct reply *reply, struct signature *s)
{
	size_t at = reply->section[SECTION_ANSWER];
	unsigned count = reply->count[SECTION_ANSWER] + reply->count[SECTION_AUTHORITY];

	*s = (struct signature){ .has_serial = false };
	for (unsigned i = 0; i < count; i++) {
		struct record r;

		message_record(reply->message, &at, &r);
		size_t serial = serial_at(&r);

		if (serial)
			take_serial(s, get_u32(reply->message.at + serial), r.ttl);
	}
}

/* Its second label from the right tells it. */
static uint8_t zone_of(const uint8_t *name)
{
	static const uint8_t test[] = "\4test";

	for (; *name; name += *name + 1)
		if (name[0] == 2 && name[1] == 'z' && memcmp(name + 3, test, sizeof test) == 0)
			return (uint8_t)(name[2] - '0');
	return 0;
}

void meant_by(struct span m, struct meant *meant)
{
	size_t end = name_end(m, DNS_HEADER);
	struct reply r;

	memset(meant, 0, sizeof *meant);
	if (end - DNS_HEADER > sizeof meant->name)
		return;
	memcpy(meant->name, m.at + DNS_HEADER, end - DNS_HEADER);
	name_lower(meant->name, end - DNS_HEADER);
	meant->zone = zone_of(meant->name);
	meant->type = get_u16(m.at + end);
	meant->checking_disabled = get_u16(m.at + 2) & DNS_CD;
	meant->dnssec_ok = reply_parse(m, &r) && r.edns.dnssec_ok;
}

bool meant_equals(const struct meant *a, const struct meant *b)
{
	return memcmp(a->name, b->name, sizeof a->name) == 0 && a->type == b->type &&
		a->checking_disabled == b->checking_disabled && a->dnssec_ok == b->dnssec_ok &&
		a->zone == b->zone;
}
