#include "dns/build.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* The server's message, what it says, the client's question and form, and the answer made of them.
 */
static struct wire wire;
static struct reply reply;
static const struct pack_limits limits = { .ttl_max_s = 604800, .negative_max_s = 10800 };
static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
static struct packed packed;
static struct request request;
static struct answer_form form;
static struct wire made;
static struct reply answer;
static bool truncated;

static const uint8_t asked_name[] = "\3wWw\7eXample\3com";

static void client(bool edns)
{
	request = (struct request){
		.id = 0xabcd,
		.flags = DNS_RD,
		.question = { asked_name, sizeof(asked_name), TYPE_A, CLASS_IN },
		.edns = { .present = edns, .udp_size = 1232 },
	};
	form = (struct answer_form){ .request = &request,
		.size_max = DNS_MESSAGE_MAX,
		.udp_size = 1400,
		.keepalive = -1,
		.ede = EDE_NONE };
}

static void server(unsigned flags)
{
	wire_begin(&wire, flags | DNS_QR | DNS_RD | DNS_RA);
	wire_question(&wire, "www.example.com", TYPE_A);
}

static void read_answer(void)
{
	OK(reply_parse(wire_span(&made), &answer));
	OK(answer.flags & DNS_QR);
	EQ(answer.id, request.id);
}

/* Makes the answer in memory of just that size, so that a sanitizer sees a write past its end. */
static size_t build(size_t cap)
{
	uint8_t *out = malloc(cap);

	OK(out);
	OK(reply_parse(wire_span(&wire), &reply) && reply_answers(&reply, &request.question));
	made.len = 0;
	if (pack_reply(&packed, memory, &reply, &limits))
		made.len = build_answer(out, cap, &form, &packed, &truncated);
	OK(made.len <= cap && made.len <= form.size_max && made.len <= DNS_MESSAGE_MAX);
	memcpy(made.bytes, out, made.len);
	free(out);
	if (made.len > 0) {
		read_answer();
		EQ(answer.has_opt, request.edns.present);
		OK(reply_answers(&answer, &request.question));
	}
	return made.len;
}

static void refuse(enum rcode rcode, enum ede ede)
{
	form.ede = ede;
	made.len = build_error(made.bytes, BUILD_QUERY_MAX, &form, rcode);
	read_answer();
	EQ(answer.has_opt, request.edns.present);
	EQ(answer.edns.version, 0);
}

/* A name of this length: labels of up to 63 octets. */
static void name_of_length(uint8_t name[NAME_MAX_WIRE], size_t len)
{
	size_t left = len - 1;

	memset(name, 'x', len);
	while (left > 0) {
		/* Never leave one octet over, which no label could fill. */
		size_t take = left <= 64 ? left : left == 65 ? 63 : 64;

		*name = (uint8_t)(take - 1);
		name += take;
		left -= take;
	}
	*name = 0;
}

CASE(a_query_is_read_as_it_was_built)
{
	const struct query_form f = {
		.id = 7,
		.flags = 0xffff,
		.question = { asked_name, sizeof(asked_name), TYPE_HTTPS, CLASS_IN },
		.edns = true,
		.dnssec_ok = true,
		.keepalive = true,
	};
	struct request back;
	enum rcode rcode;
	enum ede ede;

	made.len = build_query(made.bytes, &f);
	EQ(query_parse(wire_span(&made), &back, &rcode, &ede), ADMIT);
	EQ(back.id, 7);
	EQ(back.flags, DNS_RD | DNS_AD | DNS_CD);
	OK(question_equals(&back.question, &f.question));
	MEM(back.question.name, asked_name, sizeof(asked_name)); /* as it was spelled */
	EQ(back.edns.udp_size, BUILD_UDP_SIZE);
	OK(back.edns.dnssec_ok && back.edns.has_keepalive && !back.edns.has_padding);
	EQ(back.edns.options.len, 4); /* an empty keepalive (RFC 7828 §3.2.1) */
}

CASE(a_query_without_edns_has_no_opt)
{
	const struct query_form f = { .question = { asked_name, sizeof(asked_name), 1, 1 },
		.dnssec_ok = true,
		.keepalive = true,
		.pad = true };

	EQ(build_query(made.bytes, &f), DNS_HEADER + sizeof(asked_name) + 4);
	EQ(get_u16(made.bytes + 10), 0);
}

