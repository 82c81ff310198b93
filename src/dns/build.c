#include "dns/build.h"

#include <string.h>

#include "dns/writer.h"

enum {
	OPT_FIXED = 11, /* root, type, class, TTL, length */
	OPTION_FIXED = 4, /* code, length */
	KEEPALIVE_TOLD = 2, /* octets of a timeout */
	ERROR_TEXT = OPTION_FIXED + 2 /* where the text of an extended error starts */
};

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

/* Padding is the last option, and fills the message up to the end of a block, or of the room there
 * is (RFC 8467 §4.1). */
static void put_padding(struct writer *w, size_t opt, size_t block)
{
	size_t bare = w->len + OPTION_FIXED, end = (bare + block - 1) / block * block;

	if (end > w->limit)
		end = w->limit;
	if (end < bare)
		return;
	size_t len = end - bare;
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
			put_padding(&w, opt, BUILD_PAD_QUERY);
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

/* An extended error as far as there is room: its text goes first, then all of it. */
static void put_ede(struct writer *w, size_t opt, uint16_t code, struct span text)
{
	size_t len = edns_text_len(text);
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

static void put_own_ede(struct writer *w, size_t opt, const struct answer_form *f)
{
	const char *text = f->ede_text ? f->ede_text : "";

	if (f->ede != EDE_NONE)
		put_ede(w, opt, (uint16_t)f->ede,
			(struct span){ (const uint8_t *)text, strlen(text) });
}

size_t build_error(uint8_t *out, size_t cap, const struct answer_form *f, enum rcode error)
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

		put_own_ede(&w, opt, f);
		if (f->pad)
			put_padding(&w, opt, BUILD_PAD_ANSWER);
	}
	return w.ok ? w.len : 0;
}

/* How much of the message fits, cut between RRsets, and what that leaves of the counts. Returns the
 * section where the cut is, SECTIONS if there is none. */
static int cut(struct span m, size_t limit, size_t *end, uint16_t count[SECTIONS])
{
	size_t at = *end; /* of the question */

	for (int section = SECTION_ANSWER; section < SECTIONS; section++) {
		struct record rec, first = { .owner = 0 }; /* of the RRset */
		uint16_t whole = get_u16(m.at + 4 + 2 * section);

		count[section] = 0;
		for (unsigned i = 0; i < whole; i++) {
			message_record(m, &at, &rec);
			if (!first.owner || !same_rrset(m, &first, &rec)) {
				first = rec;
				*end = rec.owner;
				count[section] = (uint16_t)i;
			}
			if (rec.end > limit) {
				for (int later = section + 1; later < SECTIONS; later++)
					count[later] = 0;
				return section;
			}
		}
		*end = at;
		count[section] = whole;
	}
	return SECTIONS;
}

/* Copies the records, as many as fit, behind the question. False: some of answer or authority are
 * left out. */
static bool put_records(struct writer *w, struct span m, uint16_t count[SECTIONS])
{
	size_t end = m.len;
	int section = SECTIONS;

	if (m.len > w->limit) {
		end = w->len;
		section = cut(m, w->limit, &end, count);
	} else {
		for (int i = SECTION_ANSWER; i < SECTIONS; i++)
			count[i] = get_u16(m.at + 4 + 2 * i);
	}
	put_bytes(w, m.at + w->len, end - w->len);
	return section >= SECTION_ADDITIONAL;
}

static void put_server_errors(struct writer *w, size_t opt, struct span errors)
{
	while (errors.len > 0) {
		size_t len = OPTION_FIXED + (size_t)get_u16(errors.at + 2);

		put_ede(w, opt, get_u16(errors.at + 4),
			(struct span){ errors.at + ERROR_TEXT, len - ERROR_TEXT });
		errors.at += len;
		errors.len -= len;
	}
}

size_t build_answer(uint8_t *out, size_t cap, const struct answer_form *f, const struct packed *p,
	bool *truncated)
{
	const struct request *q = f->request;
	struct writer w = answer_writer(out, cap, f);
	size_t opt_room = opt_size(f);
	uint16_t server_flags = get_u16(p->message.at + 2), rcode = answer_rcode(q, p->rcode);
	uint16_t flags = answer_flags(q, rcode) | (server_flags & DNS_TC);
	uint16_t count[SECTIONS] = { 1 };

	*truncated = false;
	w.limit = w.limit > opt_room ? w.limit - opt_room : 0;
	w.ok = w.limit > w.len;
	put_question(&w, &q->question);
	if (!w.ok)
		return 0;
	*truncated = !put_records(&w, p->message, count);
	if (f->age_s || f->ttl_s)
		packed_age(p, w.out, w.len, f->age_s, f->ttl_s);
	w.limit += opt_room;

	if (*truncated)
		flags |= DNS_TC;
	if (q->flags & DNS_AD || q->edns.dnssec_ok)
		flags |= server_flags & DNS_AD;
	if (q->edns.present) {
		size_t opt = put_answer_opt(&w, f, rcode);

		put_own_ede(&w, opt, f);
		put_server_errors(&w, opt, p->errors);
		if (f->pad)
			put_padding(&w, opt, BUILD_PAD_ANSWER);
		count[SECTION_ADDITIONAL]++;
	}
	set_header(out, q->id, flags, count);
	return w.len;
}
