#include "ask/check.h"

#include <stdlib.h>

#include "dns/wire.h"

static struct wire wire;
static struct ask_plan plan;
static struct ask_message sent;
static struct ask_question question;
static char why[WHY_MAX];

/* What was asked: www.example. A, with RD; its answer begins at octet 29. */
static void ask(uint16_t flags)
{
	plan = (struct ask_plan){ .flags = flags };
	question = (struct ask_question){ .type = TYPE_A, .class = CLASS_IN };
	question.name_len = name_from_text("www.example.", question.name);
	wire_begin(&wire, flags);
	wire_question(&wire, "www.example.", TYPE_A);
	memcpy(sent.octets, wire.bytes, wire.len);
	sent.len = wire.len;
	sent.id = 0x1234;
}

/* The beginning of its reply. */
static void reply(unsigned flags)
{
	ask(DNS_RD);
	wire_begin(&wire, DNS_QR | DNS_RD | DNS_RA | flags);
	wire_question(&wire, "www.example.", TYPE_A);
}

/* The message is copied to memory of its own length, so that a sanitizer sees a read past it. */
static enum check check(void)
{
	uint8_t *copy = malloc(wire.len ? wire.len : 1);

	OK(copy);
	memcpy(copy, wire.bytes, wire.len);
	enum check verdict =
		check_reply(&plan, &sent, &question, (struct span){ copy, wire.len }, why);
	free(copy);
	return verdict;
}

#define SAYS(verdict, words)                                                                       \
	do {                                                                                       \
		EQ(check(), verdict);                                                              \
		STR(why, words);                                                                   \
	} while (0)
#define BROKEN(words) SAYS(CHECK_MALFORMED, words)

static void owned_by(struct span owner)
{
	reply(0);
	wire_record(&wire, SECTION_ANSWER, owner, TYPE_A, CLASS_IN, 300, ADDRESS);
}

static void with_rdata(unsigned type, struct span rdata)
{
	reply(0);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, type, CLASS_IN, 300, rdata);
}

static void with_options(struct span options)
{
	reply(0);
	plan.edns.on = true;
	wire_opt(&wire, 0, options);
}

CASE(an_answer_is_good)
{
	reply(0);
	wire_address(&wire, SECTION_ANSWER);
	SAYS(CHECK_GOOD, "");
}

CASE(what_is_no_reply_to_it_is_another_message)
{
	reply(0);
	wire.bytes[1]++;
	SAYS(CHECK_OTHER, "its ID is 4661, not 4660");
	reply(0);
	wire.bytes[2] &= 0x7f;
	SAYS(CHECK_OTHER, "it is no reply: QR is 0");
	reply(0x2000);
	SAYS(CHECK_OTHER, "its opcode is 4, not 0");
	reply(0);
	wire.bytes[13] = 'x';
	SAYS(CHECK_OTHER, "it is of another question: xww.example. A");
	reply(0);
	wire.bytes[26] = TYPE_AAAA;
	SAYS(CHECK_OTHER, "it is of another question: www.example. AAAA");
	reply(0);
	wire_begin(&wire, DNS_QR | DNS_RD | DNS_RA);
	SAYS(CHECK_OTHER, "it has no question");
}

CASE(a_broken_message_of_another_id_is_another_message)
{
	reply(0);
	wire.bytes[1]++;
	wire.len = 20;
	SAYS(CHECK_OTHER, "its ID is 4661, not 4660");
}

