#include "message.h"
#include "service.h"

#include "dns/message.h"
#include "dns/name.h"
#include "dns/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_TTL_S     60
#define USUAL_EDNS_SIZE 1232
#define ADDRS_TOLD      4
#define RDATA           12 /* in a record whose owner is a pointer */

/* ---- words with a meaning ---- */

struct word {
	const char *text;
	uint16_t number;
};

#define X(name, number) { #name, number },
static const struct word rcodes[] = { DNS_RCODES(X){ NULL, 0 } };
static const struct word types[] = { DNS_TYPES(X){ NULL, 0 } };
#undef X
static const struct word flags[] = { { "aa", DNS_AA }, { "tc", DNS_TC }, { "rd", DNS_RD },
	{ "ra", DNS_RA }, { "ad", DNS_AD }, { "cd", DNS_CD }, { NULL, 0 } };

static bool look_up(const struct word *words, const char *text, uint16_t *number)
{
	for (; words->text; words++) {
		if (strcmp(words->text, text) == 0) {
			*number = words->number;
			return true;
		}
	}
	return false;
}

bool message_type(const char *word, uint16_t *type)
{
	return look_up(types, word, type);
}

static bool take_number(const char *word, const char *key, unsigned long *number)
{
	size_t len = strlen(key);
	char *end;

	if (strncmp(word, key, len) != 0 || word[len] != '=' ||
		!isdigit((unsigned char)word[len + 1]))
		return false;
	*number = strtoul(word + len + 1, &end, 10);
	return !*end;
}

static bool take_switch(struct form *f, const char *word)
{
	const struct {
		const char *word;
		bool *is;
	} switches[] = { { "do", &f->dnssec_ok }, { "cname", &f->is_alias },
		{ "!edns", &f->no_edns }, { "!question", &f->no_question },
		{ "another-ID", &f->another_id }, { "another-question", &f->another_question },
		{ "twice", &f->twice } };

	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		if (strcmp(word, switches[i].word) == 0)
			return *switches[i].is = true;
	}
	return false;
}

static bool take_addr(struct form *f, const char *word)
{
	size_t i = f->addr_count;

	if (i == sizeof f->addrs / sizeof *f->addrs)
		return false;
	if (inet_pton(AF_INET, word, f->addrs[i].octets) == 1)
		f->addrs[i].len = 4;
	else if (inet_pton(AF_INET6, word, f->addrs[i].octets) == 1)
		f->addrs[i].len = 16;
	else
		return false;
	f->addr_count++;
	return true;
}

static bool take_service(struct form *f, const char *word)
{
	uint8_t rdata[SERVICE_MAX];

	if (f->service_count == sizeof f->services / sizeof *f->services ||
		!service_make(word, rdata))
		return false;
	f->services[f->service_count++] = word;
	return true;
}

bool form_word(struct form *f, const char *word)
{
	unsigned long number;
	uint16_t flag;

	if (strncmp(word, "svcb=", 5) == 0)
		return take_service(f, word + 5);
	if (take_number(word, "records", &number)) {
		f->has_records = true;
		f->records = (uint16_t)number;
	} else if (take_number(word, "ttl", &number)) {
		f->has_ttl = true;
		f->ttl_s = (uint32_t)number;
	} else if (take_number(word, "soa", &number)) {
		f->has_soa = true;
		f->soa_s = (uint32_t)number;
	} else if (take_number(word, "edns", &number)) {
		f->edns_size = (uint16_t)number;
	} else if (take_number(word, "keepalive", &number)) {
		f->has_keepalive = true;
		f->keepalive = (uint16_t)number;
	} else if (look_up(flags, word + (*word == '!'), &flag)) {
		*(*word == '!' ? &f->clear : &f->set) |= flag;
	} else {
		return look_up(rcodes, word, &f->rcode) || take_switch(f, word) ||
			take_addr(f, word);
	}
	return true;
}

/* ---- making ---- */

/* Who answers the wrong client shows itself: each name has an address of its own. */
static void own_addr(const uint8_t *name, uint8_t out[16])
{
	uint32_t hash = 0x811c9dc5;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)tolower(*name)) * 0x01000193;
	memset(out, 0, 16);
	put_u32(out, hash);
	out[0] = 10;
}

/* Of whom: where the name of its owner is. */
static size_t put_record(
	uint8_t *out, uint16_t owner, uint16_t type, uint32_t ttl, struct span rdata)
{
	put_u16(out, 0xc000 | owner);
	put_u16(out + 2, type);
	put_u16(out + 4, CLASS_IN);
	put_u32(out + 6, ttl);
	put_u16(out + 10, (uint16_t)rdata.len);
	memcpy(out + RDATA, rdata.at, rdata.len);
	return RDATA + rdata.len;
}