CASE(a_padded_query_fills_whole_blocks_for_every_name)
{
	uint8_t name[NAME_MAX_WIRE];

	for (size_t len = 1; len <= NAME_MAX_WIRE; len++)
		for (int keepalive = 0; keepalive < 2; keepalive++) {
			if (len == 2)
				continue; /* no name has two octets */
			name_of_length(name, len);
			const struct query_form f = { .question = { name, len, TYPE_A, CLASS_IN },
				.edns = true,
				.keepalive = keepalive,
				.pad = true };
			uint8_t out[BUILD_QUERY_MAX];
			size_t n = build_query(out, &f);

			size_t bare = DNS_HEADER + len + 4 + 11 + (keepalive ? 4 : 0) + 4;

			EQ(n % BUILD_PAD_QUERY, 0);
			OK(n >= bare && n - bare < BUILD_PAD_QUERY);
			OK(reply_parse((struct span){ out, n }, &answer));
			OK(answer.edns.has_padding && answer.edns.has_keepalive == keepalive);
			EQ(answer.opt_end, n);

			/* Padding is the last option, and zero. */
			size_t at = answer.opt + 11 + (keepalive ? 4 : 0);
			EQ(get_u16(out + at), OPTION_PADDING);
			EQ(at + 4 + get_u16(out + at + 2), n);
			for (at += 4; at < n; at++)
				EQ(out[at], 0);
		}
}

/* What an answer of that length without padding comes to where there is that much room. */
static size_t padded(size_t bare, size_t room)
{
	size_t end = 0;

	while (end < bare + 4)
		end += BUILD_PAD_ANSWER;
	if (end > room)
		end = room;
	return end < bare + 4 ? bare : end;
}

/* How many octets of padding the answer has, which must be zero, in the last option, at the end of
 * the message; -1: it has none. */
static int padding(void)
{
	struct span o = answer.edns.options;
	size_t at = 0, len = 0;
	uint16_t code = 0;

	OK(answer.opt_end == made.len);
	for (; at < o.len; at += 4 + len) {
		OK(code != OPTION_PADDING);
		code = get_u16(o.at + at);
		len = get_u16(o.at + at + 2);
	}
	if (code != OPTION_PADDING)
		return -1;
	for (size_t i = 0; i < len; i++)
		EQ(o.at[o.len - 1 - i], 0);
	return (int)len;
}

/* What padding() must find where that makes an answer longer by so many octets. */
static int filled_by(size_t longer)
{
	return longer ? (int)longer - 4 : -1;
}

/* The server's message: one record of so many octets of data. */
static void server_says(size_t octets)
{
	static const uint8_t data[DNS_MESSAGE_MAX];

	server(0);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, 65280, CLASS_IN, 60,
		(struct span){ data, octets });
}

static void builds_padded(size_t octets, size_t room)
{
	server_says(octets);
	form.pad = false;
	form.size_max = DNS_MESSAGE_MAX;
	size_t bare = build(DNS_MESSAGE_MAX);

	EQ(padding(), -1);
	form.pad = true;
	form.size_max = room;
	EQ(build(DNS_MESSAGE_MAX), padded(bare, room));
	OK(!truncated && padding() == filled_by(made.len - bare));
}

CASE(a_padded_answer_fills_whole_blocks_for_every_length)
{
	for (int with = 0; with < 4; with++) {
		client(true);
		form.keepalive = with & 1 ? 300 : -1;
		form.ede = with & 2 ? EDE_STALE : EDE_NONE;
		form.ede_text = "as it was";
		for (size_t octets = 0; octets <= 1500; octets++)
			builds_padded(octets, DNS_MESSAGE_MAX);
	}
}

CASE(padding_never_leads_beyond_the_room_there_is)
{
	client(true);
	server_says(0);
	size_t head = build(DNS_MESSAGE_MAX);

	for (size_t bare = DNS_MESSAGE_MAX - 600; bare <= DNS_MESSAGE_MAX; bare++) {
		server_says(bare - head);
		form.pad = true;
		EQ(build(DNS_MESSAGE_MAX), padded(bare, DNS_MESSAGE_MAX));
		OK(!truncated && padding() == filled_by(made.len - bare));
	}
	for (size_t room = 400; room <= 1000; room++)
		builds_padded(300, room);
}