CASE(what_is_remarkable_is_told)
{
	reply(DNS_AD);
	SAYS(CHECK_ODD, "AD without AD or DO in the question");
	reply(DNS_Z);
	SAYS(CHECK_ODD, "the reserved bit is set");
	reply(0);
	wire.bytes[13] = 'W';
	SAYS(CHECK_ODD, "the question is spelled otherwise than it was asked");
	reply(0);
	wire.bytes[3] = 0;
	SAYS(CHECK_ODD, "recursion was wanted and is not offered");
	reply(0);
	wire_opt(&wire, 0x10000, NOTHING);
	SAYS(CHECK_ODD, "EDNS without EDNS in the question; EDNS version 1");
	reply(0);
	plan.edns.on = true;
	SAYS(CHECK_ODD, "no EDNS");
	ask(DNS_RD);
	wire_begin(&wire, DNS_QR | DNS_RD | DNS_RA | RCODE_FORMERR);
	SAYS(CHECK_ODD, "the question is not repeated");
}

CASE(ad_is_expected_by_who_asks_for_it)
{
	reply(DNS_AD);
	plan.edns = (struct ask_edns){ .on = true, .flags = EDNS_DO };
	wire_opt(&wire, EDNS_DO, NOTHING);
	SAYS(CHECK_GOOD, "");
}

CASE(remarks_have_an_end)
{
	reply(DNS_AD | DNS_Z);
	wire.bytes[2] &= 0xfe;
	wire.bytes[13] = 'W';
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_A, CLASS_IN, 300, SPAN("\1"));
	wire_opt(&wire, 0x10000, NOTHING);
	EQ(check(), CHECK_ODD);
	EQ(strlen(why), WHY_MAX - 1);
}

CASE(what_is_cut_off_says_where)
{
	reply(0);
	wire.len = 11;
	BROKEN("11 octets are no message: a header has 12");
	reply(0);
	wire.len = 20;
	BROKEN("question: the name at octet 12 runs past octet 20, its end");
	reply(0);
	wire.len = 27;
	BROKEN("question: type and class are cut off at octet 27");
	owned_by(TO_QUESTION);
	wire.len = 40;
	BROKEN("record at octet 29: cut off at octet 40");
	owned_by(TO_QUESTION);
	wire.len = 43;
	BROKEN("A: RDLENGTH at octet 39 is 4, and 2 octets are left");
}

CASE(counts_that_lie_are_told)
{
	reply(0);
	wire.bytes[5] = 2;
	BROKEN("2 questions, by the header's octet 4");
	owned_by(TO_QUESTION);
	wire.bytes[7] = 3;
	BROKEN("the header counts 3 in the answer section, and 1 are there: it ends at octet 45");
	owned_by(TO_QUESTION);
	wire.bytes[7] = 0;
	BROKEN("16 octets left over at octet 29, behind the last record");
}

CASE(names_that_lead_astray_are_told)
{
	owned_by(SPAN("\xc0\x1d"));
	BROKEN("owner in the answer section: the compression pointer at octet 29 does not lead back");
	owned_by(SPAN("\xc0\xff"));
	BROKEN("owner in the answer section: the compression pointer at octet 29 does not lead back");
	owned_by(SPAN("\xc0\x02"));
	BROKEN("owner in the answer section: the compression pointer at octet 29 leads into the header");
	owned_by(SPAN("\x80\x00"));
	BROKEN("owner in the answer section: a label of an unknown kind (0x80) at octet 29");
	owned_by(SPAN("\x3f"));
	EQ(check(), CHECK_MALFORMED);
	owned_by(SPAN("\1a\xc0\x1d"));
	BROKEN("owner in the answer section: the compression pointer at octet 31 does not lead back");
	reply(0);
	wire_bytes(&wire, SPAN("\1a\xc0"));
	wire.bytes[7] = 1;
	BROKEN("owner in the answer section: half a compression pointer at octet 31");
	with_rdata(TYPE_CNAME, SPAN("\3www"));
	BROKEN("CNAME: the name at octet 41 runs past octet 45, its end");
}

