#include "dns/splice.h"

#include "packing.h"

static uint8_t scratch[DNS_MESSAGE_MAX];
static _Alignas(uint16_t) uint8_t spliced_memory[PACKED_MAX];
static struct packed spliced;
static struct splice s;
static struct question asked;
static struct alias aliases[2];

static void alias(unsigned n, const char *target, uint32_t ttl_s)
{
	aliases[n] = (struct alias){ .ttl_s = ttl_s };
	aliases[n].target_len = (uint8_t)name_from_text(target, aliases[n].target);
	s.aliases = aliases;
	s.alias_count = n + 1;
}

/* www.example.com was asked, in place of that; what the server says follows. */
static void instead_of(const char *name, uint16_t type)
{
	static uint8_t wire_name[NAME_MAX_WIRE];

	server(0, type);
	asked = (struct question){ wire_name, name_from_text(name, wire_name), type, CLASS_IN };
	s = (struct splice){ .question = &asked, .asked = SPAN("\3www\7example\3com\0") };
	s.asked.len = 17;
}

static bool put_together(void)
{
	OK(pack());
	s.answer = &packed;
	return splice_answer(&spliced, spliced_memory, scratch, &s);
}

/* The records of the spliced message: "OWNER TTL TYPE", and the name in the RDATA of CNAME. */
static void check(unsigned n, const char *owner, uint32_t ttl, uint16_t type)
{
	uint8_t name[NAME_MAX_WIRE];
	char text[NAME_TEXT];
	struct record rec;
	struct reply r;

	OK(reply_parse(spliced.message, &r));
	size_t at = r.question_end;

	for (unsigned i = 0; i <= n; i++)
		message_record(spliced.message, &at, &rec);
	name_copy(spliced.message, rec.owner, name);
	STR(name_to_text(name, text), owner);
	EQ(rec.ttl, ttl);
	EQ(rec.type, type);
	EQ(spliced.ttl_at[n], rec.type_at + 4);
}

static unsigned records_in(int section)
{
	return get_u16(spliced.message.at + 4 + 2 * section);
}

CASE(an_alias_stands_in_front_of_what_it_leads_to)
{
	instead_of("here.test", TYPE_A);
	alias(0, "www.example.com", 60);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, SPAN("\xc0\x00\x02\x02"));
	OK(put_together());
	EQ(spliced.ttl_count, 3);
	check(0, "here.test.", 60, TYPE_CNAME);
	check(1, "www.example.com.", 300, TYPE_A);
	check(2, "www.example.com.", 300, TYPE_A);
	EQ(spliced.holds, HOLDS_ALIAS | HOLDS_ADDRESS);
}

CASE(aliases_follow_each_other)
{
	instead_of("here.test", TYPE_A);
	alias(0, "there.test", 60);
	alias(1, "www.example.com", 70);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	OK(put_together());
	check(0, "here.test.", 60, TYPE_CNAME);
	check(1, "there.test.", 70, TYPE_CNAME);
	check(2, "www.example.com.", 300, TYPE_A);
}

CASE(what_was_asked_instead_is_told_under_the_name_asked_for)
{
	instead_of("here.test", TYPE_A);
	record(SECTION_ANSWER, SPAN("\3WWW\xc0\x10"), TYPE_CNAME, 300, SPAN("\1x\xc0\x10"));
	record(SECTION_ANSWER, SPAN("\1x\xc0\x10"), TYPE_A, 200, ADDRESS);
	record(SECTION_ADDITIONAL, TO_QUESTION, TYPE_TXT, 100, SPAN("\1x"));
	OK(put_together());
	check(0, "here.test.", 300, TYPE_CNAME);
	check(1, "x.example.com.", 200, TYPE_A);
	check(2, "here.test.", 100, TYPE_TXT);
	EQ(records_in(SECTION_ANSWER), 2);
	EQ(records_in(SECTION_ADDITIONAL), 1);
}

CASE(what_was_asked_behind_an_alias_is_told_under_its_target)
{
	instead_of("here.test", TYPE_A);
	alias(0, "there.test", 60);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	OK(put_together());
	check(0, "here.test.", 60, TYPE_CNAME);
	check(1, "there.test.", 300, TYPE_A);
}

CASE(a_dname_stands_in_front_of_the_alias_that_follows_from_it)
{
	instead_of("a.old.test", TYPE_A);
	alias(0, "a.new.example.com", 60);
	aliases[0].dname_len = sizeof "\3old\4test";
	aliases[0].dname_target_len = sizeof "\3new\7example\3com";
	OK(splice_answer(&spliced, spliced_memory, scratch, &s));
	EQ(spliced.ttl_count, 2);
	check(0, "old.test.", 60, TYPE_DNAME);
	check(1, "a.old.test.", 60, TYPE_CNAME);
}

CASE(an_alias_can_stand_alone)
{
	instead_of("here.test", TYPE_A);
	alias(0, "www.example.com", 60);
	OK(splice_answer(&spliced, spliced_memory, scratch, &s));
	EQ(spliced.ttl_count, 1);
	EQ(spliced.rcode, RCODE_NOERROR);
	check(0, "here.test.", 60, TYPE_CNAME);
}

