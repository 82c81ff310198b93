#include "dns/pack.h"

#include <stdlib.h>
#include <string.h>

#include "dns/build.h"
#include "wire.h"

#define DAY 86400
/* Root, type, class, TTL, length: no record is shorter. */
#define SHORTEST 11

/* The server's message, what it says, what it is packed with and into. */
static struct wire wire;
static struct reply reply;
static struct pack_limits limits;
static _Alignas(uint16_t) uint8_t memory[PACKED_MAX], elsewhere[PACKED_MAX];
static struct packed packed;

static void server(unsigned flags, unsigned type)
{
	limits = (struct pack_limits){ .ttl_max_s = DAY, .negative_max_s = 3600 };
	wire_begin(&wire, flags | DNS_QR | DNS_RD | DNS_RA);
	wire_question(&wire, "www.example.com", type);
}

static void record(int section, struct span owner, unsigned type, uint32_t ttl, struct span rdata)
{
	wire_record(&wire, section, owner, type, CLASS_IN, ttl, rdata);
}

static void soa(uint32_t ttl, uint32_t minimum)
{
	uint8_t rdata[22] = { 0 };

	put_u32(rdata + 18, minimum);
	record(SECTION_AUTHORITY, SPAN("\xc0\x10"), TYPE_SOA, ttl, (struct span){ rdata, 22 });
}

static struct record record_at(unsigned n)
{
	struct record rec = { .owner = 0 };
	size_t at = reply.question_end;

	for (unsigned i = 0; i <= n; i++)
		message_record(packed.message, &at, &rec);
	return rec;
}

static uint32_t ttl_of(unsigned n)
{
	return record_at(n).ttl;
}

/* What must hold of everything that is packed. */
static void check_packed(void)
{
	size_t at = packed.message.len ? reply.question_end : 0;
	uint32_t lowest = packed.ttl_count ? UINT32_MAX : 0;
	struct reply back;
	struct record rec;
	unsigned n = 0;

	OK(packed_size(&packed) <= PACKED_MAX && packed.errors.at);
	OK(reply_parse(packed.message, &back) && !back.has_opt);
	for (; at < packed.message.len; n++) {
		message_record(packed.message, &at, &rec);
		EQ(packed.ttl_at[n], rec.type_at + 4);
		OK(rec.ttl <= limits.ttl_max_s && rec.ttl >= limits.ttl_min_s);
		lowest = rec.ttl < lowest ? rec.ttl : lowest;
	}
	EQ(packed.ttl_count, n);
	EQ(packed.lifetime_s, lowest);
}

/* The message is in memory of just its size, which is gone afterwards. */
static bool pack(void)
{
	uint8_t *bytes = malloc(wire.len);

	OK(bytes);
	memcpy(bytes, wire.bytes, wire.len);
	OK(reply_parse((struct span){ bytes, wire.len }, &reply));
	bool ok = pack_reply(&packed, memory, &reply, &limits);

	free(bytes);
	if (ok)
		check_packed();
	return ok;
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

/* ---- names that lead through TTLs ---- */

/* Where the n-th octet of the first record's TTL is. */
#define TTL_OCTET(n) (33 + 2 + 4 + (n))

static struct span pointer_to(uint8_t bytes[2], size_t at)
{
	put_u16(bytes, (uint16_t)(0xc000 | at));
	return (struct span){ bytes, 2 };
}

CASE(a_name_that_leads_through_a_ttl_makes_nothing)
{
	uint8_t here[2];

	for (unsigned octet = 0; octet < 4; octet++) {
		pointer_to(here, TTL_OCTET(octet));
		server(0, TYPE_A);
		record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 0, ADDRESS);
		record(SECTION_ANSWER, (struct span){ here, 2 }, TYPE_A, 0, ADDRESS);
		OK(!pack());

		server(0, TYPE_A);
		record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 0, ADDRESS);
		record(SECTION_AUTHORITY, TO_QUESTION, TYPE_NS, 0, (struct span){ here, 2 });
		OK(!pack());
	}
}

/* If it were followed after the RRset got its lowest TTL, it would lead to itself. */
CASE(a_name_that_leads_through_a_ttl_to_be_lowered_is_not_followed)
{
	uint8_t here[2];

	pointer_to(here, TTL_OCTET(2));
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 0x100ff, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 0xc000 | TTL_OCTET(2), ADDRESS);
	record(SECTION_ANSWER, (struct span){ here, 2 }, TYPE_TXT, 0x10000, SPAN("\1a"));
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 0x10000, SPAN("\1a"));
	OK(!pack());
}

/* ---- places ---- */