CASE(a_truncated_answer_is_padded_as_far_as_there_is_room)
{
	client(true);
	server_says(2000);
	form.pad = true;
	for (form.size_max = 100; form.size_max <= 1500; form.size_max++) {
		size_t bare = DNS_HEADER + sizeof(asked_name) + 4 + 11;

		EQ(build(DNS_MESSAGE_MAX), padded(bare, form.size_max));
		OK(truncated && padding() >= 0);
	}
}

CASE(an_error_is_padded_behind_its_reason)
{
	for (int with = 0; with < 4; with++) {
		client(true);
		form.keepalive = with & 1 ? 300 : -1;
		form.ede_text = with & 2 ? "no server answered" : NULL;
		form.pad = true;
		made.len = build_error(made.bytes, sizeof(made.bytes), &form, RCODE_SERVFAIL);
		read_answer();
		EQ(made.len, 468);
		OK(padding() > 0);
		refuse(RCODE_SERVFAIL, EDE_OTHER);
		EQ(made.len, 468);
		OK(padding() > 0);
	}
}

CASE(without_edns_nothing_is_padded)
{
	client(false);
	form.pad = true;
	server_says(10);
	EQ(build(DNS_MESSAGE_MAX), wire.len);
	refuse(RCODE_SERVFAIL, EDE_OTHER);
	EQ(made.len, DNS_HEADER + sizeof(asked_name) + 4);
}

CASE(an_error_repeats_id_question_opcode_rd_and_cd)
{
	client(false);
	request.flags = 0x7fff; /* all but QR */
	refuse(RCODE_REFUSED, EDE_NONE);
	EQ(answer.flags, DNS_QR | DNS_OPCODE | DNS_RD | DNS_RA | DNS_CD | RCODE_REFUSED);
	EQ(made.len, DNS_HEADER + sizeof(asked_name) + 4);
	MEM(made.bytes + DNS_HEADER, asked_name, sizeof(asked_name));

	request.flags = 0;
	refuse(RCODE_SERVFAIL, EDE_NONE);
	EQ(answer.flags, DNS_QR | DNS_RA | RCODE_SERVFAIL);
}

CASE(an_error_has_opt_and_a_reason_if_the_query_had_opt)
{
	struct edns_error error;

	client(true);
	request.edns.dnssec_ok = true;
	form.ede_text = "no server answered";
	refuse(RCODE_SERVFAIL, EDE_NO_REACHABLE_AUTHORITY);
	EQ(answer.edns.udp_size, 1400);
	OK(answer.edns.dnssec_ok);
	OK(edns_error_at(&answer.edns, 0, &error));
	EQ(error.code, EDE_NO_REACHABLE_AUTHORITY);
	EQ(error.text.len, 18);
	MEM(error.text.at, "no server answered", 18);

	client(false);
	form.ede_text = "no server answered";
	refuse(RCODE_SERVFAIL, EDE_NO_REACHABLE_AUTHORITY);
	EQ(answer.count[SECTION_ADDITIONAL], 0);
}

CASE(an_error_needs_no_question)
{
	for (int edns = 0; edns < 2; edns++) {
		client(edns);
		request.question = (struct question){ .name = NULL };
		refuse(RCODE_FORMERR, EDE_OTHER);
		EQ(answer.count[SECTION_QUESTION], 0);
		EQ(made.len, DNS_HEADER + (edns ? 11 + 6 : 0));
	}
}

CASE(a_bad_version_is_told_in_opt)
{
	client(true);
	request.edns.version = 1;
	refuse(RCODE_BADVERS, EDE_NONE);
	EQ(answer.rcode, RCODE_BADVERS);
	EQ(answer.flags & DNS_RCODE, 0);

	client(false); /* cannot be, but must not be said as NOERROR */
	refuse(RCODE_BADVERS, EDE_NONE);
	EQ(answer.rcode, RCODE_SERVFAIL);
}

