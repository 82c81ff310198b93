#include "dns/build.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rdata.h"

enum {
	OPT_FIXED = 11, /* root, type, class, TTL, length */
	OPTION_FIXED = 4, /* code, length */
	KEEPALIVE_TOLD = 2 /* octets of a timeout */
};

/* What is written so far. What does not fit is not written at all, and puts `ok` out. */
struct writer {
	uint8_t *out;
	size_t len, limit;
	bool ok;
};

static uint8_t *put_room(struct writer *w, size_t n)
{
	if (!w->ok || n > w->limit - w->len) {
		w->ok = false;
		return NULL;
	}
	w->len += n;
	return w->out + w->len - n;
}

static void put_bytes(struct writer *w, const void *bytes, size_t n)
{
	uint8_t *to = put_room(w, n);

	if (to && n > 0)
		memcpy(to, bytes, n);
}

static void put_number(struct writer *w, uint16_t v)
{
	uint8_t *to = put_room(w, 2);

	if (to)
		put_u16(to, v);
}

/* Every message starts with room for its header, which is filled in when the counts are known. */
static struct writer message_writer(uint8_t *out, size_t limit)
{
	return (struct writer){ out, DNS_HEADER, limit, limit >= DNS_HEADER };
}

static void set_header(uint8_t *out, uint16_t id, uint16_t flags, const uint16_t count[SECTIONS])
{
	put_u16(out, id);
	put_u16(out + 2, flags);
	for (int i = 0; i < SECTIONS; i++)
		put_u16(out + 4 + 2 * i, count[i]);
}

static void put_question(struct writer *w, const struct question *q)
{
	put_bytes(w, q->name, q->name_len);
	put_number(w, q->type);
	put_number(w, q->class);
}

/* OPT without options; put_option() behind it makes it longer. Returns where it starts. */
static size_t put_opt(struct writer *w, uint16_t udp_size, uint16_t rcode, bool dnssec_ok)
{
	size_t opt = w->len;
	uint8_t *to = put_room(w, OPT_FIXED);

	if (to) {
		to[0] = 0;
		put_u16(to + 1, TYPE_OPT);
		put_u16(to + 3, udp_size);
		put_u16(to + 5, (uint16_t)(rcode >> 4 << 8)); /* its upper bits; version 0 */
		put_u16(to + 7, dnssec_ok ? EDNS_DO : 0);
		put_u16(to + 9, 0);
	}
	return opt;
}

/* An option of that length at the end of the message and of its OPT; NULL if there is no room, and
 * then nothing has changed. */
static uint8_t *put_option(struct writer *w, size_t opt, uint16_t code, size_t len)
{
	if (!w->ok || OPTION_FIXED + len > w->limit - w->len)
		return NULL;
	put_number(w, code);
	put_number(w, (uint16_t)len);

	uint8_t *data = put_room(w, len);
	put_u16(w->out + opt + OPT_FIXED - 2, (uint16_t)(w->len - opt - OPT_FIXED));
	return data;
}

/* Padding is the last option, and fills the message up to the next block (RFC 8467 §4.1). */
static void put_padding(struct writer *w, size_t opt)
{
	size_t over = (w->len + OPTION_FIXED) % BUILD_PAD_QUERY;
	size_t len = over ? BUILD_PAD_QUERY - over : 0;
	uint8_t *data = put_option(w, opt, OPTION_PADDING, len);

	if (data)
		memset(data, 0, len);
}

size_t build_query(uint8_t out[BUILD_QUERY_MAX], const struct query_form *f)
{
	struct writer w = message_writer(out, BUILD_QUERY_MAX);
	const uint16_t count[SECTIONS] = { 1, 0, 0, f->edns ? 1 : 0 };

	set_header(out, f->id, f->flags & (DNS_RD | DNS_AD | DNS_CD), count);
	put_question(&w, &f->question);
	if (f->edns) {
		size_t opt = put_opt(&w, BUILD_UDP_SIZE, RCODE_NOERROR, f->dnssec_ok);

		if (f->keepalive)
			put_option(&w, opt, OPTION_KEEPALIVE, 0);
		if (f->pad)
			put_padding(&w, opt);
	}
	return w.len;
}

static struct writer answer_writer(uint8_t *out, size_t cap, const struct answer_form *f)
{
	size_t limit = f->size_max < cap ? f->size_max : cap;