static void opt_in_the_middle(void)
{
	wire_opt(&wire, 0, SPAN("\0\x0c\0\7\0\0\0\0\0\0\0"));
}

CASE(records_move_to_the_place_of_opt_and_their_ttls_are_found)
{
	uint8_t here[2];

	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ADDITIONAL, SPAN("\1x\xc0\x10"), TYPE_A, 400, ADDRESS);
	opt_in_the_middle();
	pointer_to(here, wire.len);
	record(SECTION_ADDITIONAL, SPAN("\1y\xc0\x10"), TYPE_MX, 500, SPAN("\0\5\xc0\x0c"));
	record(SECTION_ADDITIONAL, (struct span){ here, 2 }, TYPE_MX, 200, SPAN("\0\6\xc0\x0c"));
	OK(pack());
	EQ(packed.ttl_count, 4);
	EQ(ttl_of(2), 200); /* the owner is the same, written out */
	EQ(ttl_of(3), 200);
	EQ(record_at(3).type_at - record_at(3).owner, sizeof "\1y\7example\3com");
	EQ(record_at(3).end - record_at(3).rdata, 2 + sizeof "\3www\7example\3com");
	EQ(packed.lifetime_s, 200);
}

CASE(of_what_moves_and_outgrows_a_message_whole_records_are_left_out)
{
	uint8_t name[NAME_MAX_WIRE] = { 0 }, here[2];
	const size_t moved = sizeof(name) + 10 + sizeof(name);

	for (size_t i = 0; i < 254; i += 127 / 2 + 1) /* four labels, and what is left */
		name[i] = (uint8_t)(i < 192 ? 63 : 61);
	server(0, TYPE_A);
	pointer_to(here, wire.len);
	record(SECTION_ANSWER, (struct span){ name, sizeof name }, TYPE_A, 300, ADDRESS);
	size_t before = wire.len;
	opt_in_the_middle();
	for (uint32_t n = 0; n < 1000; n++)
		record(SECTION_ADDITIONAL, (struct span){ here, 2 }, TYPE_NS, 300,
			(struct span){ here, 2 });
	OK(pack());
	size_t fit = (DNS_MESSAGE_MAX - before) / moved;

	EQ(packed.ttl_count, 1 + fit);
	EQ(packed.message.len, before + fit * moved);
	EQ(get_u16(packed.message.at + 10), fit);
	EQ(packed.worth, WORTH_POSITIVE);
}

CASE(a_message_of_as_many_records_as_there_can_be_is_packed)
{
	wire_begin(&wire, DNS_QR);
	for (unsigned n = 0; n < PACKED_RECORDS; n++)
		record(SECTION_ANSWER, ROOT, TYPE_NULL, 300 + n % 2, NOTHING);
	limits = (struct pack_limits){ .ttl_max_s = DAY };
	OK(DNS_MESSAGE_MAX - wire.len < SHORTEST);
	OK(pack());
	EQ(packed.ttl_count, PACKED_RECORDS);
	EQ(ttl_of(PACKED_RECORDS - 1), 300);
}

CASE(the_longest_message_is_packed_with_all_its_errors)
{
	static const uint8_t text[DNS_MESSAGE_MAX];
	uint8_t options[4 * (6 + 300)];
	size_t opt = SHORTEST + sizeof options, at = 0;

	for (int n = 0; n < 4; n++) {
		put_u16(options + at, OPTION_EDE);
		put_u16(options + at + 2, 302);
		put_u16(options + at + 4, (uint16_t)n);
		memset(options + at + 6, 'a' + n, 300);
		at += 306;
	}
	server(0, TYPE_TXT);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 300,
		(struct span){ text, DNS_MESSAGE_MAX - wire.len - 12 - opt });
	wire_opt(&wire, 0, (struct span){ options, sizeof options });
	EQ(wire.len, DNS_MESSAGE_MAX);
	OK(pack());
	EQ(packed.message.len, DNS_MESSAGE_MAX - opt);
	EQ(packed.errors.len, PACKED_ERRORS);

	server(0, TYPE_TXT);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 300,
		(struct span){ text, DNS_MESSAGE_MAX - wire.len - 12 });
	OK(pack());
	EQ(packed.message.len, DNS_MESSAGE_MAX);
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

/* ---- to other memory, and to clients ---- */

CASE(what_has_moved_borrows_nothing_from_where_it_was)
{
	struct packed before;

	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 400, SPAN("\1a"));
	wire_opt(&wire, 0, SPAN("\0\x0f\0\3\0\x16z"));
	OK(pack());
	void *room = malloc(packed_size(&packed)); /* not an octet more */

	before = packed;
	packed_move(&packed, room);
	OK(packed.ttl_at == room);
	MEM(packed.ttl_at, before.ttl_at, 4);
	EQ(packed.message.len, before.message.len);
	MEM(packed.message.at, before.message.at, before.message.len);
	EQ(packed.errors.len, 7);
	MEM(packed.errors.at, before.errors.at, 7);
	EQ(packed_size(&packed), packed_size(&before));
	memset(memory, 0xff, sizeof memory);
	check_packed();
	free(room);
}