CASE(too_many_pointers_are_told)
{
	/* A chain of names, each an owner that points to the one before. */
	reply(0);
	wire_address(&wire, SECTION_ANSWER);
	for (unsigned i = 1; i <= NAME_HOPS; i++) {
		unsigned before = 29 + 16 * (i - 1);
		wire_record(&wire, SECTION_ANSWER,
			(struct span){
				(uint8_t[]){ (uint8_t)(0xc0 | before >> 8), (uint8_t)before }, 2 },
			TYPE_A, CLASS_IN, 300, ADDRESS);
	}
	BROKEN("owner in the answer section: more than 32 compression pointers from octet 541 on");
}

CASE(a_name_too_long_is_told)
{
	uint8_t name[320];

	for (unsigned i = 0; i < sizeof(name); i += 64) {
		memset(name + i, 'x', 64);
		name[i] = 63;
	}
	owned_by((struct span){ name, sizeof(name) });
	BROKEN("owner in the answer section: the name at octet 29 is longer than 255 octets");
}

CASE(rdata_that_does_not_fit_its_type_is_told)
{
	with_rdata(TYPE_MX, SPAN("\0\1\xc0\x0c\0"));
	BROKEN("MX: RDATA of 5 octets at octet 41 does not have the length of its parts");
	with_rdata(TYPE_SOA, SPAN("\0\0\0\0\0\1"));
	BROKEN("SOA: RDATA of 6 octets at octet 41 does not have the length of its parts");
	with_rdata(TYPE_MX, SPAN("\0"));
	BROKEN("MX: RDATA of 1 octets at octet 41 does not have the length of its parts");
}

CASE(what_only_who_shows_it_cannot_read_is_a_remark)
{
	with_rdata(TYPE_A, SPAN("\1\2\3"));
	SAYS(CHECK_ODD, "the RDATA of A at octet 41 is not what its type asks for");
}

CASE(a_broken_opt_is_told)
{
	with_options(SPAN("\0\3\0\4\1"));
	BROKEN("OPT: option 3 at octet 40 has 4 octets, and the record 1");
	with_options(SPAN("\0\3\0"));
	BROKEN("OPT: half an option at octet 40");

	uint8_t many[65 * 4] = { 0 };
	with_options((struct span){ many, sizeof(many) });
	BROKEN("OPT: more than 64 options, at octet 296");
	with_options(NOTHING);
	wire_opt(&wire, 0, NOTHING);
	BROKEN("a second OPT at octet 40");
	reply(0);
	wire_record(&wire, SECTION_ANSWER, ROOT, TYPE_OPT, 1232, 0, NOTHING);
	BROKEN("OPT at octet 29 in the answer section");
	reply(0);
	wire_record(&wire, SECTION_ADDITIONAL, TO_QUESTION, TYPE_OPT, 1232, 0, NOTHING);
	BROKEN("OPT at octet 29 does not belong to the root");
}

CASE(every_truncation_says_where)
{
	with_rdata(TYPE_MX, SPAN("\0\1\xc0\x0c"));
	wire_opt(&wire, 0, SPAN("\0\3\0\1x"));
	plan.edns.on = true;
	SAYS(CHECK_GOOD, "");
	for (size_t len = wire.len; len-- > 2;) {
		wire.len = len;
		EQ(check(), CHECK_MALFORMED);
		OK(strstr(why, "octet"));
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_answer_is_good),
		CLAIM(what_is_no_reply_to_it_is_another_message),
		CLAIM(a_broken_message_of_another_id_is_another_message),
		CLAIM(what_is_remarkable_is_told),
		CLAIM(ad_is_expected_by_who_asks_for_it),
		CLAIM(remarks_have_an_end),
		CLAIM(what_is_cut_off_says_where),
		CLAIM(counts_that_lie_are_told),
		CLAIM(names_that_lead_astray_are_told),
		CLAIM(too_many_pointers_are_told),
		CLAIM(a_name_too_long_is_told),
		CLAIM(rdata_that_does_not_fit_its_type_is_told),
		CLAIM(what_only_who_shows_it_cannot_read_is_a_remark),
		CLAIM(a_broken_opt_is_told),
		CLAIM(every_truncation_says_where),
	};
	return RUN(cases);
}
