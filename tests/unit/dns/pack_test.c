#include "dns/pack.h"

#include <string.h>

#include "packing.h"

static void soa(uint32_t ttl, uint32_t minimum)
{
	uint8_t rdata[22] = { 0 };

	put_u32(rdata + 18, minimum);
	record(SECTION_AUTHORITY, SPAN("\xc0\x10"), TYPE_SOA, ttl, (struct span){ rdata, 22 });
}

/* ---- what it holds ---- */

static unsigned holds_of(int section, uint16_t type)
{
	server(0, TYPE_ANY);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 300, SPAN("\1x"));
	record(section, TO_QUESTION, type, 300, SPAN("\0\0\0\0"));
	OK(pack());
	return packed.holds;
}

CASE(records_that_somebody_may_object_to_are_known)
{
	EQ(holds_of(SECTION_ANSWER, TYPE_A), HOLDS_ADDRESS);
	EQ(holds_of(SECTION_ANSWER, TYPE_AAAA), HOLDS_ADDRESS);
	EQ(holds_of(SECTION_ADDITIONAL, TYPE_A), HOLDS_ADDRESS);
	EQ(holds_of(SECTION_ANSWER, TYPE_DNAME), HOLDS_ALIAS);
	EQ(holds_of(SECTION_ANSWER, TYPE_SVCB), HOLDS_SERVICE);
	EQ(holds_of(SECTION_ANSWER, TYPE_HTTPS), HOLDS_SERVICE);
	EQ(holds_of(SECTION_ANSWER, TYPE_TXT), 0);

	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_CNAME, 300, SPAN("\1x\xc0\x10"));
	record(SECTION_ANSWER, SPAN("\1x\xc0\x10"), TYPE_A, 300, ADDRESS);
	OK(pack());
	EQ(packed.holds, HOLDS_ALIAS | HOLDS_ADDRESS);
}

/* ---- what it is worth ---- */

/* Of a reply with these records in answer | authority: A, C is CNAME, T is TXT, N is NS, S is SOA.
 */
static enum worth worth_of(unsigned flags, unsigned type, const char *records)
{
	int section = SECTION_ANSWER;

	server(flags, type);
	for (; *records; records++)
		switch (*records) {
		case '|':
			section = SECTION_AUTHORITY;
			break;
		case 'A':
			record(section, TO_QUESTION, TYPE_A, 300, ADDRESS);
			break;
		case 'C':
			record(section, TO_QUESTION, TYPE_CNAME, 300, SPAN("\1x\xc0\x10"));
			break;
		case 'T':
			record(section, TO_QUESTION, TYPE_TXT, 300, SPAN("\1x"));
			break;
		case 'N':
			record(section, SPAN("\xc0\x10"), TYPE_NS, 300, TO_QUESTION);
			break;
		default:
			soa(300, 60);
		}
	OK(pack());
	return packed.worth;
}

CASE(records_of_the_type_asked_for_are_positive)
{
	EQ(worth_of(0, TYPE_A, "A"), WORTH_POSITIVE);
	EQ(worth_of(0, TYPE_A, "CA"), WORTH_POSITIVE);
	EQ(worth_of(0, TYPE_A, "CA|S"), WORTH_POSITIVE);
	EQ(worth_of(0, TYPE_CNAME, "C"), WORTH_POSITIVE);
	EQ(worth_of(DNS_AA | DNS_AD, TYPE_A, "A|N"), WORTH_POSITIVE);
}

CASE(any_record_is_what_any_asks_for)
{
	EQ(worth_of(0, TYPE_ANY, "T"), WORTH_POSITIVE);
	EQ(worth_of(0, TYPE_ANY, "C"), WORTH_POSITIVE);
	EQ(worth_of(0, TYPE_ANY, "|S"), WORTH_NODATA);
}