static size_t answer(uint8_t out[DNS_MESSAGE_MAX], size_t size, uint32_t age_s, uint32_t ttl_s)
{
	const struct request request = {
		.id = 1, .question = packed_question(&packed), .edns = { .present = true }
	};
	const struct answer_form form = { .request = &request,
		.size_max = size,
		.keepalive = -1,
		.ede = EDE_NONE,
		.age_s = age_s,
		.ttl_s = ttl_s };
	bool truncated;

	return build_answer(out, DNS_MESSAGE_MAX, &form, &packed, &truncated);
}

/* An answer later differs from the one at once only in its TTLs, which are lower by its age. */
static void check_aged(size_t size, uint32_t age_s, uint32_t ttl_s)
{
	static uint8_t fresh[DNS_MESSAGE_MAX], aged[DNS_MESSAGE_MAX];
	size_t len = answer(fresh, size, 0, 0);

	EQ(answer(aged, size, age_s, ttl_s), len);
	for (unsigned n = 0; n < packed.ttl_count && packed.ttl_at[n] < len; n++) {
		uint32_t was = get_u32(fresh + packed.ttl_at[n]);
		uint32_t is = get_u32(aged + packed.ttl_at[n]);

		/* Of a cut message, what is behind its records is OPT, which has no age. */
		if (is == was && (age_s || ttl_s) && was != ttl_s)
			continue;
		EQ(is, ttl_s ? ttl_s : was - (was < age_s ? was : age_s));
		put_u32(aged + packed.ttl_at[n], was);
	}
	MEM(aged, fresh, len);
}

CASE(an_aged_answer_of_any_size_differs_in_its_ttls_alone)
{
	server(0, TYPE_A);
	for (uint32_t n = 0; n < 20; n++)
		record(n < 10 ? SECTION_ANSWER : SECTION_ADDITIONAL,
			n % 2 ? TO_QUESTION : SPAN("\1x\xc0\x10"), n % 3 ? TYPE_A : TYPE_TXT,
			1000 - 37 * n, ADDRESS);
	wire_opt(&wire, 0, SPAN("\0\x0f\0\3\0\x16z"));
	OK(pack());
	for (size_t size = 64; size < wire.len + 64; size++) {
		check_aged(size, 1, 0);
		check_aged(size, packed.lifetime_s + 1, 0);
		check_aged(size, 100, 30);
	}
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
	packed_move(&packed, elsewhere);
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
		CLAIM(records_of_the_type_asked_for_are_positive),
		CLAIM(any_record_is_what_any_asks_for),
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
		CLAIM(what_is_not_there_has_a_limit_of_its_own),
		CLAIM(the_floor_holds_for_what_is_not_there),
		CLAIM(the_soa_of_a_positive_answer_keeps_its_ttl),
		CLAIM(the_end_of_an_alias_that_does_not_exist_is_known_as_long_as_its_soa_says),
		CLAIM(records_of_one_rrset_and_its_signatures_have_the_lowest_ttl_of_it),
		CLAIM(a_ttl_with_its_top_bit_set_is_the_lowest),
		CLAIM(other_classes_and_owners_are_other_rrsets),
		CLAIM(an_rrset_with_others_in_between_has_one_ttl_too),
		CLAIM(a_name_that_leads_through_a_ttl_makes_nothing),
		CLAIM(a_name_that_leads_through_a_ttl_to_be_lowered_is_not_followed),
		CLAIM(records_move_to_the_place_of_opt_and_their_ttls_are_found),
		CLAIM(of_what_moves_and_outgrows_a_message_whole_records_are_left_out),
		CLAIM(a_message_of_as_many_records_as_there_can_be_is_packed),
		CLAIM(the_longest_message_is_packed_with_all_its_errors),
		CLAIM(an_error_is_packed_as_an_option),
		CLAIM(the_fifth_error_is_left_out),
		CLAIM(a_long_text_is_cut_between_characters),
		CLAIM(what_has_moved_borrows_nothing_from_where_it_was),
		CLAIM(an_aged_answer_of_any_size_differs_in_its_ttls_alone),
		CLAIM(a_failure_has_its_question_and_its_reason),
		CLAIM(a_failure_needs_no_text_and_no_reason),
	};

	return RUN(cases);
}
