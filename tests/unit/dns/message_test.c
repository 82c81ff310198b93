#include "dns/message.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

static struct wire wire;
static struct request request;
static struct reply reply;
static enum ede ede;

/* query_parse()'s judgement as one number: the rcode of a refusal, or one of these. The message is
 * copied to memory of its own length, so that a sanitizer sees a read past its end. */
enum { ADMITTED = -1, DROPPED = -2 };

static uint8_t *copy;

static struct span exact(struct span m)
{
	free(copy);
	copy = malloc(m.len ? m.len : 1);
	OK(copy);
	memcpy(copy, m.at, m.len);
	return (struct span){ copy, m.len };
}

static int judged(const struct wire *w)
{
	enum rcode rcode;

	switch (query_parse(exact(wire_span(w)), &request, &rcode, &ede)) {
	case ADMIT:
		EQ(rcode, RCODE_NOERROR);
		EQ(ede, EDE_NONE);
		return ADMITTED;
	case ADMIT_DROP:
		return DROPPED;
	case ADMIT_REFUSE:
		break;
	}
	return (int)rcode;
}

static bool is_reply(const struct wire *w)
{
	return reply_parse(exact(wire_span(w)), &reply);
}

static void query(unsigned flags, unsigned type)
{
	wire_begin(&wire, flags);
	wire_question(&wire, "Www.example.com", type);
}

static void response(unsigned flags, unsigned type)
{
	query(flags | DNS_QR, type);
}

static void set_count(int section, unsigned count)
{
	put_u16(wire.bytes + 4 + 2 * section, (uint16_t)count);
}

static void set_class(unsigned class)
{
	put_u16(wire.bytes + wire.len - 2, (uint16_t) class);
}

static void any_record(int section, unsigned type)
{
	wire_record(&wire, section, TO_QUESTION, type, CLASS_IN, 0, ADDRESS);
}

CASE(a_plain_query_is_admitted)
{
	query(DNS_RD, TYPE_A);
	EQ(judged(&wire), ADMITTED);
	EQ(request.id, 0x1234);
	EQ(request.flags, DNS_RD);
	EQ(request.question.type, TYPE_A);
	EQ(request.question.class, CLASS_IN);
	EQ(request.question.name_len, 17);
	MEM(request.question.name, "\3Www\7example\3com", 17);
	OK(!request.edns.present);
}

CASE(a_query_with_opt_is_admitted)
{
	query(DNS_RD, TYPE_AAAA);
	wire_opt(&wire, 0x8000, SPAN("\0\x0b\0\0"));
	EQ(judged(&wire), ADMITTED);
	OK(request.edns.present && request.edns.dnssec_ok && request.edns.has_keepalive);
	EQ(request.edns.udp_size, 1232);
}

CASE(flags_that_mean_nothing_in_a_query_are_ignored)
{
	query(DNS_RD | DNS_AA | DNS_TC | DNS_RA | DNS_Z | DNS_AD | DNS_CD | 0xf, TYPE_A);
	EQ(judged(&wire), ADMITTED);
}

CASE(any_type_but_opt_and_transfers_is_admitted)
{
	for (unsigned type = 0; type <= 0xffff; type++) {
		int wanted = ADMITTED;

		if (type == TYPE_OPT)
			wanted = RCODE_FORMERR;
		if (type == TYPE_AXFR || type == TYPE_IXFR)
			wanted = RCODE_REFUSED;
		query(DNS_RD, type);
		EQ(judged(&wire), wanted);
	}
}

CASE(less_than_a_header_is_dropped)
{
	query(DNS_RD, TYPE_A);
	for (wire.len = 0; wire.len < DNS_HEADER; wire.len++)
		EQ(judged(&wire), DROPPED);
}

CASE(a_response_is_dropped)
{
	query(DNS_QR | DNS_RD, TYPE_A);
	EQ(judged(&wire), DROPPED);
	query(DNS_QR | DNS_OPCODE, TYPE_A);
	EQ(judged(&wire), DROPPED);
}