static size_t put_opt(uint8_t *out, const struct form *f, bool keepalive)
{
	size_t len = 11;

	out[0] = 0;
	put_u16(out + 1, TYPE_OPT);
	put_u16(out + 3, f->edns_size ? f->edns_size : USUAL_EDNS_SIZE);
	put_u32(out + 5, (uint32_t)f->rcode >> 4 << 24 | (f->dnssec_ok ? EDNS_DO : 0));
	if (keepalive) {
		put_u16(out + len, OPTION_KEEPALIVE);
		put_u16(out + len + 2, 2);
		put_u16(out + len + 4, f->keepalive);
		len += 6;
	}
	put_u16(out + 9, (uint16_t)(len - 11));
	return len;
}

size_t message_query(
	uint8_t *out, uint16_t id, const char *name, uint16_t type, const struct form *f)
{
	bool opt = !f->no_edns && (f->edns_size || f->dnssec_ok || f->has_keepalive);

	memset(out, 0, DNS_HEADER);
	put_u16(out, id);
	put_u16(out + 2, (uint16_t)((DNS_RD | f->set) & ~f->clear));
	put_u16(out + 4, 1);
	size_t len = name_from_text(name, out + DNS_HEADER);

	if (!len)
		return 0;
	len += DNS_HEADER;
	put_u16(out + len, type);
	put_u16(out + len + 2, CLASS_IN);
	len += 4;
	put_u16(out + 10, opt);
	return opt ? len + put_opt(out + len, f, f->has_keepalive) : len;
}

/* The answer section for that question, behind it, which ends at `at` of the message; counts what
 * it puts. */
static size_t put_answers(
	uint8_t *out, uint16_t at, const struct question *q, const struct form *f, uint16_t *count)
{
	uint32_t ttl = f->has_ttl ? f->ttl_s : USUAL_TTL_S;
	size_t addr_len = q->type == TYPE_A ? 4 : 16, len = 0;
	uint16_t owner = DNS_HEADER;
	bool derives = q->type == TYPE_A || q->type == TYPE_AAAA;
	unsigned records = f->has_records ? f->records : f->rcode == 0 && !f->addr_count;
	uint8_t own[16], rdata[SERVICE_MAX];

	for (size_t i = 0; q->type == TYPE_SVCB && i < f->service_count; i++, ++*count)
		len += put_record(out + len, owner, q->type, ttl,
			(struct span){ rdata, service_make(f->services[i], rdata) });
	if (f->is_alias) {
		len += put_record(out + len, owner, TYPE_CNAME, ttl, SPAN("\5alias\4test\0"));
		owner = (uint16_t)(at + RDATA);
		++*count;
	}
	for (size_t i = 0; i < f->addr_count; i++, ++*count) {
		struct span addr = { f->addrs[i].octets, f->addrs[i].len };

		len += put_record(out + len, owner, addr.len == 4 ? TYPE_A : TYPE_AAAA, ttl, addr);
	}
	own_addr(q->name, own);
	for (unsigned i = 0; derives && i < records; i++, ++*count) {
		len += put_record(out + len, owner, q->type, ttl, (struct span){ own, addr_len });
		put_u16(own + addr_len - 2, (uint16_t)(get_u16(own + addr_len - 2) + 1));
	}
	return len;
}

/* It says how long something is known not to be. */
static size_t put_soa(uint8_t *out, uint32_t seconds)
{
	uint8_t rdata[2 + 5 * 4] = { 0 };

	put_u32(rdata + sizeof rdata - 4, seconds);
	return put_record(out, DNS_HEADER, TYPE_SOA, seconds, (struct span){ rdata, sizeof rdata });
}

/* Where the question ends, or the header if there is none. */
static size_t question_end(struct span m)
{
	return m.len > DNS_HEADER && get_u16(m.at + 4) ? name_end(m, DNS_HEADER) + 4 : DNS_HEADER;
}

static struct question question_of(struct span m)
{
	size_t end = name_end(m, DNS_HEADER);

	return (struct question){ m.at + DNS_HEADER, end - DNS_HEADER, get_u16(m.at + end),
		get_u16(m.at + end + 2) };
}

size_t message_reply(uint8_t *out, struct span query, const struct form *f)
{
	struct question q = question_of(query);
	bool has_opt = get_u16(query.at + 10) && !f->no_edns;
	size_t len = f->no_question ? DNS_HEADER : question_end(query);
	uint16_t asked = get_u16(query.at + 2), count = 0;

	memcpy(out, query.at, len);
	put_u16(out, (uint16_t)(get_u16(query.at) ^ (f->another_id ? 0x5a5a : 0)));
	put_u16(out + 2,
		(uint16_t)(((asked & (DNS_RD | DNS_CD)) | DNS_QR | DNS_RA | f->set |
				   (f->rcode & DNS_RCODE)) &
			~f->clear));
	put_u16(out + 4, !f->no_question);
	if (f->another_question)
		out[DNS_HEADER + 1] ^= 1;
	if (!f->no_question)
		len += put_answers(out + len, (uint16_t)len, &q, f, &count);
	put_u16(out + 6, count);
	if (f->has_soa)
		len += put_soa(out + len, f->soa_s);
	put_u16(out + 8, f->has_soa);
	put_u16(out + 10, has_opt);
	if (has_opt)
		len += put_opt(out + len, f, f->has_keepalive);
	return len;
}

