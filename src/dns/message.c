#include "dns/message.h"

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/reader.h"

struct header {
	uint16_t id, flags, count[SECTIONS];
};

static struct header read_header(struct reader *r)
{
	const uint8_t *p = read_bytes(r, DNS_HEADER);
	struct header h = { .id = 0 };

	if (!p)
		return h;
	h.id = get_u16(p);
	h.flags = get_u16(p + 2);
	for (int i = 0; i < SECTIONS; i++)
		h.count[i] = get_u16(p + 4 + 2 * i);
	return h;
}

/* A question's name is never compressed: there is nothing before it that it could point to. */
static struct question read_question(struct reader *r)
{
	struct question q = { .name_len = r->ok ? name_len(r->m, r->at) : 0 };

	r->ok = q.name_len > 0;
	q.name = read_bytes(r, q.name_len);
	q.type = read_u16(r);
	q.class = read_u16(r);
	return q;
}

/* Nearly every owner is the question's name, a pointer to offset 12. Whatever is there was read
 * first, so it is a checked name, unless this is the name at offset 12. */
static void read_owner(struct reader *r)
{
	if (r->at > DNS_HEADER && r->m.len - r->at >= 2 && r->m.at[r->at] == 0xc0 &&
		r->m.at[r->at + 1] == DNS_HEADER)
		r->at += 2;
	else
		read_name(r);
}

/* What follows the owner. */
static void read_rest(struct reader *r, struct record *rec)
{
	rec->type_at = r->at;

	const uint8_t *fixed = read_bytes(r, 10);
	if (!fixed)
		return;
	rec->type = get_u16(fixed);
	rec->class = get_u16(fixed + 2);
	rec->ttl = get_u32(fixed + 4);
	rec->rdata = r->at;
	read_bytes(r, get_u16(fixed + 8));
	rec->end = r->at;
}

static void read_record(struct reader *r, struct record *rec)
{
	rec->owner = r->at;
	read_owner(r);
	read_rest(r, rec);
}

void message_record(struct span m, size_t *at, struct record *rec)
{
	struct reader r = { m, name_end(m, *at), true };

	rec->owner = *at;
	read_rest(&r, rec);
	*at = r.at;
}

/* Takes an OPT record in; false if it is the second, in the wrong section, of the wrong owner, or
 * its options are broken. */
static bool take_opt(struct edns *edns, struct span m, const struct record *rec, int section)
{
	struct span rdata = { m.at + rec->rdata, rec->end - rec->rdata };

	if (edns->present || section != SECTION_ADDITIONAL || m.at[rec->owner] != 0)
		return false;
	return edns_parse(edns, rec->class, rec->ttl, rdata);
}

static bool is_transfer(const struct question *q)
{
	return q->type == TYPE_AXFR || q->type == TYPE_IXFR;
}

/* Reads what is behind a query's header. What is wrong but can be stepped over does not end the
 * reading: the OPT behind it decides how the refusal looks. */
static bool read_request(struct reader *r, const uint16_t count[SECTIONS], struct request *request)
{
	bool sound = count[SECTION_QUESTION] == 1;

	for (unsigned i = 0; i < count[SECTION_QUESTION] && r->ok; i++)
		request->question = read_question(r);
	if (!r->ok || !sound)
		request->question = (struct question){ .name = NULL };

	sound &= count[SECTION_ANSWER] == 0 && count[SECTION_ADDITIONAL] <= QUERY_ADDITIONAL_MAX;
	sound &= count[SECTION_AUTHORITY] <= (is_transfer(&request->question) ? 1 : 0);
	for (int section = SECTION_ANSWER; section < SECTIONS; section++)
		for (unsigned i = 0; i < count[section] && r->ok; i++) {
			struct record rec;

			read_record(r, &rec);
			if (r->ok && rec.type == TYPE_OPT)
				sound &= take_opt(&request->edns, r->m, &rec, section);
		}
	return sound && reader_done(r);
}