CASE(an_unknown_opcode_is_never_met_with_silence)
{
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		query(opcode << 11, TYPE_A);
		EQ(judged(&wire), RCODE_NOTIMP);
		wire.len = DNS_HEADER;
		EQ(judged(&wire), RCODE_NOTIMP);
		set_count(SECTION_QUESTION, 0);
		EQ(judged(&wire), RCODE_NOTIMP);
	}
}

CASE(opt_is_found_in_an_update)
{
	query(5 << 11, TYPE_SOA);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_ANY, TYPE_ANY, 0, NOTHING);
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_A, CLASS_IN, 5, ADDRESS);
	wire_opt(&wire, 0, NOTHING);
	EQ(judged(&wire), RCODE_NOTIMP);
	OK(request.edns.present);
}

CASE(a_query_without_question_is_malformed)
{
	wire_begin(&wire, DNS_RD);
	wire_opt(&wire, 0, NOTHING);
	EQ(judged(&wire), RCODE_FORMERR);
	OK(!request.question.name);
	OK(request.edns.present);
}

CASE(a_query_with_two_questions_is_malformed_and_repeats_none)
{
	static const char *const names[] = { "www.example.com", "other.example.com" };

	for (int i = 0; i < 2; i++) {
		query(DNS_RD, TYPE_A);
		wire_question(&wire, names[i], TYPE_A);
		wire_opt(&wire, 0x8000, NOTHING);
		EQ(judged(&wire), RCODE_FORMERR);
		OK(!request.question.name);
		OK(request.edns.present && request.edns.dnssec_ok);
	}
}