CASE(what_is_behind_an_alias_has_its_age_and_the_alias_has_none)
{
	instead_of("here.test", TYPE_A);
	alias(0, "www.example.com", 60);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_A, 300, ADDRESS);
	s.age_s = 100;
	OK(put_together());
	check(0, "here.test.", 60, TYPE_CNAME);
	check(1, "www.example.com.", 200, TYPE_A);
	s.ttl_s = 30;
	OK(put_together());
	check(1, "www.example.com.", 30, TYPE_A);
}

CASE(rcode_errors_and_tc_stay_and_ad_goes)
{
	uint8_t option[] = { 0, OPTION_EDE, 0, 3, 0, 15, 'x' };

	instead_of("here.test", TYPE_A);
	put_u16(wire.bytes + 2, DNS_QR | DNS_TC | DNS_AD | RCODE_NXDOMAIN);
	alias(0, "www.example.com", 60);
	wire_record(&wire, SECTION_ADDITIONAL, ROOT, TYPE_OPT, 1232, 0,
		(struct span){ option, sizeof option });
	OK(put_together());
	EQ(spliced.rcode, RCODE_NXDOMAIN);
	EQ(get_u16(spliced.message.at + 2) & (DNS_TC | DNS_AD), DNS_TC);
	EQ(spliced.errors.len, sizeof option);
	MEM(spliced.errors.at, option, sizeof option);
}

CASE(names_in_rdata_are_written_out)
{
	static const uint8_t written[] = "\0\1\4mail\7example\3com";
	struct record rec;
	struct reply r;

	instead_of("here.test", TYPE_MX);
	record(SECTION_ANSWER, TO_QUESTION, TYPE_MX, 300, SPAN("\0\1\4mail\xc0\x10"));
	OK(put_together());
	OK(reply_parse(spliced.message, &r));
	size_t at = r.question_end;

	message_record(spliced.message, &at, &rec);
	EQ(rec.end - rec.rdata, sizeof written);
	MEM(spliced.message.at + rec.rdata, written, sizeof written);
}

CASE(what_no_message_holds_is_refused)
{
	/* As long as a message may be: an alias more is too much. */
	static const uint8_t zeros[DNS_MESSAGE_MAX];
	size_t room;

	instead_of("here.test", TYPE_TXT);
	alias(0, "www.example.com", 60);
	room = DNS_MESSAGE_MAX - wire.len - 12;
	record(SECTION_ANSWER, TO_QUESTION, TYPE_TXT, 300, (struct span){ zeros, room });
	OK(!put_together());
}

/* ---- DNS64 ---- */

static const struct dns64_prefix well_known = { { 0, 0x64, 0xff, 0x9b }, 96 };

CASE(addresses_are_told_as_what_stands_for_them)
{
	static const uint8_t made[] = { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1 };
	static const uint8_t covers_a[20] = { 0, TYPE_A };
	struct record rec;
	struct reply r;

	instead_of("www.example.com", TYPE_A);
	asked.type = TYPE_AAAA;
	s.dns64 = &well_known;
	s.dns64_ttl_s = 50;
	record(SECTION_ANSWER, TO_QUESTION, TYPE_CNAME, 300, SPAN("\1x\xc0\x10"));
	record(SECTION_ANSWER, SPAN("\1x\xc0\x10"), TYPE_A, 200, ADDRESS);
	record(SECTION_ANSWER, SPAN("\1x\xc0\x10"), TYPE_A, 200, SPAN("\x0a\x00\x00\x01"));
	record(SECTION_ANSWER, SPAN("\1x\xc0\x10"), TYPE_RRSIG, 200,
		(struct span){ covers_a, sizeof covers_a });
	record(SECTION_ADDITIONAL, SPAN("\1y\xc0\x10"), TYPE_A, 200, ADDRESS);
	OK(put_together());
	EQ(records_in(SECTION_ANSWER), 2);
	check(0, "www.example.com.", 300, TYPE_CNAME);
	check(1, "x.example.com.", 50, TYPE_AAAA);
	check(2, "y.example.com.", 200, TYPE_A);
	OK(reply_parse(spliced.message, &r));
	size_t at = r.question_end;

	message_record(spliced.message, &at, &rec);
	message_record(spliced.message, &at, &rec);
	EQ(rec.end - rec.rdata, 16);
	MEM(spliced.message.at + rec.rdata, made, 16);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_alias_stands_in_front_of_what_it_leads_to),
		CLAIM(aliases_follow_each_other),
		CLAIM(what_was_asked_instead_is_told_under_the_name_asked_for),
		CLAIM(what_was_asked_behind_an_alias_is_told_under_its_target),
		CLAIM(a_dname_stands_in_front_of_the_alias_that_follows_from_it),
		CLAIM(an_alias_can_stand_alone),
		CLAIM(what_is_behind_an_alias_has_its_age_and_the_alias_has_none),
		CLAIM(rcode_errors_and_tc_stay_and_ad_goes),
		CLAIM(names_in_rdata_are_written_out),
		CLAIM(what_no_message_holds_is_refused),
		CLAIM(addresses_are_told_as_what_stands_for_them),
	};

	return RUN(cases);
}