/* ---- telling ---- */

/* A text that grows, and stays cut when it is full. */
struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(t->at, t->left, format, args);

	va_end(args);
	if (n < 0 || (size_t)n >= t->left)
		n = (int)t->left - 1;
	t->at += n;
	t->left -= (size_t)n;
}

static void say_addr(struct text *t, struct span m, const struct record *r, const uint8_t *own)
{
	char addr[INET6_ADDRSTRLEN];
	size_t len = r->type == TYPE_A ? 4 : 16;

	inet_ntop(r->type == TYPE_A ? AF_INET : AF_INET6, m.at + r->rdata, addr, sizeof addr);
	say(t, " %s", addr);
	if (memcmp(m.at + r->rdata, own, len) == 0)
		say(t, " own");
}

static void say_soa(struct text *t, struct span m, const struct reply *r)
{
	size_t at = r->section[SECTION_AUTHORITY];

	for (unsigned i = 0; i < r->count[SECTION_AUTHORITY]; i++) {
		struct record record;

		message_record(m, &at, &record);
		if (record.type == TYPE_SOA)
			say(t, " soa=%u", record.ttl);
	}
}

static void say_records(struct text *t, struct span m, const struct reply *r)
{
	size_t at = r->section[SECTION_ANSWER];
	unsigned addrs = 0;
	uint8_t own[16];

	own_addr(m.at + DNS_HEADER, own);
	for (unsigned i = 0; i < r->count[SECTION_ANSWER]; i++) {
		struct record record;

		message_record(m, &at, &record);
		if ((record.type == TYPE_A || record.type == TYPE_AAAA) && addrs++ < ADDRS_TOLD)
			say_addr(t, m, &record, own);
		else if (record.type == TYPE_CNAME)
			say(t, " cname");
	}
	say(t, " records=%u", r->count[SECTION_ANSWER]);
	if (r->count[SECTION_ANSWER])
		say(t, " ttl=%u", r->ttl_max);
	say_soa(t, m, r);
}

static void say_edns(struct text *t, const struct edns *e)
{
	struct edns_error error;

	if (!e->present)
		return;
	say(t, " edns=%u%s", e->udp_size, e->dnssec_ok ? " do" : "");
	if (e->has_keepalive)
		say(t, " keepalive=%u", e->keepalive);
	if (e->has_padding)
		say(t, " padding");
	for (unsigned i = 0; edns_error_at(e, i, &error); i++)
		say(t, " ede=%u", error.code);
}

static void say_name(struct text *t, const uint8_t *wire)
{
	char name[NAME_TEXT];

	name_to_text(wire, name);
	if (name[1])
		name[strlen(name) - 1] = '\0';
	say(t, "%s", name);
}

const char *message_words(struct span m, char text[MESSAGE_TEXT])
{
	struct text t = { text, MESSAGE_TEXT };
	char word[TEXT_MAX];
	struct reply r;

	if (!reply_parse(m, &r)) {
		say(&t, "garbage size=%zu", m.len);
		return text;
	}
	if (r.count[SECTION_QUESTION]) {
		struct question q = question_of(m);

		say_name(&t, q.name);
		say(&t, " %s", text_type(q.type, word));
	} else {
		say(&t, "(no question)");
	}
	if (r.flags & DNS_QR)
		say(&t, " %s", text_rcode(r.rcode, word));
	for (const struct word *f = flags; f->text; f++)
		if (r.flags & f->number)
			say(&t, " %s", f->text);
	if (r.flags & DNS_QR && r.count[SECTION_QUESTION])
		say_records(&t, m, &r);
	say_edns(&t, &r.edns);
	say(&t, " size=%zu", m.len);
	return text;
}

bool message_holds(const char *text, const char *word)
{
	bool absent = *word == '!';
	size_t len;

	word += absent;
	for (; *text; text += len + strspn(text + len, " ")) {
		size_t word_len = strlen(word);

		len = strcspn(text, " ");
		if (len >= word_len && memcmp(text, word, word_len) == 0 &&
			(len == word_len || text[word_len] == '='))
			return !absent;
	}
	return absent;
}

uint16_t message_id(struct span m)
{
	return m.len < 2 ? 0 : get_u16(m.at);
}

bool message_same_question(struct span a, struct span b)
{
	size_t end = question_end(a);

	return a.len >= end && b.len >= end && question_end(b) == end &&
		memcmp(a.at + 4, b.at + 4, 2) == 0 &&
		memcmp(a.at + DNS_HEADER, b.at + DNS_HEADER, end - DNS_HEADER) == 0;
}