CASE(types_of_a_transaction_are_worth_nothing)
{
	static const uint16_t types[] = { 0, 128, TYPE_TKEY, TYPE_TSIG, TYPE_MAILA };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		EQ(worth_of(0, types[i], "T"), WORTH_NOTHING);
		EQ(worth_of(0, types[i], "|S"), WORTH_NOTHING);
	}
}

CASE(no_records_of_the_type_and_an_soa_are_nodata)
{
	EQ(worth_of(0, TYPE_A, "|S"), WORTH_NODATA);
	EQ(worth_of(0, TYPE_A, "C|S"), WORTH_NODATA);
	EQ(worth_of(0, TYPE_A, "T|NS"), WORTH_NODATA);
}

CASE(a_name_does_not_exist_for_all_types_but_behind_an_alias)
{
	EQ(worth_of(RCODE_NXDOMAIN, TYPE_A, "|S"), WORTH_NXDOMAIN);
	EQ(worth_of(RCODE_NXDOMAIN, TYPE_ANY, "|NS"), WORTH_NXDOMAIN);
	EQ(worth_of(RCODE_NXDOMAIN, TYPE_A, "C|S"), WORTH_NODATA);
}

CASE(what_is_not_there_is_not_kept_without_an_soa)
{
	EQ(worth_of(0, TYPE_A, ""), WORTH_NOTHING);
	EQ(worth_of(0, TYPE_A, "|N"), WORTH_NOTHING);
	EQ(worth_of(0, TYPE_A, "C"), WORTH_NOTHING);
	EQ(worth_of(RCODE_NXDOMAIN, TYPE_A, ""), WORTH_NOTHING);
	EQ(worth_of(RCODE_NXDOMAIN, TYPE_A, "C|N"), WORTH_NOTHING);
	EQ(worth_of(RCODE_NXDOMAIN, TYPE_A, "A"), WORTH_NOTHING);
}

CASE(an_soa_in_the_answer_says_nothing_of_what_is_not_there)
{
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_SOA, 300,
		SPAN("\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c"));
	OK(pack());
	EQ(packed.worth, WORTH_NOTHING);
	EQ(ttl_of(0), 300);
}

CASE(what_is_truncated_is_worth_nothing)
{
	EQ(worth_of(DNS_TC, TYPE_A, "A"), WORTH_NOTHING);
	EQ(worth_of(DNS_TC, TYPE_A, "|S"), WORTH_NOTHING);
	EQ(worth_of(DNS_TC | RCODE_NXDOMAIN, TYPE_A, "|S"), WORTH_NOTHING);
}

CASE(every_other_rcode_is_a_failure)
{
	for (unsigned rcode = 1; rcode < 0x1000; rcode++) {
		if (rcode == RCODE_NXDOMAIN)
			continue;
		server(rcode & DNS_RCODE, TYPE_A);
		wire_address(&wire, SECTION_ANSWER);
		wire_opt(&wire, (uint32_t)(rcode >> 4) << 24, NOTHING);
		OK(pack());
		EQ(packed.rcode, rcode);
		EQ(packed.worth, WORTH_FAILURE);
	}
}

/* ---- times ---- */

/* Of one address with this TTL. */
static uint32_t lifetime_of(uint32_t ttl, uint32_t min, uint32_t max)
{
	server(0, TYPE_A);
	limits.ttl_min_s = min;
	limits.ttl_max_s = max;
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, ttl, ADDRESS);
	OK(pack());
	EQ(packed.worth, packed.lifetime_s ? WORTH_POSITIVE : WORTH_NOTHING);
	return packed.lifetime_s;
}

CASE(a_ttl_of_0_is_worth_nothing_unless_there_is_a_floor)
{
	EQ(lifetime_of(0, 0, DAY), 0);
	EQ(lifetime_of(1, 0, DAY), 1);
	EQ(lifetime_of(0, 30, DAY), 30);
}