	return message_writer(out, limit < DNS_MESSAGE_MAX ? limit : DNS_MESSAGE_MAX);
}

static uint16_t answer_flags(const struct request *q, uint16_t rcode)
{
	uint16_t asked = q->flags & (DNS_OPCODE | DNS_RD | DNS_CD);

	return (uint16_t)(DNS_QR | DNS_RA | asked | (rcode & DNS_RCODE));
}

/* The rcode that this client can be told. */
static uint16_t answer_rcode(const struct request *q, uint16_t rcode)
{
	return rcode > DNS_RCODE && !q->edns.present ? RCODE_SERVFAIL : rcode;
}

/* The room that our OPT takes, extended errors left out. */
static size_t opt_size(const struct answer_form *f)
{
	if (!f->request->edns.present)
		return 0;
	return OPT_FIXED + (f->keepalive >= 0 ? OPTION_FIXED + KEEPALIVE_TOLD : 0);
}

static size_t put_answer_opt(struct writer *w, const struct answer_form *f, uint16_t rcode)
{
	size_t opt = put_opt(w, f->udp_size, rcode, f->request->edns.dnssec_ok);
	uint8_t *data;

	if (f->keepalive >= 0 && (data = put_option(w, opt, OPTION_KEEPALIVE, KEEPALIVE_TOLD)))
		put_u16(data, (uint16_t)f->keepalive);
	return opt;
}

/* The length of a text cut to EDNS_EDE_TEXT octets, and not in the middle of a character of UTF-8.
 */