CASE(a_bad_name_is_malformed)
{
	const struct span names[] = {
		SPAN("\xc0\x0c"),
		SPAN("\xc0\x00"),
		SPAN("\xff\xff"),
		SPAN("\1a\xc0\x0c"),
		SPAN("\x40\0"),
		SPAN("\x80\0"),
		SPAN("\3ab"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		wire_begin(&wire, DNS_RD);
		wire_bytes(&wire, names[i]);
		wire_u16(&wire, TYPE_A);
		wire_u16(&wire, CLASS_IN);
		set_count(SECTION_QUESTION, 1);
		EQ(judged(&wire), RCODE_FORMERR);
		OK(!request.question.name);
	}
}

CASE(the_longest_name_is_admitted_and_one_octet_more_is_not)
{
	static const uint8_t label[64] = { 63 };

	for (uint8_t last = 61; last <= 62; last++) {
		wire_begin(&wire, DNS_RD);
		for (int i = 0; i < 3; i++)
			wire_bytes(&wire, (struct span){ label, sizeof(label) });
		wire_bytes(&wire, (struct span){ &last, 1 });
		wire_bytes(&wire, (struct span){ label + 1, last });
		wire_bytes(&wire, SPAN("\0\0\1\0\1"));
		set_count(SECTION_QUESTION, 1);
		EQ(judged(&wire), last == 61 ? ADMITTED : RCODE_FORMERR);
	}
}

CASE(every_cut_and_every_octet_more_is_malformed)
{
	query(DNS_RD, TYPE_A);
	wire_opt(&wire, 0, SPAN("\0\x0b\0\0"));

	size_t whole = wire.len;
	for (wire.len = DNS_HEADER; wire.len < whole; wire.len++)
		EQ(judged(&wire), RCODE_FORMERR);
	EQ(judged(&wire), ADMITTED);
	wire_bytes(&wire, SPAN("\0"));
	EQ(judged(&wire), RCODE_FORMERR);
	OK(request.question.name && request.edns.present);
}

CASE(records_smuggled_behind_the_message_are_malformed)
{
	query(DNS_RD, TYPE_A);
	any_record(SECTION_ADDITIONAL, TYPE_A);
	set_count(SECTION_ADDITIONAL, 0);
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(a_zone_transfer_is_refused_with_a_reason)
{
	query(DNS_RD, TYPE_AXFR);
	EQ(judged(&wire), RCODE_REFUSED);
	EQ(ede, EDE_NOT_SUPPORTED);

	query(0, TYPE_IXFR);
	any_record(SECTION_AUTHORITY, TYPE_SOA);
	EQ(judged(&wire), RCODE_REFUSED);
	EQ(ede, EDE_NOT_SUPPORTED);
	any_record(SECTION_AUTHORITY, TYPE_SOA);
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(only_the_internet_class_is_served)
{
	static const unsigned classes[] = { 0, 2, 3, 4, 254, 255, 65535 };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		query(DNS_RD, TYPE_TXT);
		set_class(classes[i]);
		EQ(judged(&wire), RCODE_REFUSED);
		EQ(ede, EDE_NOT_SUPPORTED);
	}
}

CASE(a_query_without_rd_is_well_formed)
{
	query(0, TYPE_A);
	EQ(judged(&wire), ADMITTED);
	EQ(request.flags, 0);
}

CASE(records_in_answer_or_authority_are_malformed)
{
	for (int section = SECTION_ANSWER; section <= SECTION_AUTHORITY; section++) {
		query(DNS_RD, TYPE_A);
		any_record(section, TYPE_A);
		wire_opt(&wire, 0, NOTHING);
		EQ(judged(&wire), RCODE_FORMERR);
		OK(request.edns.present);
	}
}

CASE(a_few_additional_records_are_skipped_and_many_are_malformed)
{
	query(DNS_RD, TYPE_A);
	for (int i = 1; i < QUERY_ADDITIONAL_MAX; i++)
		any_record(SECTION_ADDITIONAL, TYPE_A);
	wire_opt(&wire, 0, NOTHING);
	EQ(judged(&wire), ADMITTED);
	OK(request.edns.present);
	any_record(SECTION_ADDITIONAL, TYPE_A);
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(an_additional_record_is_skipped_only_within_bounds)
{
	query(DNS_RD, TYPE_A);
	any_record(SECTION_ADDITIONAL, TYPE_TSIG);
	wire.bytes[wire.len - 5]++;
	EQ(judged(&wire), RCODE_FORMERR);

	query(DNS_RD, TYPE_A);
	wire_record(&wire, SECTION_ADDITIONAL, SPAN("\xff\xff"), TYPE_A, CLASS_IN, 0, ADDRESS);
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(a_second_opt_is_malformed)
{
	query(DNS_RD, TYPE_A);
	wire_opt(&wire, 0, NOTHING);
	wire_opt(&wire, 0, NOTHING);
	EQ(judged(&wire), RCODE_FORMERR);
	OK(request.edns.present);
}

CASE(opt_belongs_to_the_root)
{
	query(DNS_RD, TYPE_A);
	wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, TYPE_OPT, 1232, 0, NOTHING);
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(opt_belongs_into_the_additional_section)
{
	for (int section = SECTION_ANSWER; section <= SECTION_AUTHORITY; section++) {
		query(DNS_RD, section == SECTION_ANSWER ? TYPE_A : TYPE_IXFR);
		wire_record(&wire, section, ROOT, TYPE_OPT, 1232, 0, NOTHING);
		EQ(judged(&wire), RCODE_FORMERR);
	}
}

CASE(broken_options_are_malformed_and_get_an_opt_back)
{
	query(DNS_RD, TYPE_A);
	wire_opt(&wire, 0x8000, SPAN("\0\x0c\0\5\0"));
	EQ(judged(&wire), RCODE_FORMERR);
	OK(request.edns.present && request.edns.dnssec_ok);
}

CASE(too_many_options_are_malformed)
{
	static const uint8_t options[60000];

	query(DNS_RD, TYPE_A);
	wire_opt(&wire, 0, (struct span){ options, sizeof(options) });
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(another_edns_version_is_said_to_be_bad)
{
	for (uint32_t version = 1; version < 256; version++) {
		query(DNS_RD, TYPE_A);
		wire_opt(&wire, version << 16, NOTHING);
		EQ(judged(&wire), RCODE_BADVERS);
		OK(request.edns.present);
	}
}

CASE(what_is_malformed_is_so_before_its_version_and_policy_count)
{
	query(0, TYPE_AXFR);
	wire_opt(&wire, 1 << 16, NOTHING);
	EQ(judged(&wire), RCODE_BADVERS);
	wire_bytes(&wire, SPAN("x"));
	EQ(judged(&wire), RCODE_FORMERR);
}

CASE(counts_that_lie_do_no_harm)
{
	for (int section = 0; section < SECTIONS; section++) {
		query(DNS_RD, TYPE_A);
		set_count(section, 65535);
		EQ(judged(&wire), RCODE_FORMERR);
		wire.len = DNS_HEADER;
		EQ(judged(&wire), RCODE_FORMERR);

		response(DNS_RD, TYPE_A);
		set_count(section, 65535);
		OK(!is_reply(&wire));
	}
}

CASE(a_reply_says_where_everything_is)
{
	response(DNS_RD | DNS_RA, TYPE_A);
	size_t question_end = wire.len;
	wire_address(&wire, SECTION_ANSWER);
	size_t authority = wire.len;
	wire_record(&wire, SECTION_AUTHORITY, TO_QUESTION, TYPE_NS, CLASS_IN, 86400, TO_QUESTION);
	size_t additional = wire.len;
	wire_address(&wire, SECTION_ADDITIONAL);
	size_t opt = wire.len;
	wire_opt(&wire, 0x01008000, NOTHING);

	OK(is_reply(&wire));
	EQ(reply.id, 0x1234);
	EQ(reply.question_end, question_end);
	EQ(reply.section[SECTION_QUESTION], DNS_HEADER);
	EQ(reply.section[SECTION_ANSWER], question_end);
	EQ(reply.section[SECTION_AUTHORITY], authority);
	EQ(reply.section[SECTION_ADDITIONAL], additional);
	EQ(reply.count[SECTION_ADDITIONAL], 2);
	OK(reply.has_opt && reply.opt == opt && reply.opt_end == wire.len);
	EQ(reply.rcode, 16);
	EQ(reply.ttl_max, 86400);
}

CASE(no_part_of_a_reply_is_a_reply)
{
	response(DNS_RD, TYPE_MX);
	wire_record(
		&wire, SECTION_ANSWER, TO_QUESTION, TYPE_MX, CLASS_IN, 5, SPAN("\0\1\2mx\xc0\x0c"));
	wire_address(&wire, SECTION_ADDITIONAL);
	wire_opt(&wire, 0, SPAN("\0\x0f\0\2\0\x16"));

	size_t whole = wire.len;
	for (wire.len = 0; wire.len < whole; wire.len++)
		OK(!is_reply(&wire));
	OK(is_reply(&wire));
	wire_bytes(&wire, SPAN("x"));
	OK(!is_reply(&wire));
}

CASE(a_reply_has_at_most_one_question)
{
	wire_begin(&wire, DNS_QR | RCODE_FORMERR);
	OK(is_reply(&wire));
	EQ(reply.question_end, DNS_HEADER);
	response(0, TYPE_A);
	wire_question(&wire, "www.example.com", TYPE_A);
	OK(!is_reply(&wire));
	wire.len = DNS_HEADER;
	OK(!is_reply(&wire));
}

CASE(a_bad_owner_spoils_a_reply)
{
	const struct span owners[] = { SPAN("\xc0\x00"), SPAN("\xc0\x21"), SPAN("\xff\xff"),
		SPAN("\x40\0"), SPAN("\1a\xc0\x21") };

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		response(0, TYPE_A);
		EQ(wire.len, 0x21); /* where the record will start */
		wire_record(&wire, SECTION_ANSWER, owners[i], TYPE_A, CLASS_IN, 5, ADDRESS);
		OK(!is_reply(&wire));
	}
	wire_begin(&wire, DNS_QR); /* without a question there is nothing that 12 could mean */
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_A, CLASS_IN, 5, ADDRESS);
	OK(!is_reply(&wire));
}

static bool is_rdata(unsigned type, struct span rdata)
{
	response(0, TYPE_A);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, type, CLASS_IN, 5, rdata);
	wire_record(&wire, SECTION_ANSWER, ROOT, TYPE_TXT, CLASS_IN, 5, SPAN("\3abc"));
	return is_reply(&wire);
}

CASE(names_in_rdata_must_fill_it_and_no_more)
{
	static const unsigned types[] = { TYPE_NS, TYPE_MD, TYPE_MF, TYPE_CNAME, TYPE_MB, TYPE_MG,
		TYPE_MR, TYPE_PTR };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		OK(is_rdata(types[i], TO_QUESTION));
		OK(is_rdata(types[i], SPAN("\1a\0")));
		OK(is_rdata(types[i], SPAN("\1a\xc0\x0c")));
		OK(!is_rdata(types[i], NOTHING));
		OK(!is_rdata(types[i], SPAN("\1a"))); /* goes on in the next record */
		OK(!is_rdata(types[i], SPAN("\xc0")));
		OK(!is_rdata(types[i], SPAN("\1a\0x"))); /* something is left */
		OK(!is_rdata(types[i], SPAN("\xc0\x2d"))); /* points at itself */
		OK(!is_rdata(types[i], SPAN("\x50\0")));
	}
}

CASE(the_other_rdata_of_rfc_1035_with_names_is_checked)
{
	OK(is_rdata(TYPE_MX, SPAN("\0\1\1a\0")));
	OK(!is_rdata(TYPE_MX, SPAN("\0\1")));
	OK(!is_rdata(TYPE_MX, SPAN("\0\1\1a\0x")));
	OK(is_rdata(TYPE_MINFO, SPAN("\1a\0\1b\0")));
	OK(!is_rdata(TYPE_MINFO, SPAN("\1a\0")));
	OK(is_rdata(TYPE_SOA,
		SPAN("\1a\0\1b\0"
		     "12345678901234567890")));
	OK(!is_rdata(TYPE_SOA,
		SPAN("\1a\0\1b\0"
		     "1234567890123456789")));
	OK(!is_rdata(TYPE_SOA,
		SPAN("\1a\0\1b\0"
		     "123456789012345678901")));
}

CASE(rdata_of_all_later_types_is_opaque)
{
	for (unsigned type = TYPE_TXT; type <= 0xffff; type++)
		if (type != TYPE_OPT)
			OK(is_rdata(type, SPAN("\xc0\xff\x41\xc0\x0c")));
}

CASE(opt_in_a_reply_must_be_one_and_in_its_place)
{
	response(0, TYPE_A);
	wire_opt(&wire, 0, NOTHING);
	wire_address(&wire, SECTION_ADDITIONAL);
	OK(is_reply(&wire));
	OK(reply.opt_end < wire.len);
	wire_opt(&wire, 0, NOTHING);
	OK(!is_reply(&wire));

	for (int section = SECTION_ANSWER; section <= SECTION_AUTHORITY; section++) {
		response(0, TYPE_A);
		wire_record(&wire, section, ROOT, TYPE_OPT, 1232, 0, NOTHING);
		OK(!is_reply(&wire));
	}
	response(0, TYPE_A);
	wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, TYPE_OPT, 1232, 0, NOTHING);
	OK(!is_reply(&wire));
	response(0, TYPE_A);
	wire_opt(&wire, 0, SPAN("\0\x0f\0\4\0\0"));
	OK(!is_reply(&wire));
}

