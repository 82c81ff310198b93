/* Where things are in what is packed: TTLs, what has moved, and what an answer changes of it. */
#include "dns/build.h"

#include <string.h>

#include "packing.h"

/* Root, type, class, TTL, length: no record is shorter. */
#define SHORTEST 11

static _Alignas(uint16_t) uint8_t elsewhere[PACKED_MAX];

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

/* It can be read whatever the TTL is, and would be another name each time. */
CASE(a_name_with_a_ttl_inside_of_a_label_makes_nothing)
{
	static const uint32_t ttls[] = { 300, 0x80808080, 0x81818181 };
	uint8_t here[2];

	for (unsigned i = 0; i < 3; i++) {
		/* The second octet of the pointer to the question is taken for the length of a
		 * label, which reaches into the address, up to a root label. */
		pointer_to(here, TTL_OCTET(0) - 5);
		server(0, TYPE_A);
		record(SECTION_ANSWER, TO_QUESTION, TYPE_A, ttls[i], SPAN("\1\1\0\1"));
		record(SECTION_ANSWER, (struct span){ here, 2 }, TYPE_A, 300, ADDRESS);
		OK(!pack());

		server(0, TYPE_A);
		record(SECTION_ANSWER, TO_QUESTION, TYPE_A, ttls[i], SPAN("\1\1\0\1"));
		record(SECTION_AUTHORITY, TO_QUESTION, TYPE_NS, 300, (struct span){ here, 2 });
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

/* That a name does not exist is told to whoever asks for another type. */
CASE(a_name_that_leads_through_the_type_asked_for_makes_nothing)
{
	uint8_t rdata[] = { 0xc0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0,
		5 };

	for (uint8_t octet = 0; octet < 2; octet++) {
		server(RCODE_NXDOMAIN, 0); /* both octets are root labels */
		rdata[1] = (uint8_t)(wire.len - 4 + octet);
		record(SECTION_AUTHORITY, TO_QUESTION, TYPE_SOA, 300,
			(struct span){ rdata, sizeof rdata });
		OK(!pack());
	}
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
	/* So long that the owner of the first one that does not fit would. */
	record(SECTION_ANSWER, TO_QUESTION, TYPE_NULL, 300, (struct span){ memory, 341 });
	size_t before = wire.len;
	opt_in_the_middle();
	for (uint32_t n = 0; n < 1000; n++)
		record(SECTION_ADDITIONAL, (struct span){ here, 2 }, TYPE_NS, 300,
			(struct span){ here, 2 });
	OK(pack());
	size_t fit = (DNS_MESSAGE_MAX - before) / moved;

	OK((DNS_MESSAGE_MAX - before) % moved > sizeof name);
	EQ(packed.ttl_count, 2 + fit);
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

/* ---- to other memory, and to clients ---- */

CASE(what_has_moved_borrows_nothing_from_where_it_was)
{
	server(0, TYPE_A);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 400, SPAN("\1a"));
	wire_opt(&wire, 0, SPAN("\0\x0f\0\3\0\x16z"));
	OK(pack());
	void *room = malloc(packed_size(&packed)); /* not an octet more */
	struct packed before = packed;

	memcpy(elsewhere, packed.message.at, packed.message.len);
	packed_move(&packed, room);
	memset(memory, 0xff, sizeof memory);
	OK(packed.ttl_at == room);
	EQ(packed.message.len, before.message.len);
	MEM(packed.message.at, elsewhere, before.message.len);
	EQ(packed.errors.len, 7);
	MEM(packed.errors.at, "\0\x0f\0\3\0\x16z", 7);
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
	const struct span m = { fresh, answer(fresh, size, 0, 0) };
	struct record rec;
	struct reply back;

	EQ(answer(aged, size, age_s, ttl_s), m.len);
	OK(reply_parse(m, &back));
	for (size_t at = back.question_end; at < m.len;) {
		message_record(m, &at, &rec);
		if (rec.type == TYPE_OPT)
			continue;
		uint32_t left = rec.ttl > age_s ? rec.ttl - age_s : 0;

		EQ(get_u32(aged + rec.type_at + 4), ttl_s ? ttl_s : left);
		put_u32(aged + rec.type_at + 4, rec.ttl);
	}
	MEM(aged, fresh, m.len);
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

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_name_that_leads_through_a_ttl_makes_nothing),
		CLAIM(a_name_with_a_ttl_inside_of_a_label_makes_nothing),
		CLAIM(a_name_that_leads_through_a_ttl_to_be_lowered_is_not_followed),
		CLAIM(a_name_that_leads_through_the_type_asked_for_makes_nothing),
		CLAIM(records_move_to_the_place_of_opt_and_their_ttls_are_found),
		CLAIM(of_what_moves_and_outgrows_a_message_whole_records_are_left_out),
		CLAIM(a_message_of_as_many_records_as_there_can_be_is_packed),
		CLAIM(the_longest_message_is_packed_with_all_its_errors),
		CLAIM(what_has_moved_borrows_nothing_from_where_it_was),
		CLAIM(an_aged_answer_of_any_size_differs_in_its_ttls_alone),
	};

	return RUN(cases);
}