static size_t ede_text_len(struct span text)
{
	size_t len = text.len < EDNS_EDE_TEXT ? text.len : EDNS_EDE_TEXT;

	while (len > 0 && len < text.len && (text.at[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* An extended error as far as there is room: its text goes first, then all of it. */
static void put_ede(struct writer *w, size_t opt, uint16_t code, struct span text)
{
	size_t len = ede_text_len(text);
	uint8_t *data = put_option(w, opt, OPTION_EDE, 2 + len);

	if (!data) {
		len = 0;
		data = put_option(w, opt, OPTION_EDE, 2);
	}
	if (!data)
		return;
	put_u16(data, code);
	if (len > 0)
		memcpy(data + 2, text.at, len);
}

size_t build_error(
	uint8_t *out, size_t cap, const struct answer_form *f, enum rcode error, enum ede ede)
{
	const struct request *q = f->request;
	struct writer w = answer_writer(out, cap, f);
	uint16_t rcode = answer_rcode(q, (uint16_t)error);
	const uint16_t count[SECTIONS] = { q->question.name ? 1 : 0, 0, 0,
		q->edns.present ? 1 : 0 };

	if (!w.ok)
		return 0;
	set_header(out, q->id, answer_flags(q, rcode), count);
	if (q->question.name)
		put_question(&w, &q->question);
	if (q->edns.present) {
		size_t opt = put_answer_opt(&w, f, rcode);
		const char *text = f->ede_text ? f->ede_text : "";

		if (ede != EDE_NONE)
			put_ede(&w, opt, (uint16_t)ede,
				(struct span){ (const uint8_t *)text, strlen(text) });
	}
	return w.ok ? w.len : 0;
}

/* What decides that records belong together: the type, or for a signature the type that it covers.
 */
static uint16_t rrset_type(struct span m, const struct record *rec)
{
	if (rec->type != TYPE_RRSIG || rec->end - rec->rdata < 2)
		return rec->type;
	return get_u16(m.at + rec->rdata);
}

static bool same_rrset(struct span m, const struct record *a, const struct record *b)
{
	return rrset_type(m, a) == rrset_type(m, b) && a->class == b->class &&
		name_same(m, a->owner, b->owner);
}

static void put_name(struct writer *w, struct span m, size_t at)
{
	uint8_t name[NAME_MAX_WIRE];

	put_bytes(w, name, name_copy(m, at, name));
}

/* A record to another place than it had. Pointers into what has moved would be wrong, so its names
 * are written out. */
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

static bool put_record(struct writer *w, const struct reply *reply, const struct record *rec)
{
	struct span m = reply->message;

	if (reply->has_opt && rec->owner > reply->opt)
		return put_moved(w, m, rec);
	put_bytes(w, m.at + rec->owner, rec->end - rec->owner);
	return w->ok;
}

/* The records one by one, but OPT, until one does not fit; then the RRset that it belongs to is
 * taken back. Returns the section where that was, SECTIONS if all fitted. */
static int put_rrsets(struct writer *w, const struct reply *reply, uint16_t count[SECTIONS])
{
	struct span m = reply->message;
	size_t at = reply->question_end;

	for (int section = SECTION_ANSWER; section < SECTIONS; section++) {
		struct record rec, first = { .owner = 0 }; /* of the RRset, which starts at: */
		size_t start = w->len;
		uint16_t start_count = 0;

		for (unsigned i = 0; i < reply->count[section]; i++) {
			message_record(m, &at, &rec);
			if (rec.type == TYPE_OPT)
				continue;
			if (!first.owner || !same_rrset(m, &first, &rec)) {
				first = rec;
				start = w->len;
				start_count = count[section];
			}
			if (!put_record(w, reply, &rec)) {
				w->len = start;
				w->ok = true;
				count[section] = start_count;
				return section;
			}
			count[section]++;
		}
	}
	return SECTIONS;
}

/* All records but OPT, as many as fit. Most replies fit, and their OPT is the last record or
 * missing: then it is one copy. False: some of answer or authority are left out. */
static bool put_records(struct writer *w, const struct reply *reply, uint16_t count[SECTIONS])
{
	bool opt_last = !reply->has_opt || reply->opt_end == reply->message.len;
	size_t end = reply->has_opt ? reply->opt : reply->message.len;

	if (!opt_last || end > w->limit)
		return put_rrsets(w, reply, count) >= SECTION_ADDITIONAL;
	put_bytes(w, reply->message.at + w->len, end - w->len);
	for (int section = SECTION_ANSWER; section < SECTIONS; section++)
		count[section] = reply->count[section];
	if (reply->has_opt)
		count[SECTION_ADDITIONAL]--;
	return true;
}

/* Brings down the TTLs of the message, and reads it again: a name could lead through a TTL. */
static bool lower_ttls(struct writer *w, size_t at)
{
	struct span m = { w->out, w->len };
	struct record rec;

	while (at < w->len) {
		message_record(m, &at, &rec);
		if (rec.type == TYPE_OPT)
			continue;
		if (rec.ttl > INT32_MAX)
			put_u32(w->out + rec.type_at + 4, 0);
		else if (rec.ttl > BUILD_TTL_MAX)
			put_u32(w->out + rec.type_at + 4, BUILD_TTL_MAX);
	}
	return reply_parse(m, &(struct reply){ .id = 0 });
}

static void put_server_errors(struct writer *w, size_t opt, const struct edns *server)
{
	struct edns_error error;

	for (unsigned n = 0; n < EDNS_EDE_MAX && edns_error_at(server, n, &error); n++)
		put_ede(w, opt, error.code, error.text);
}

size_t build_answer(uint8_t *out, size_t cap, const struct answer_form *f,
	const struct reply *reply, bool *truncated)
{
	const struct request *q = f->request;
	struct writer w = answer_writer(out, cap, f);
	size_t opt_room = opt_size(f);
	uint16_t rcode = answer_rcode(q, reply->rcode);
	uint16_t flags = answer_flags(q, rcode) | (reply->flags & DNS_TC);
	uint16_t count[SECTIONS] = { 1, 0, 0, 0 };

	*truncated = false;
	if (reply->question_end + opt_room > w.limit)
		return 0;
	put_question(&w, &q->question);
	if (w.len != reply->question_end) /* of another question: nothing would be in its place */
		return 0;

	w.limit -= opt_room;
	*truncated = !put_records(&w, reply, count);
	w.limit += opt_room;

	if (*truncated)
		flags |= DNS_TC;
	if (q->flags & DNS_AD || q->edns.dnssec_ok)
		flags |= reply->flags & DNS_AD;
	if (q->edns.present) {
		put_server_errors(&w, put_answer_opt(&w, f, rcode), &reply->edns);
		count[SECTION_ADDITIONAL]++;
	}
	set_header(out, q->id, flags, count);
	if (reply->ttl_max > BUILD_TTL_MAX && !lower_ttls(&w, reply->question_end))
		return 0;
	return w.len;
}