CASE(one_record_of_ttl_0_is_enough)
{
	server(0, TYPE_A);
	wire_address(&wire, SECTION_ANSWER);
	record(SECTION_ADDITIONAL, SPAN("\1x\xc0\x10"), TYPE_A, 0, ADDRESS);
	OK(pack());
	EQ(packed.worth, WORTH_NOTHING);
}

CASE(a_ttl_keeps_to_its_bounds)
{
	EQ(lifetime_of(29, 30, 100), 30);
	EQ(lifetime_of(31, 30, 100), 31);
	EQ(lifetime_of(100, 30, 100), 100);
	EQ(lifetime_of(101, 30, 100), 100);
	EQ(lifetime_of(INT32_MAX, 0, INT32_MAX), INT32_MAX);
}

CASE(a_ttl_with_its_top_bit_set_is_0)
{
	EQ(lifetime_of(0x80000000, 0, DAY), 0);
	EQ(lifetime_of(0xffffffff, 0, DAY), 0);
	EQ(lifetime_of(0x80000010, 5, DAY), 5);
}

/* How long it is known that nothing is there. */
static uint32_t negative_of(unsigned rcode, uint32_t ttl, uint32_t minimum)
{
	server(rcode, TYPE_A);
	soa(ttl, minimum);
	OK(pack());
	return packed.lifetime_s;
}

CASE(what_is_not_there_is_known_for_the_lower_of_ttl_and_minimum)
{
	for (int i = 0; i < 2; i++) {
		unsigned rcode = i ? RCODE_NXDOMAIN : RCODE_NOERROR;

		EQ(negative_of(rcode, 600, 60), 60);
		EQ(negative_of(rcode, 60, 600), 60);
		EQ(negative_of(rcode, 600, 0), 0);
		EQ(packed.worth, WORTH_NOTHING);
		EQ(negative_of(rcode, 0x80000001, 60), 0);
	}
}

CASE(of_what_says_so_only_the_soa_is_limited)
{
	server(0, TYPE_A);
	soa(600, 60);
	record(SECTION_AUTHORITY, SPAN("\xc0\x10"), TYPE_TXT, 500, SPAN("\5after\0\0\0\1"));
	OK(pack());
	EQ(ttl_of(0), 60);
	EQ(ttl_of(1), 500);
}

CASE(what_is_not_there_has_a_limit_of_its_own)
{
	EQ(negative_of(0, DAY, DAY), 3600);
	EQ(negative_of(0, DAY, 0xffffffff), 3600);
	EQ(negative_of(0, 3600, 3601), 3600);
}

CASE(the_floor_holds_for_what_is_not_there)
{
	server(RCODE_NXDOMAIN, TYPE_A);
	soa(600, 0);
	limits.ttl_min_s = 10;
	OK(pack());
	EQ(packed.lifetime_s, 10);
	EQ(packed.worth, WORTH_NXDOMAIN);
}

CASE(the_soa_of_a_positive_answer_keeps_its_ttl)
{
	server(0, TYPE_A);
	wire_address(&wire, SECTION_ANSWER);
	soa(7200, 60);
	OK(pack());
	EQ(ttl_of(1), 7200);
	EQ(packed.lifetime_s, 300);
}

CASE(the_end_of_an_alias_that_does_not_exist_is_known_as_long_as_its_soa_says)
{
	for (int i = 0; i < 2; i++) { /* also where the alias itself was asked for */
		server(RCODE_NXDOMAIN, i ? TYPE_ANY : TYPE_A);
		record(SECTION_ANSWER, TO_QUESTION, TYPE_CNAME, 300, SPAN("\1x\xc0\x10"));
		soa(300, 60);
		OK(pack());
		EQ(packed.worth, WORTH_NODATA);
		EQ(packed.lifetime_s, 60);
	}
}

static const uint8_t covers_a[20] = { 0, TYPE_A }, covers_txt[20] = { 0, TYPE_TXT };
#define SIGNATURE_A   ((struct span){ covers_a, 20 })
#define SIGNATURE_TXT ((struct span){ covers_txt, 20 })

