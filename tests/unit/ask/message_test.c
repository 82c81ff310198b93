/* What is sent, octet for octet, as another reader of messages sees it. */
#include "ask/message.h"

#include "ask/plan_read.h"
#include "case.h"
#include "dns/message.h"

#include <string.h>

#define ID 0x1234

static struct ask_plan plan;
static struct ask_message message;

#define MAKE(...) make((const char *const[]){ "@192.0.2.1", __VA_ARGS__, NULL })

static void make(const char *const *words)
{
	plan_clear(&plan);
	OK(plan_read(&plan, words, stderr));
	OK(message_make(&message, &plan, &plan.questions[0], ID));
	EQ(message.id, ID);
}

static struct span sent(void)
{
	return (struct span){ message.octets, message.len };
}

/* The message, which a reader of replies takes for one: all but QR is the same. */
static struct reply read_back(void)
{
	struct reply r;

	OK(reply_parse(sent(), &r));
	return r;
}

CASE(a_plain_question_is_nothing_but_its_octets)
{
	static const uint8_t octets[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1";

	MAKE("a.test", "+noedns");
	EQ(message.len, sizeof octets - 1);
	MEM(message.octets, octets, message.len);
}

CASE(the_header_is_as_it_was_asked_for)
{
	MAKE("a.test", "+noedns", "+norecurse", "+aaonly", "+cdflag", "+opcode=4");
	EQ(get_u16(message.octets + 2), 4 << 11 | DNS_AA | DNS_CD);
	MAKE("a.test", "+emptyquestion", "+noedns");
	EQ(message.len, DNS_HEADER);
	EQ(get_u16(message.octets + 4), 0);
	MAKE("a.test", "+header-only");
	EQ(message.len, DNS_HEADER);
	EQ(get_u16(message.octets + 10), 0);
}

CASE(edns_is_one_record_with_all_options)
{
	MAKE("a.test", "+dnssec", "+bufsize=4000", "+nsid", "+ednsopt=65001:beef");
	struct reply r = read_back();

	OK(r.has_opt);
	EQ(r.edns.udp_size, 4000);
	OK(r.edns.dnssec_ok);
	EQ(r.edns.options.len, 10);
	MEM(r.edns.options.at, "\0\3\0\0\xfd\xe9\0\2\xbe\xef", 10);
	MAKE("a.test", "+edns=7");
	EQ(read_back().edns.version, 7);
}

CASE(padding_fills_the_whole_message_up)
{
	MAKE("a.test", "+padding");
	EQ(message.len, 128);
	OK(read_back().edns.has_padding);
	MAKE("a.test", "+padding=100", "+ednsopt=65001");
	EQ(message.len, 100);

	/* With the signature, which comes behind it. */
	MAKE("a.test", "+padding");
	plan.key = (struct ask_key){ .algorithm = "hmac-sha256",
		.name = "\3key",
		.name_len = 5,
		.secret = (const uint8_t *)"secret",
		.secret_len = 6 };
	OK(message_make(&message, &plan, &plan.questions[0], ID));
	EQ(message.len, 128);
	EQ(get_u16(message.octets + 10), 2);
	OK(message.mac_len > 0);
}

CASE(an_incremental_transfer_says_what_is_there_already)
{
	MAKE("a.test", "IXFR=4000000000", "+noedns");
	struct reply r = read_back();

	EQ(r.count[SECTION_AUTHORITY], 1);
	EQ(get_u32(message.octets + message.len - 20), 4000000000u);
}

CASE(letters_in_random_case_are_the_same_name)
{
	unsigned changed = 0;

	for (int i = 0; i < 8; i++) {
		MAKE("abcdefghijklmnopqrstuvwxyz.0123456789.test", "+0x20");
		const uint8_t *name = message.octets + DNS_HEADER;

		OK(name_equals(name, plan.questions[0].name, plan.questions[0].name_len));
		MEM(name, message.name, plan.questions[0].name_len);
		changed += memcmp(name, plan.questions[0].name, plan.questions[0].name_len) != 0;
	}
	EQ(changed, 8); /* 2^-30 each that it is not */
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_plain_question_is_nothing_but_its_octets),
		CLAIM(the_header_is_as_it_was_asked_for),
		CLAIM(edns_is_one_record_with_all_options),
		CLAIM(padding_fills_the_whole_message_up),
		CLAIM(an_incremental_transfer_says_what_is_there_already),
		CLAIM(letters_in_random_case_are_the_same_name),
	};
	int failed = RUN(cases);

	plan_clear(&plan);
	return failed;
}
