#include "ask/show.h"

#include "ask/octets.h"
#include "ask/opt.h"
#include "ask/padding.h"
#include "ask/record.h"
#include "base/clock.h"
#include "dns/message.h"
#include "dns/text.h"

#include <string.h>

/* Octets around a message on an Ethernet: its head, that of IP, that of UDP. */
enum { AROUND_V4 = 42, AROUND_V6 = 62, ETHERNET = 1500 };

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

static const char *colour(const struct ask_plan *p, const char *code)
{
	return p->show.colour ? code : "";
}

static void put_text(FILE *out, const char *text)
{
	octets_put_text(out, (struct span){ (const uint8_t *)text, strlen(text) });
}

static void put_warning(const struct ask_plan *p, const char *text, FILE *out)
{
	fprintf(out, "%s*** WARNING: ", colour(p, RED));
	put_text(out, text);
	fprintf(out, "%s\n", colour(p, PLAIN));
}

/* ---- how it came ---- */

static void put_source(const struct ask_reply *r, FILE *out)
{
	static const char *const names[] = {
		[SCHEME_TLS] = "TLS", [SCHEME_TCP] = "TCP", [SCHEME_UDP] = "UDP"
	};
	char text[ADDR_TEXT];

	fprintf(out, ";; %s response from ('%s', %u), %zu bytes, in %u.%03u sec\n", names[r->over],
		addr_print_host(r->from, text), addr_port(r->from), r->message.len,
		(unsigned)(r->took_us / 1000000), (unsigned)(r->took_us / 1000 % 1000));
}

static void put_tls(const struct ask_plan *p, const struct agreed *a, FILE *out)
{
	agreed_put(a, clock_system_ms() / 1000, out);
	if (*a->doubt)
		put_warning(p, a->doubt, out);
}

static void put_padding(const struct ask_reply *r, FILE *out)
{
	struct padding padding;

	padding_read(r->message, &padding);
	fputs(";; Reply Padding: ", out);
	padding_put(&padding, out);
}

/* pydig's figures: how many octets come for one that is sent, in messages and in packets. */
static void put_sizes(const struct ask_reply *r, FILE *out)
{
	size_t around = r->from->any.sa_family == AF_INET6 ? AROUND_V6 : AROUND_V4;
	size_t room = ETHERNET - around, query = r->sent->len, response = r->message.len;
	size_t packets = (response + room - 1) / room;

	fprintf(out, ";; Size query=%zu, response=%zu, amp1=%.2f amp2=%.2f\n", query, response,
		(double)response / (double)query,
		(double)(response + around * packets) / (double)(query + around));
}

/* ---- the header ---- */

static uint16_t rcode_of(struct span m)
{
	struct reply reply;

	return reply_parse(m, &reply) ? reply.rcode : get_u16(m.at + 2) & DNS_RCODE;
}

static void put_header(const struct ask_plan *p, const struct ask_reply *r, FILE *out)
{
	const uint8_t *m = r->message.at;
	unsigned flags = get_u16(m + 2);
	uint16_t rcode = rcode_of(r->message);
	char text[NAME_TEXT], word[TEXT_MAX];

	if (p->mixed_case && !p->no_question && !p->header_only)
		fprintf(out, ";; 0x20-hack qname: %s\n", name_to_text(r->sent->name, text));
	if (p->edns.on && p->edns.pad) {
		fprintf(out, ";; Query Padding size: %u, Block size: %u\n", r->sent->padding + 4u,
			p->edns.pad_to);
		put_padding(r, out);
	}
	fprintf(out, ";; %srcode=%u(%s)%s, id=%u\n", colour(p, rcode ? RED : BOLD), rcode,
		text_rcode(rcode, word), colour(p, PLAIN), get_u16(m));
	fprintf(out, ";; qr=%u opcode=%u aa=%u tc=%u rd=%u ra=%u z=%u ad=%u cd=%u\n", flags >> 15,
		flags >> 11 & 15, flags >> 10 & 1, flags >> 9 & 1, flags >> 8 & 1, flags >> 7 & 1,
		flags >> 6 & 1, flags >> 5 & 1, flags >> 4 & 1);
	fprintf(out, ";; question=%u, answer=%u, authority=%u, additional=%u\n", get_u16(m + 4),
		get_u16(m + 6), get_u16(m + 8), get_u16(m + 10));
}