CASE(the_idle_timeout_is_told_if_it_is_given)
{
	client(true);
	refuse(RCODE_REFUSED, EDE_NONE);
	OK(!answer.edns.has_keepalive);
	form.keepalive = 300;
	refuse(RCODE_REFUSED, EDE_NONE);
	OK(answer.edns.has_keepalive && answer.edns.keepalive == 300);
}

CASE(a_long_reason_is_cut_between_characters)
{
	char text[200] = "x";
	struct edns_error error;

	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	client(true);
	form.ede_text = text;
	refuse(RCODE_SERVFAIL, EDE_OTHER);
	OK(edns_error_at(&answer.edns, 0, &error));
	EQ(error.text.len, EDNS_EDE_TEXT - 1);
}

CASE(the_largest_error_fits_and_a_smaller_room_is_respected)
{
	uint8_t name[NAME_MAX_WIRE];
	char text[300] = { 0 };

	memset(text, 'x', sizeof(text) - 1);
	name_of_length(name, sizeof(name));
	client(true);
	request.question.name = name;
	request.question.name_len = sizeof(name);
	form.keepalive = 300;
	form.ede_text = text;
	refuse(RCODE_SERVFAIL, EDE_OTHER);
	size_t most = made.len, least = DNS_HEADER + sizeof(name) + 4 + 11;

	for (form.size_max = 0; form.size_max <= most; form.size_max++) {
		size_t len = build_error(made.bytes, sizeof(made.bytes), &form, RCODE_SERVFAIL);

		OK(len <= form.size_max && (len > 0 || form.size_max < least));
	}
}

CASE(an_answer_has_the_clients_id_and_spelling)
{
	client(false);
	server(0);
	wire_address(&wire, SECTION_ANSWER);
	EQ(build(DNS_MESSAGE_MAX), wire.len);
	OK(!truncated);
	MEM(made.bytes + DNS_HEADER, asked_name, sizeof(asked_name));
	MEM(made.bytes + reply.question_end, wire.bytes + reply.question_end,
		wire.len - reply.question_end);
}

CASE(flags_of_an_answer_are_ours_and_the_clients)
{
	client(false);
	request.flags = DNS_RD | DNS_CD;
	server(DNS_AA | DNS_Z | DNS_AD | RCODE_NXDOMAIN);
	build(DNS_MESSAGE_MAX);
	EQ(answer.flags, DNS_QR | DNS_RD | DNS_RA | DNS_CD | RCODE_NXDOMAIN);

	request.flags = 0;
	server(DNS_CD);
	build(DNS_MESSAGE_MAX);
	EQ(answer.flags, DNS_QR | DNS_RA);
}

CASE(ad_is_for_those_who_set_ad_or_do)
{
	for (int ad = 0; ad < 2; ad++)
		for (int dnssec_ok = 0; dnssec_ok < 2; dnssec_ok++) {
			client(true);
			request.flags |= ad ? DNS_AD : 0;
			request.edns.dnssec_ok = dnssec_ok;
			server(DNS_AD);
			build(DNS_MESSAGE_MAX);
			EQ((answer.flags & DNS_AD) != 0, ad || dnssec_ok);
			EQ(answer.edns.dnssec_ok, dnssec_ok);
			server(0);
			build(DNS_MESSAGE_MAX);
			OK(!(answer.flags & DNS_AD));
		}
}

CASE(the_servers_tc_is_passed_on)
{
	client(true);
	server(DNS_TC);
	build(DNS_MESSAGE_MAX);
	OK(answer.flags & DNS_TC);
	OK(!truncated);
}

CASE(ttls_that_cannot_be_meant_are_brought_down)
{
	static const uint32_t sent[] = { 0, 300, 604800, 604801, 0x7fffffff, 0x80000000,
		0x80000001 };
	static const uint32_t told[] = { 0, 300, 604800, 604800, 604800, 0, 0 };
	struct record rec;

	client(true);
	server(0);
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		wire_record(&wire, SECTION_ANSWER, TO_QUESTION, (uint16_t)(65280 + i), CLASS_IN,
			sent[i], ADDRESS);
	wire_opt(&wire, 0xff008000, NOTHING);
	request.edns.dnssec_ok = true;
	build(DNS_MESSAGE_MAX);
	EQ(answer.rcode, 0xff0); /* the TTL of OPT is none */
	OK(answer.edns.dnssec_ok);

	size_t at = answer.question_end;
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		message_record(wire_span(&made), &at, &rec);
		EQ(rec.ttl, told[i]);
	}
}