CASE(records_of_one_rrset_and_its_signatures_have_the_lowest_ttl_of_it)
{
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ANSWER, SPAN("\3WWW\xc0\x10"), TYPE_A, 200, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_RRSIG, 100, SIGNATURE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 500, SPAN("\1a"));
	record(SECTION_ADDITIONAL, SPAN("\1x\xc0\x10"), TYPE_TXT, 600, SPAN("\1a"));
	record(SECTION_ADDITIONAL, SPAN("\1x\xc0\x10"), TYPE_RRSIG, 700, SIGNATURE_TXT);
	OK(pack());
	for (unsigned n = 0; n < 3; n++)
		EQ(ttl_of(n), 100);
	EQ(ttl_of(3), 500);
	EQ(ttl_of(4), 600);
	EQ(ttl_of(5), 600);
}

CASE(a_ttl_with_its_top_bit_set_is_the_lowest)
{
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 0x80000000, ADDRESS);
	OK(pack());
	EQ(ttl_of(0), 0);
}

CASE(other_classes_and_owners_are_other_rrsets)
{
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_A, 3, 200, ADDRESS);
	record(SECTION_ANSWER, SPAN("\xc0\x10"), TYPE_A, 100, ADDRESS);
	OK(pack());
	EQ(ttl_of(0), 300);
	EQ(ttl_of(1), 200);
	EQ(ttl_of(2), 100);
}

CASE(an_rrset_with_others_in_between_has_one_ttl_too)
{
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 500, SPAN("\1a"));
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 200, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_RRSIG, 100, SIGNATURE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_RRSIG, 400, SIGNATURE_TXT);
	OK(pack());
	EQ(ttl_of(0), 100);
	EQ(ttl_of(1), 400);
	EQ(ttl_of(2), 100);
	EQ(ttl_of(3), 100);
	EQ(ttl_of(4), 400);
}

/* ---- extended errors ---- */

/* What is packed of this option, and whatever stands behind it. */
static struct span error_of(struct span option)
{
	server(RCODE_SERVFAIL, TYPE_A);
	wire_opt(&wire, 0, option);
	OK(pack());
	return packed.errors;
}

CASE(an_error_is_packed_as_an_option)
{
	struct span e = error_of(SPAN("\0\x0f\0\5\0\x16"
				      "abc"));

	EQ(e.len, 9);
	MEM(e.at,
		"\0\x0f\0\5\0\x16"
		"abc",
		9);
	EQ(error_of(SPAN("\0\x0f\0\1\0\0\x0c\0\0")).len, 0); /* too short to be one */
	EQ(error_of(NOTHING).len, 0);
}

CASE(the_fifth_error_is_left_out)
{
	struct span e = error_of(SPAN("\0\x0f\0\2\0\1\0\x0f\0\2\0\2\0\x0f\0\2\0\3"
				      "\0\x0f\0\2\0\4\0\x0f\0\2\0\5"));

	EQ(e.len, 4 * 6);
	EQ(e.at[4 * 6 - 1], 4);
}

CASE(a_long_text_is_cut_between_characters)
{
	uint8_t option[6 + 140] = { 0, OPTION_EDE, 0, 142, 0, 1 };

	memset(option + 6, 'x', 140);
	for (int lead = 124; lead < 129; lead++) { /* of a character of four octets */
		memset(option + 6 + 124, 'x', 16);
		memcpy(option + 6 + lead, "\xf0\x9f\x98\x80", 4);
		size_t len = error_of((struct span){ option, sizeof option }).len;

		EQ(len, 6 + (lead == 124 || lead == 128 ? 128 : lead));
		EQ(get_u16(packed.errors.at + 2), len - 4);
	}
	memset(option + 6, 0x80, 140); /* no character begins */
	EQ(error_of((struct span){ option, sizeof option }).len, 6);
}

/* ---- failures of our own ---- */