static bool answers(unsigned flags, const char *name, unsigned type, unsigned class)
{
	uint8_t bytes[NAME_MAX_WIRE];
	struct question asked = { .name = bytes,
		.name_len = name_from_text(name, bytes),
		.type = (uint16_t)type,
		.class = (uint16_t) class };

	wire_begin(&wire, flags);
	wire_question(&wire, "Www.example.com", TYPE_A);
	OK(is_reply(&wire));
	return reply_answers(&reply, &asked);
}

CASE(a_reply_answers_its_own_question_only)
{
	OK(answers(DNS_QR, "www.EXAMPLE.com", TYPE_A, CLASS_IN));
	OK(!answers(0, "www.example.com", TYPE_A, CLASS_IN));
	OK(!answers(DNS_QR | 4 << 11, "www.example.com", TYPE_A, CLASS_IN));
	OK(!answers(DNS_QR, "www.example.com", TYPE_AAAA, CLASS_IN));
	OK(!answers(DNS_QR, "www.example.com", TYPE_A, 3));
	OK(!answers(DNS_QR, "wwx.example.com", TYPE_A, CLASS_IN));
	OK(!answers(DNS_QR, "example.com", TYPE_A, CLASS_IN));
}

CASE(a_reply_without_question_answers_nothing)
{
	const struct question asked = { (const uint8_t *)"", 1, 0, 0 };

	wire_begin(&wire, DNS_QR);
	OK(is_reply(&wire));
	OK(!reply_answers(&reply, &asked));
}

