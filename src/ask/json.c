#include "ask/show.h"

#include "ask/agreed.h"
#include "ask/object.h"
#include "ask/padding.h"
#include "ask/record.h"
#include "base/clock.h"
#include "dns/message.h"
#include "dns/reader.h"
#include "dns/text.h"

#include <stdlib.h>

static json_t *hex(struct span octets)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * octets.len + 1);

	for (size_t i = 0; text && i < octets.len; i++) {
		text[2 * i] = digits[octets.at[i] >> 4];
		text[2 * i + 1] = digits[octets.at[i] & 15];
	}
	json_t *word = text ? json_stringn(text, 2 * octets.len) : NULL;

	free(text);
	return word;
}

/* ---- records ---- */

static json_t *name_at(struct span m, size_t at)
{
	uint8_t name[NAME_MAX_WIRE];
	char text[NAME_TEXT];

	name_copy(m, at, name);
	return object_word(name_to_text(name, text));
}

/* What `put` would print. */
static json_t *printed(void (*put)(const struct ask_reply *, const struct record *,
			       const struct ask_show *, FILE *),
	const struct ask_reply *reply, const struct record *r, const struct ask_show *show)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	put(reply, r, show, out);
	json_t *word = fclose(out) == 0 ? object_word(text) : NULL;

	free(text);
	return word;
}

static void put_class(const struct ask_reply *reply, const struct record *r,
	const struct ask_show *show, FILE *out)
{
	(void)reply;
	record_put_class(r->class, show->generic, out);
}

static void put_type(const struct ask_reply *reply, const struct record *r,
	const struct ask_show *show, FILE *out)
{
	(void)reply;
	record_put_type(r->type, show->generic, out);
}

static void put_data(const struct ask_reply *reply, const struct record *r,
	const struct ask_show *show, FILE *out)
{
	record_put_data(show, reply->message, r, out);
}

static json_t *record_json(
	const struct ask_reply *reply, const struct record *r, const struct ask_show *show)
{
	return json_pack("{so sI so so so}", "name", name_at(reply->message, r->owner), "ttl",
		(json_int_t)r->ttl, "class", printed(put_class, reply, r, show), "type",
		printed(put_type, reply, r, show), "data", printed(put_data, reply, r, show));
}

static json_t *section_json(const struct ask_reply *reply, const struct reply *parsed,
	const struct ask_show *show, unsigned section)
{
	json_t *records = json_array();
	size_t at = parsed->section[section];

	for (unsigned i = 0; i < parsed->count[section]; i++) {
		struct record r;

		message_record(reply->message, &at, &r);
		if (r.type != TYPE_OPT)
			json_array_append_new(records, record_json(reply, &r, show));
	}
	return records;
}

/* A question is a record without TTL and data. */
static json_t *question_json(
	const struct ask_reply *reply, const struct reply *parsed, const struct ask_show *show)
{
	struct record r = { .owner = DNS_HEADER };
	struct reader in = { reply->message, DNS_HEADER, true };

	if (!parsed->count[SECTION_QUESTION])
		return json_null();
	read_name(&in);
	r.type = read_u16(&in);
	r.class = read_u16(&in);
	return json_pack("{so so so}", "name", name_at(reply->message, r.owner), "class",
		printed(put_class, reply, &r, show), "type", printed(put_type, reply, &r, show));
}

/* ---- the header and EDNS ---- */

static json_t *flags_json(uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = { { DNS_QR, "qr" }, { DNS_AA, "aa" }, { DNS_TC, "tc" }, { DNS_RD, "rd" },
		{ DNS_RA, "ra" }, { DNS_Z, "z" }, { DNS_AD, "ad" }, { DNS_CD, "cd" } };
	json_t *all = json_array();

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (flags & names[i].bit)
			json_array_append_new(all, json_string(names[i].name));
	return all;
}