CASE(a_name_that_leads_through_a_lowered_ttl_makes_no_answer)
{
	client(false);
	server(0);
	/* The last octet of this TTL is a root label; that of the lowered one, 0x80, begins no
	 * name. */
	uint8_t ttl_end[2];
	size_t record = wire.len;
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_A, CLASS_IN, 0x7fffff00, ADDRESS);
	put_u16(ttl_end, (uint16_t)(0xc000 | (record + 9)));
	wire_record(
		&wire, SECTION_ANSWER, (struct span){ ttl_end, 2 }, TYPE_A, CLASS_IN, 5, ADDRESS);
	EQ(build(DNS_MESSAGE_MAX), 0);
}

CASE(opt_is_for_those_who_sent_one)
{
	for (int from_server = 0; from_server < 2; from_server++)
		for (int from_client = 0; from_client < 2; from_client++) {
			client(from_client);
			server(0);
			wire_address(&wire, SECTION_ANSWER);
			wire_address(&wire, SECTION_ADDITIONAL);
			if (from_server)
				wire_opt(&wire, 0,
					SPAN("\0\x0a\0\x08"
					     "8 octets"));
			build(DNS_MESSAGE_MAX);
			EQ(answer.count[SECTION_ADDITIONAL], 1 + from_client);
			EQ(answer.edns.udp_size, from_client ? 1400 : 0);
			EQ(answer.edns.options.len, 0);
		}
}

CASE(an_extended_rcode_needs_opt_to_be_said)
{
	for (uint32_t high = 1; high < 256; high++) {
		server(1);
		wire_opt(&wire, high << 24, NOTHING);
		client(true);
		build(DNS_MESSAGE_MAX);
		EQ(answer.rcode, high << 4 | 1);
		client(false);
		build(DNS_MESSAGE_MAX);
		EQ(answer.rcode, RCODE_SERVFAIL);
	}
}

CASE(the_servers_reasons_are_passed_on_and_its_other_options_are_not)
{
	struct edns_error error;

	client(true);
	form.keepalive = 50;
	server(2);
	wire_opt(&wire, 0,
		SPAN("\0\x0f\0\4\0\x16"
		     "ab"
		     "\0\x0c\0\2\0\0"
		     "\0\x0b\0\2\0\1"
		     "\0\x0f\0\2\0\x17"
		     "\0\x0f\0\2\0\x18"
		     "\0\x0f\0\2\0\x19"
		     "\0\x0f\0\2\0\x1a"));
	build(DNS_MESSAGE_MAX);
	OK(!answer.edns.has_padding && answer.edns.keepalive == 50);
	for (unsigned n = 0; n < EDNS_EDE_MAX; n++) {
		OK(edns_error_at(&answer.edns, n, &error));
		EQ(error.code, 0x16 + n);
	}
	OK(!edns_error_at(&answer.edns, EDNS_EDE_MAX, &error));
}

CASE(a_very_long_reason_of_a_server_is_cut)
{
	static uint8_t option[60004] = { 0, OPTION_EDE, 60000 >> 8, 60000 & 0xff };
	struct edns_error error;

	client(true);
	server(2);
	wire_opt(&wire, 0, (struct span){ option, sizeof(option) });
	build(DNS_MESSAGE_MAX);
	OK(edns_error_at(&answer.edns, 0, &error));
	EQ(error.text.len, EDNS_EDE_TEXT);
}

CASE(reasons_give_way_to_data_first_their_text_then_all)
{
	struct edns_error error;

	client(true);
	server(0);
	wire_address(&wire, SECTION_ANSWER);
	size_t data = wire.len + 11;
	wire_opt(&wire, 0,
		SPAN("\0\x0f\0\5\0\x16"
		     "abc"));

	for (form.size_max = data; form.size_max < data + 20; form.size_max++) {
		build(DNS_MESSAGE_MAX);
		OK(!truncated);
		EQ(answer.count[SECTION_ANSWER], 1);
		EQ(edns_error_at(&answer.edns, 0, &error), form.size_max >= data + 6);
		if (form.size_max >= data + 6)
			EQ(error.text.len, form.size_max >= data + 9 ? 3 : 0);
	}
}