static int clear(void **unused __attribute__((unused)))
{
	free(copy);
	copy = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_plain_query_is_admitted),
		CLAIM(a_query_with_opt_is_admitted),
		CLAIM(flags_that_mean_nothing_in_a_query_are_ignored),
		CLAIM(any_type_but_opt_and_transfers_is_admitted),
		CLAIM(less_than_a_header_is_dropped),
		CLAIM(a_response_is_dropped),
		CLAIM(an_unknown_opcode_is_never_met_with_silence),
		CLAIM(opt_is_found_in_an_update),
		CLAIM(a_query_without_question_is_malformed),
		CLAIM(a_query_with_two_questions_is_malformed_and_repeats_none),
		CLAIM(a_bad_name_is_malformed),
		CLAIM(the_longest_name_is_admitted_and_one_octet_more_is_not),
		CLAIM(every_cut_and_every_octet_more_is_malformed),
		CLAIM(records_smuggled_behind_the_message_are_malformed),
		CLAIM(a_zone_transfer_is_refused_with_a_reason),
		CLAIM(only_the_internet_class_is_served),
		CLAIM(a_query_without_rd_is_well_formed),
		CLAIM(records_in_answer_or_authority_are_malformed),
		CLAIM(a_few_additional_records_are_skipped_and_many_are_malformed),
		CLAIM(an_additional_record_is_skipped_only_within_bounds),
		CLAIM(a_second_opt_is_malformed),
		CLAIM(opt_belongs_to_the_root),
		CLAIM(opt_belongs_into_the_additional_section),
		CLAIM(broken_options_are_malformed_and_get_an_opt_back),
		CLAIM(too_many_options_are_malformed),
		CLAIM(another_edns_version_is_said_to_be_bad),
		CLAIM(what_is_malformed_is_so_before_its_version_and_policy_count),
		CLAIM(counts_that_lie_do_no_harm),
		CLAIM(a_reply_says_where_everything_is),
		CLAIM(no_part_of_a_reply_is_a_reply),
		CLAIM(a_reply_has_at_most_one_question),
		CLAIM(a_bad_owner_spoils_a_reply),
		CLAIM(names_in_rdata_must_fill_it_and_no_more),
		CLAIM(the_other_rdata_of_rfc_1035_with_names_is_checked),
		CLAIM(rdata_of_all_later_types_is_opaque),
		CLAIM(opt_in_a_reply_must_be_one_and_in_its_place),
		CLAIM(a_reply_answers_its_own_question_only),
		CLAIM(a_reply_without_question_answers_nothing),
	};

	return cmocka_run_group_tests(cases, NULL, clear);
}