static enum rcode judge(const struct request *request, bool sound, enum ede *ede)
{
	const struct question *q = &request->question;

	*ede = EDE_NONE;
	if (request->flags & DNS_OPCODE)
		return RCODE_NOTIMP;
	if (!sound || q->type == TYPE_OPT)
		return RCODE_FORMERR;
	if (request->edns.version != 0)
		return RCODE_BADVERS;

	*ede = EDE_NOT_SUPPORTED;
	if (is_transfer(q) || q->class != CLASS_IN)
		return RCODE_REFUSED;

	*ede = EDE_NONE;
	return RCODE_NOERROR;
}

enum admission query_parse(struct span m, struct request *request, enum rcode *rcode, enum ede *ede)
{
	struct reader r = { m, 0, true };
	struct header h = read_header(&r);

	*request = (struct request){ .id = h.id, .flags = h.flags };
	*rcode = RCODE_NOERROR;
	*ede = EDE_NONE;
	if (!r.ok || h.flags & DNS_QR)
		return ADMIT_DROP;

	bool sound = read_request(&r, h.count, request);
	*rcode = judge(request, sound, ede);
	return *rcode == RCODE_NOERROR ? ADMIT : ADMIT_REFUSE;
}

static bool reply_record(struct reply *reply, const struct record *rec, int section)
{
	if (rec->type != TYPE_OPT) {
		if (rec->ttl > reply->ttl_max)
			reply->ttl_max = rec->ttl;
		return rdata_check(reply->message, rec);
	}
	reply->has_opt = true;
	reply->opt = rec->owner;
	reply->opt_end = rec->end;
	return take_opt(&reply->edns, reply->message, rec, section);
}

bool reply_parse(struct span m, struct reply *reply)
{
	struct reader r = { m, 0, true };
	struct header h = read_header(&r);

	*reply = (struct reply){ .message = m, .id = h.id, .flags = h.flags };
	for (int section = SECTION_QUESTION; section < SECTIONS; section++)
		reply->count[section] = h.count[section];
	reply->section[SECTION_QUESTION] = r.at;
	if (h.count[SECTION_QUESTION] > 1)
		return false;
	if (h.count[SECTION_QUESTION] == 1)
		read_question(&r);
	reply->question_end = r.at;

	for (int section = SECTION_ANSWER; section < SECTIONS; section++) {
		reply->section[section] = r.at;
		for (unsigned i = 0; i < h.count[section]; i++) {
			struct record rec;

			read_record(&r, &rec);
			if (!r.ok || !reply_record(reply, &rec, section))
				return false;
		}
	}
	reply->rcode = (uint16_t)(reply->edns.rcode_high << 4 | (h.flags & DNS_RCODE));
	return reader_done(&r);
}

bool question_equals(const struct question *a, const struct question *b)
{
	return a->type == b->type && a->class == b->class && a->name_len == b->name_len &&
		name_equals(a->name, b->name, a->name_len);
}

bool reply_answers(const struct reply *reply, const struct question *asked)
{
	if ((reply->flags & (DNS_QR | DNS_OPCODE)) != DNS_QR || reply->count[SECTION_QUESTION] != 1)
		return false;

	const uint8_t *end = reply->message.at + reply->question_end;
	struct question replied = {
		.name = reply->message.at + DNS_HEADER,
		.name_len = reply->question_end - DNS_HEADER - 4,
		.type = get_u16(end - 4),
		.class = get_u16(end - 2),
	};
	return question_equals(&replied, asked);
}

/* What decides that records belong together: the type, or for a signature the type that it covers.
 */
static uint16_t rrset_type(struct span m, const struct record *rec)
{
	if (rec->type != TYPE_RRSIG || rec->end - rec->rdata < 2)
		return rec->type;
	return get_u16(m.at + rec->rdata);
}

bool same_rrset(struct span m, const struct record *a, const struct record *b)
{
	return rrset_type(m, a) == rrset_type(m, b) && a->class == b->class &&
		name_same(m, a->owner, b->owner);
}