CASE(unknown_rdata_is_the_same_octet_for_octet)
{
	client(false);
	for (unsigned type = TYPE_TXT; type <= 0xffff; type++) {
		if (type == TYPE_OPT)
			continue;
		server(0);
		wire_record(&wire, SECTION_ANSWER, TO_QUESTION, type, CLASS_IN, 5,
			SPAN("\xc0\x0c\xff\0"));
		EQ(build(DNS_MESSAGE_MAX), wire.len);
		MEM(made.bytes + reply.question_end, wire.bytes + reply.question_end,
			wire.len - reply.question_end);
	}
}

/* The n-th record of the additional section, OPT left out. */
static struct record additional(unsigned n)
{
	struct record rec = { .owner = 0 };
	size_t at = answer.section[SECTION_ADDITIONAL];

	for (unsigned i = 0; i <= n; i++)
		message_record(wire_span(&made), &at, &rec);
	return rec;
}

static bool is_name(size_t at, const char *text)
{
	uint8_t name[NAME_MAX_WIRE], wanted[NAME_MAX_WIRE];
	size_t len = name_from_text(text, wanted);

	return name_copy(wire_span(&made), at, name) == len && name_equals(name, wanted, len);
}

static struct span pointer_to(uint8_t bytes[2], size_t at)
{
	put_u16(bytes, (uint16_t)(0xc000 | at));
	return (struct span){ bytes, 2 };
}

CASE(records_behind_opt_keep_their_names)
{
	uint8_t here[2], mx[4] = { 0, 10 }, srv[8] = { 0, 1, 0, 2, 0, 3 };

	for (int edns = 0; edns < 2; edns++) {
		client(edns);
		server(0);
		wire_address(&wire, SECTION_ANSWER);
		wire_opt(&wire, 0, SPAN("\0\x0c\0\7\0\0\0\0\0\0\0"));
		pointer_to(here, wire.len);
		wire_record(&wire, SECTION_ADDITIONAL, SPAN("\2ns\xc0\x10"), TYPE_A, CLASS_IN, 5,
			ADDRESS);
		memcpy(mx + 2, here, 2);
		memcpy(srv + 6, here, 2);
		wire_record(&wire, SECTION_ADDITIONAL, (struct span){ here, 2 }, TYPE_MX, CLASS_IN,
			5, (struct span){ mx, 4 });
		wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, TYPE_SRV, CLASS_IN, 5,
			(struct span){ srv, 8 });
		wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, 65280, CLASS_IN, 5,
			(struct span){ srv, 8 });
		build(DNS_MESSAGE_MAX);

		OK(!truncated);
		EQ(answer.count[SECTION_ADDITIONAL], 4 + edns);
		OK(!edns || answer.opt_end == made.len);
		OK(is_name(additional(0).owner, "ns.example.com"));
		OK(is_name(additional(1).owner, "ns.example.com"));
		OK(is_name(additional(1).rdata + 2, "ns.example.com"));
		OK(is_name(additional(2).owner, "www.example.com"));
		OK(is_name(additional(2).rdata + 6, "ns.example.com"));
		EQ(additional(3).end - additional(3).rdata, 8);
		MEM(made.bytes + additional(3).rdata, srv, 8);
	}
}