static json_t *options_json(struct span options)
{
	struct reader in = { options, 0, true };
	json_t *all = json_array();

	while (in.at < options.len) {
		uint16_t code = read_u16(&in);
		uint16_t len = read_u16(&in);
		const uint8_t *at = read_bytes(&in, len);

		if (!in.ok)
			break;
		json_array_append_new(all,
			json_pack("{si so}", "code", code, "hex", hex((struct span){ at, len })));
	}
	return all;
}

static json_t *errors_json(const struct edns *e)
{
	json_t *all = json_array();
	struct edns_error error;

	for (unsigned i = 0; i < EDNS_OPTIONS_MAX && edns_error_at(e, i, &error); i++) {
		char text[EDNS_EDE_TEXT + 1];

		snprintf(text, sizeof text, "%.*s", (int)edns_text_len(error.text),
			(const char *)error.text.at);
		json_array_append_new(
			all, json_pack("{si so}", "code", error.code, "text", object_word(text)));
	}
	return all;
}

static json_t *edns_json(const struct reply *parsed)
{
	const struct edns *e = &parsed->edns;

	if (!parsed->has_opt)
		return json_null();
	return json_pack("{si si sb so so}", "version", e->version, "udp_size", e->udp_size,
		"dnssec_ok", e->dnssec_ok, "extended_errors", errors_json(e), "options",
		options_json(e->options));
}

static json_t *padding_json(struct span message)
{
	struct padding p;

	padding_read(message, &p);
	if (!p.present)
		return json_null();
	return json_pack("{sI sI}", "octets", (json_int_t)p.octets, "block", (json_int_t)p.block);
}

/* ---- all of it ---- */

static json_t *reply_json(const struct ask_plan *plan, const struct ask_reply *r)
{
	struct reply parsed;
	char rcode[TEXT_MAX];

	if (!reply_parse(r->message, &parsed))
		return json_null();
	return json_pack("{si si ss so so so so so so so}", "id", parsed.id, "opcode",
		(parsed.flags & DNS_OPCODE) >> 11, "rcode", text_rcode(parsed.rcode, rcode),
		"flags", flags_json(parsed.flags), "question",
		question_json(r, &parsed, &plan->show), "answer",
		section_json(r, &parsed, &plan->show, SECTION_ANSWER), "authority",
		section_json(r, &parsed, &plan->show, SECTION_AUTHORITY), "additional",
		section_json(r, &parsed, &plan->show, SECTION_ADDITIONAL), "edns",
		edns_json(&parsed), "padding", padding_json(r->message));
}

static json_t *server_json(const struct ask_reply *r)
{
	static const char *const names[] = {
		[SCHEME_TLS] = "tls", [SCHEME_TCP] = "tcp", [SCHEME_UDP] = "udp"
	};
	char host[ADDR_TEXT];

	return json_pack("{ss si ss}", "address", addr_print_host(r->from, host), "port",
		addr_port(r->from), "transport", names[r->over]);
}

static json_t *query_json(const struct ask_plan *plan, const struct ask_reply *r)
{
	const struct ask_question *q = r->question;
	const struct record as_record = { .type = q->type, .class = q->class };
	char name[NAME_TEXT];

	return json_pack("{si sI so so so}", "id", r->sent->id, "octets", (json_int_t)r->sent->len,
		"name", object_word(name_to_text(q->name, name)), "class",
		printed(put_class, r, &as_record, &plan->show), "type",
		printed(put_type, r, &as_record, &plan->show));
}

static json_t *maybe(const char *text)
{
	return text ? object_word(text) : json_null();
}

void json_reply(const struct ask_plan *plan, const struct ask_reply *r, FILE *out)
{
	json_t *o = json_pack("{so so sf si sI so so so so so}", "server", server_json(r), "query",
		query_json(plan, r), "took_seconds", (double)r->took_us / 1e6, "tries",
		(int)r->tries, "octets", (json_int_t)r->message.len, "message", hex(r->message),
		"reply", reply_json(plan, r), "tls",
		r->tls ? agreed_json(r->tls, clock_system_ms() / 1000) : json_null(), "tsig",
		maybe(r->tsig), "remark", maybe(r->remark));

	object_put(o, out);
}
