/* OPT records: what is read of options is what a plain walk over them finds, and what we build is
 * read as it was meant. */
#include <string.h>

#include "dns/behind.h"
#include "dns/build.h"
#include "fuzz.h"

/* ---- reading ---- */

/* What a walk over the options finds. */
struct walked {
	bool whole, padding;
	unsigned count, errors;
	int keepalive; /* -1: none */
};

static struct walked walk(struct span options)
{
	struct walked w = { .keepalive = -1 };
	size_t at = 0;

	for (; options.len - at >= 4; w.count++) {
		unsigned code = get_u16(options.at + at), len = get_u16(options.at + at + 2);

		at += 4;
		if (len > options.len - at)
			return w;
		w.padding |= code == 12;
		w.errors += code == 15 && len >= 2;
		if (code == 11 && (len == 0 || len == 2))
			w.keepalive = len ? get_u16(options.at + at) : 0;
		at += len;
	}
	w.whole = at == options.len;
	return w;
}

static void read_options(struct edns *e, struct span options)
{
	const struct walked w = walk(options);
	const bool ok = edns_parse(e, 4096, EDNS_DO, options);
	struct edns_error error;
	unsigned errors = 0;

	HOLDS(ok == (w.whole && w.count <= EDNS_OPTIONS_MAX));
	HOLDS(e->present && e->dnssec_ok && e->udp_size == 4096 && e->version == 0);
	if (!ok) {
		HOLDS(e->options.len == 0);
		return;
	}
	HOLDS(e->has_padding == w.padding && e->has_keepalive == (w.keepalive >= 0));
	HOLDS(!e->has_keepalive || e->keepalive == w.keepalive);
	for (; edns_error_at(e, errors, &error); errors++)
		HOLDS(edns_text_len(error.text) <= EDNS_EDE_TEXT);
	HOLDS(errors == w.errors);
}

/* Whom a forwarder asks for is a network of its family, and words that end. */
static void read_behind(struct span options)
{
	uint8_t out[BEHIND_OPTIONS];
	struct behind b, back;
	char mac[BEHIND_MAC];

	if (!behind_read(&b, options))
		return;
	HOLDS(b.address_len == 0 || b.address_len == 4 || b.address_len == 16);
	HOLDS(b.bits <= 8 * b.address_len && (b.bits > 0) == (b.address_len > 0));
	HOLDS(!b.address_len || b.has_subnet);
	for (unsigned n = b.bits; n < 8 * BEHIND_ADDRESS; n++)
		HOLDS(!(b.address[n / 8] & 0x80 >> n % 8));
	HOLDS(memchr(b.mac, '\0', sizeof b.mac) && memchr(b.cpe_id, '\0', sizeof b.cpe_id));
	const struct span again = { out, behind_write(out, &b) };

	HOLDS(behind_read(&back, again) && memcmp(&b, &back, sizeof b) == 0);
	if (!*b.mac)
		return;
	HOLDS(behind_read_mac(mac, (struct span){ (uint8_t *)b.mac, strlen(b.mac) }));
	HOLDS(strcmp(mac, b.mac) == 0);
}

/* ---- building ---- */

/* A text of ours in front, then as much of the server's errors as fits. */
static void compare(const struct answer_form *f, const struct reply *r, const struct edns *server)
{
	struct edns_error error, from;
	unsigned n = 0;

	HOLDS(r->has_opt && r->edns.version == 0 && r->edns.dnssec_ok);
	HOLDS(r->edns.udp_size == f->udp_size && !r->edns.has_padding);
	HOLDS(r->edns.has_keepalive == (f->keepalive >= 0));
	HOLDS(f->keepalive < 0 || r->edns.keepalive == f->keepalive);
	for (unsigned i = 0; i < EDNS_EDE_MAX && edns_error_at(server, i, &from); i++) {
		if (!edns_error_at(&r->edns, n + 1, &error))
			return; /* no room for more */
		n++;
		HOLDS(error.code == from.code);
		HOLDS(!error.text.len || error.text.len == edns_text_len(from.text));
		HOLDS(memcmp(error.text.at, from.text.at, error.text.len) == 0);
	}
	HOLDS(!edns_error_at(&r->edns, n + 1, &error));
}

static size_t put_reply(uint8_t *out, struct span options)
{
	static const uint8_t head[] = { 0, 0, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 1, /* question: */ 1,
		'a', 0, 0, 1, 0, 1, /* OPT: */ 0, 0, 41, 16, 0, 0, 0, 0x80, 0 };

	memcpy(out, head, sizeof head);
	put_u16(out + sizeof head, (uint16_t)options.len);
	memcpy(out + sizeof head + 2, options.at, options.len);
	return sizeof head + 2 + options.len;
}

/* A server's reply with these options, given to a client, with a text of ours. */
static void pass_on(struct span options, size_t size_max, const char *text)
{
	static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	static uint8_t message[DNS_MESSAGE_MAX], out[DNS_MESSAGE_MAX];
	static const struct pack_limits limits = { 0, 86400, 3600 };
	const struct request request = { .edns = { .present = true, .dnssec_ok = true },
		.question = { message + DNS_HEADER, 3, TYPE_A, CLASS_IN } };
	struct answer_form f = { .request = &request,
		.size_max = size_max,
		.udp_size = 1232,
		.keepalive = size_max % 2 ? (int)size_max : -1,
		.ede = EDE_STALE,
		.ede_text = text };
	struct reply server, back;
	struct packed packed;
	struct edns_error own;
	bool truncated;
	size_t len = put_reply(message, options);

	HOLDS(reply_parse((struct span){ message, len }, &server));
	HOLDS(pack_reply(&packed, memory, &server, &limits));
	len = build_answer(out, sizeof out, &f, &packed, &truncated);
	HOLDS(len <= size_max && (len > 0 || size_max < BUILD_QUERY_MAX));
	if (!len)
		return;
	HOLDS(reply_parse((struct span){ out, len }, &back) && !truncated);
	if (!edns_error_at(&back.edns, 0, &own)) {
		HOLDS(size_max < BUILD_QUERY_MAX);
		return;
	}
	HOLDS(own.code == EDE_STALE && own.text.len <= EDNS_EDE_TEXT);
	HOLDS(memcmp(own.text.at, text, own.text.len) == 0);
	compare(&f, &back, &server.edns);
}

/* The first two octets are the room for an answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[256] = "";
	struct span options = { data + 2, len - 2 };
	struct edns e;

	if (len < 2 || len > 32768)
		return 0;
	read_options(&e, options);
	if (e.options.len == options.len)
		read_behind(options);
	memcpy(text, options.at, options.len < sizeof text ? options.len : sizeof text - 1);
	if (e.options.len == options.len)
		pass_on(options, get_u16(data) % 2048, text);
	return 0;
}