CASE(every_type_that_may_be_compressed_can_move)
{
	static const struct {
		unsigned type;
		struct span before, after;
	} types[] = {
		{ TYPE_CNAME, SPAN(""), SPAN("") },
		{ TYPE_SOA, SPAN("\1a\0"), SPAN("12345678901234567890") },
		{ TYPE_MINFO, SPAN("\1a\0"), SPAN("") },
		{ TYPE_RP, SPAN("\1a\0"), SPAN("") },
		{ TYPE_AFSDB, SPAN("12"), SPAN("") },
		{ TYPE_RT, SPAN("12"), SPAN("") },
		{ TYPE_SIG, SPAN("123456789012345678"), SPAN("signature") },
		{ TYPE_PX, SPAN("12\1a\0"), SPAN("") },
		{ TYPE_NXT, SPAN(""), SPAN("bits") },
		{ TYPE_SRV, SPAN("123456"), SPAN("") },
		{ TYPE_NAPTR, SPAN("1234\1s\0\2re"), SPAN("") },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint8_t rdata[64];
		size_t before = types[i].before.len, after = types[i].after.len;

		client(true);
		server(0);
		wire_opt(&wire, 0, SPAN("\0\x0c\0\1\0"));
		memcpy(rdata, types[i].before.at, before);
		pointer_to(rdata + before, wire.len);
		memcpy(rdata + before + 2, types[i].after.at, after);
		wire_record(&wire, SECTION_ADDITIONAL, SPAN("\1b\0"), types[i].type, CLASS_IN, 5,
			(struct span){ rdata, before + 2 + after });
		build(DNS_MESSAGE_MAX);

		struct record rec = additional(0);
		EQ(rec.end - rec.rdata, before + 3 + after);
		MEM(made.bytes + rec.rdata, types[i].before.at, before);
		OK(is_name(rec.rdata + before, "b"));
		MEM(made.bytes + rec.end - after, types[i].after.at, after);
	}
}

CASE(what_cannot_move_is_left_out_without_tc)
{
	client(true);
	server(0);
	wire_address(&wire, SECTION_ANSWER);
	wire_opt(&wire, 0, NOTHING);
	wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, TYPE_SRV, CLASS_IN, 5, SPAN("12345"));
	build(DNS_MESSAGE_MAX);
	OK(!truncated && !(answer.flags & DNS_TC));
	EQ(answer.count[SECTION_ANSWER], 1);
	EQ(answer.count[SECTION_ADDITIONAL], 1);
}

/* RRsets of 3 (two addresses and their signature), 2, 1 | 2 with the signature first | 2, 1. */
static void many_rrsets(bool opt_last)
{
	static const uint8_t signature[40] = { 0, TYPE_A }, ns_signature[40] = { 0, TYPE_NS };
	const struct span sig = { signature, 40 }, ns_sig = { ns_signature, 40 };

	server(0);
	wire_address(&wire, SECTION_ANSWER);
	wire_address(&wire, SECTION_ANSWER);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_RRSIG, CLASS_IN, 300, sig);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_TXT, CLASS_IN, 300, SPAN("\1a"));
	wire_record(
		&wire, SECTION_ANSWER, SPAN("\3wwW\xc0\x10"), TYPE_TXT, CLASS_IN, 300, SPAN("\1b"));
	wire_record(
		&wire, SECTION_ANSWER, SPAN("\3ww2\xc0\x10"), TYPE_TXT, CLASS_IN, 300, SPAN("\1b"));
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_RRSIG, CLASS_IN, 300, ns_sig);
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_NS, CLASS_IN, 300, TO_QUESTION);
	if (!opt_last)
		wire_opt(&wire, 0, NOTHING);
	wire_address(&wire, SECTION_ADDITIONAL);
	wire_address(&wire, SECTION_ADDITIONAL);
	wire_record(&wire, SECTION_ADDITIONAL, SPAN("\1x\xc0\x0c"), TYPE_A, CLASS_IN, 300, ADDRESS);
	if (opt_last)
		wire_opt(&wire, 0,
			SPAN("\0\x0f\0\4\0\x16"
			     "ab"));
}

static void check_truncated(void)
{
	unsigned an = answer.count[SECTION_ANSWER], ns = answer.count[SECTION_AUTHORITY];
	unsigned ar = answer.count[SECTION_ADDITIONAL] - (answer.has_opt ? 1u : 0);

	OK(an == 0 || an == 3 || an == 5 || an == 6);
	OK(ns == 0 || (ns == 2 && an == 6));
	OK(ar == 0 || ((ar == 2 || ar == 3) && ns == 2));
	EQ(truncated, ns < 2);
	EQ((answer.flags & DNS_TC) != 0, truncated);
}