static struct question question_of(const char *name, uint8_t wire_name[NAME_MAX_WIRE])
{
	return (struct question){ wire_name, name_from_text(name, wire_name), TYPE_HTTPS,
		CLASS_IN };
}

CASE(a_failure_has_its_question_and_its_reason)
{
	uint8_t name[NAME_MAX_WIRE];
	struct question q = question_of("A.example", name), back;
	struct failure f = { RCODE_SERVFAIL, EDE_NETWORK_ERROR, "it is late" };

	pack_failure(&packed, memory, &q, &f);
	EQ(packed.worth, WORTH_FAILURE);
	EQ(packed.rcode, RCODE_SERVFAIL);
	EQ(packed.lifetime_s, 0);
	EQ(packed.ttl_count, 0);
	EQ(packed.errors.len, 16);
	MEM(packed.errors.at, "\0\x0f\0\x0c\0\x17it is late", 16);
	back = packed_question(&packed);
	OK(question_equals(&back, &q));
	MEM(back.name, name, q.name_len); /* as it was spelled */
}

CASE(a_failure_needs_no_text_and_no_reason)
{
	uint8_t name[NAME_MAX_WIRE];
	struct question q = question_of(".", name);
	struct failure f = { RCODE_REFUSED, EDE_OTHER, NULL };

	pack_failure(&packed, memory, &q, &f);
	EQ(packed.errors.len, 6);
	f.ede = EDE_NONE;
	f.text = "not told";
	pack_failure(&packed, memory, &q, &f);
	EQ(packed.errors.len, 0);
	OK(packed.errors.at);
	EQ(packed_question(&packed).name_len, 1);
	EQ(packed_question(&packed).type, TYPE_HTTPS);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(records_that_somebody_may_object_to_are_known),
		CLAIM(records_of_the_type_asked_for_are_positive),
		CLAIM(any_record_is_what_any_asks_for),
		CLAIM(types_of_a_transaction_are_worth_nothing),
		CLAIM(no_records_of_the_type_and_an_soa_are_nodata),
		CLAIM(a_name_does_not_exist_for_all_types_but_behind_an_alias),
		CLAIM(what_is_not_there_is_not_kept_without_an_soa),
		CLAIM(an_soa_in_the_answer_says_nothing_of_what_is_not_there),
		CLAIM(what_is_truncated_is_worth_nothing),
		CLAIM(every_other_rcode_is_a_failure),
		CLAIM(a_ttl_of_0_is_worth_nothing_unless_there_is_a_floor),
		CLAIM(one_record_of_ttl_0_is_enough),
		CLAIM(a_ttl_keeps_to_its_bounds),
		CLAIM(a_ttl_with_its_top_bit_set_is_0),
		CLAIM(what_is_not_there_is_known_for_the_lower_of_ttl_and_minimum),
		CLAIM(of_what_says_so_only_the_soa_is_limited),
		CLAIM(what_is_not_there_has_a_limit_of_its_own),
		CLAIM(the_floor_holds_for_what_is_not_there),
		CLAIM(the_soa_of_a_positive_answer_keeps_its_ttl),
		CLAIM(the_end_of_an_alias_that_does_not_exist_is_known_as_long_as_its_soa_says),
		CLAIM(records_of_one_rrset_and_its_signatures_have_the_lowest_ttl_of_it),
		CLAIM(a_ttl_with_its_top_bit_set_is_the_lowest),
		CLAIM(other_classes_and_owners_are_other_rrsets),
		CLAIM(an_rrset_with_others_in_between_has_one_ttl_too),
		CLAIM(an_error_is_packed_as_an_option),
		CLAIM(the_fifth_error_is_left_out),
		CLAIM(a_long_text_is_cut_between_characters),
		CLAIM(a_failure_has_its_question_and_its_reason),
		CLAIM(a_failure_needs_no_text_and_no_reason),
	};

	return RUN(cases);
}