/* ---- the sections ---- */

static bool put_question(const struct ask_plan *p, struct span m, size_t *at, FILE *out)
{
	size_t name = *at;

	if (!name_skip(m, at) || m.len - *at < 4)
		return false;
	if (p->show.question && !p->show.is_short) {
		record_put_name(m, name, out);
		fputc('\t', out);
		record_put_class(get_u16(m.at + *at + 2), p->show.generic, out);
		fputc('\t', out);
		record_put_type(get_u16(m.at + *at), p->show.generic, out);
		fputc('\n', out);
	}
	*at += 4;
	return true;
}

static bool is_shown(const struct ask_show *s, int section)
{
	const bool shown[SECTIONS] = { s->question, s->answer, s->authority, s->additional };

	return s->is_short ? section == SECTION_ANSWER : shown[section];
}

static bool put_record(const struct ask_plan *p, struct span m, int section, size_t *at, FILE *out)
{
	const struct ask_show *s = &p->show;
	struct record r;

	if (!record_read(m, at, &r))
		return false;
	if (!is_shown(s, section))
		return true;
	if (s->is_short) {
		record_put_data(s, m, &r, out);
		fputc('\n', out);
	} else if (r.type == TYPE_OPT && !s->generic) {
		if (s->comments)
			opt_put(m, &r, rcode_of(m), out);
	} else {
		record_put(s, m, &r, out);
	}
	return true;
}

/* False: the message is broken there. */
static bool put_section(const struct ask_plan *p, struct span m, int section, size_t *at, FILE *out)
{
	static const char *const names[] = { "QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL" };
	unsigned count = get_u16(m.at + 4 + 2 * section);

	if (count && is_shown(&p->show, section) && p->show.comments && !p->show.is_short)
		fprintf(out, "\n%s;; %s SECTION:%s\n", colour(p, BOLD), names[section],
			colour(p, PLAIN));
	for (; count > 0; count--) {
		bool ok = section == SECTION_QUESTION ? put_question(p, m, at, out)
						      : put_record(p, m, section, at, out);

		if (!ok)
			return false;
	}
	return true;
}

/* ---- the whole ---- */

static void put_frame(const struct ask_plan *p, const struct ask_reply *r, FILE *out)
{
	if (p->show.stats)
		put_source(r, out);
	if (p->show.comments && r->tls)
		put_tls(p, r->tls, out);
	if (p->show.comments && r->message.len >= DNS_HEADER)
		put_header(p, r, out);
	if (p->show.stats)
		put_sizes(r, out);
	if (p->show.comments && r->tsig) {
		fputs(";; TSIG: ", out);
		put_text(out, r->tsig);
		fputc('\n', out);
	}
}

void show_reply(const struct ask_plan *p, const struct ask_reply *r, FILE *out)
{
	size_t at = DNS_HEADER;
	bool whole = r->message.len >= DNS_HEADER;

	if (!p->show.is_short)
		put_frame(p, r, out);
	for (int section = 0; section < SECTIONS && whole; section++)
		whole = put_section(p, r->message, section, &at, out);
	/* Whoever wants it short reads data on standard output, and nothing else. */
	if (r->remark || !whole)
		put_warning(p, r->remark ? r->remark : "the message is broken",
			p->show.is_short ? stderr : out);
}

bool show_record(const struct ask_plan *p, struct span m, size_t *at, FILE *out)
{
	struct record r;

	if (!record_read(m, at, &r))
		return false;
	record_put(&p->show, m, &r, out);
	return true;
}