CASE(an_answer_of_any_size_has_whole_rrsets)
{
	for (int edns = 0; edns < 2; edns++)
		for (int opt_last = 0; opt_last < 2; opt_last++) {
			unsigned records = 0;

			client(edns);
			form.keepalive = edns ? 100 : -1;
			many_rrsets(opt_last);
			for (size_t size = DNS_HEADER; size < wire.len + 100; size++) {
				form.size_max = size;
				if (build(size) == 0) {
					OK(size < reply.question_end + 17);
					continue;
				}
				check_truncated();
				unsigned now = (unsigned)answer.count[1] + answer.count[2] +
					answer.count[3];
				OK(now >= records); /* more room never means less */
				records = now;
			}
			EQ(records, 11 + edns);
		}
}

CASE(an_answer_that_just_fits_is_whole)
{
	client(true);
	many_rrsets(true);
	size_t len = build(DNS_MESSAGE_MAX);

	form.size_max = len;
	EQ(build(DNS_MESSAGE_MAX), len);
	EQ(answer.count[SECTION_ADDITIONAL], 4);
	EQ(build(len), len);
}

CASE(a_reply_of_full_length_stays_below_the_limit_with_our_opt)
{
	static const uint8_t text[65535 - 33 - 12];

	for (int edns = 0; edns < 2; edns++)
		for (size_t less = 0; less < 40; less++) {
			client(edns);
			form.size_max = SIZE_MAX;
			server(0);
			wire_record(&wire, SECTION_ANSWER, TO_QUESTION, 65280, CLASS_IN, 5,
				(struct span){ text, sizeof(text) - less });
			EQ(wire.len, DNS_MESSAGE_MAX - less);
			build(DNS_MESSAGE_MAX + 1000);
			EQ(truncated, edns && less < 11);
		}
}

CASE(without_room_for_the_question_there_is_no_answer)
{
	client(false);
	server(0);
	EQ(build(reply.question_end - 1), 0);
	EQ(build(reply.question_end), reply.question_end);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_query_is_read_as_it_was_built),
		CLAIM(a_query_without_edns_has_no_opt),
		CLAIM(a_padded_query_fills_whole_blocks_for_every_name),
		CLAIM(a_padded_answer_fills_whole_blocks_for_every_length),
		CLAIM(padding_never_leads_beyond_the_room_there_is),
		CLAIM(a_truncated_answer_is_padded_as_far_as_there_is_room),
		CLAIM(an_error_is_padded_behind_its_reason),
		CLAIM(without_edns_nothing_is_padded),
		CLAIM(an_error_repeats_id_question_opcode_rd_and_cd),
		CLAIM(an_error_has_opt_and_a_reason_if_the_query_had_opt),
		CLAIM(an_error_needs_no_question),
		CLAIM(a_bad_version_is_told_in_opt),
		CLAIM(the_idle_timeout_is_told_if_it_is_given),
		CLAIM(a_long_reason_is_cut_between_characters),
		CLAIM(the_largest_error_fits_and_a_smaller_room_is_respected),
		CLAIM(an_answer_has_the_clients_id_and_spelling),
		CLAIM(flags_of_an_answer_are_ours_and_the_clients),
		CLAIM(ad_is_for_those_who_set_ad_or_do),
		CLAIM(the_servers_tc_is_passed_on),
		CLAIM(ttls_that_cannot_be_meant_are_brought_down),
		CLAIM(a_name_that_leads_through_a_lowered_ttl_makes_no_answer),
		CLAIM(opt_is_for_those_who_sent_one),
		CLAIM(an_extended_rcode_needs_opt_to_be_said),
		CLAIM(the_servers_reasons_are_passed_on_and_its_other_options_are_not),
		CLAIM(a_very_long_reason_of_a_server_is_cut),
		CLAIM(reasons_give_way_to_data_first_their_text_then_all),
		CLAIM(unknown_rdata_is_the_same_octet_for_octet),
		CLAIM(records_behind_opt_keep_their_names),
		CLAIM(every_type_that_may_be_compressed_can_move),
		CLAIM(what_cannot_move_is_left_out_without_tc),
		CLAIM(an_answer_of_any_size_has_whole_rrsets),
		CLAIM(an_answer_that_just_fits_is_whole),
		CLAIM(a_reply_of_full_length_stays_below_the_limit_with_our_opt),
		CLAIM(without_room_for_the_question_there_is_no_answer),
	};

	return RUN(cases);
}
