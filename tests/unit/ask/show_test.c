/* What people see of a reply. */
#include "ask/show.h"

#include "ask/opt.h"
#include "case.h"

#include <string.h>

static char text[8192];
static struct ask_plan plan;
static struct ask_message sent = { .len = 24 };
static struct addr from;

#define HEADER(counts) "\x12\x34\x81\x80" counts
#define QUESTION       "\1a\4test\0\0\1\0\1"
#define SHOW(octets)   show(SPAN(octets), NULL)

static const char *show(struct span m, const char *remark)
{
	struct ask_reply reply = { .sent = &sent,
		.message = m,
		.over = SCHEME_UDP,
		.from = &from,
		.took_us = 1234567,
		.remark = remark };
	FILE *out = fmemopen(text, sizeof text, "w");

	OK(addr_parse(&from, "192.0.2.1:53", 53));
	show_reply(&plan, &reply, out);
	fclose(out);
	return text;
}

static void all_parts(void)
{
	plan = (struct ask_plan){ .show = { .comments = true,
					  .question = true,
					  .answer = true,
					  .authority = true,
					  .additional = true,
					  .stats = true } };
}

static void has(const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

CASE(a_reply_is_shown_in_pydigs_order)
{
	all_parts();
	STR(SHOW(HEADER("\0\1\0\1\0\0\0\0") QUESTION "\xc0\x0c\0\1\0\1\0\0\1\54\0\4\300\0\2\1"),
		";; UDP response from ('192.0.2.1', 53), 40 bytes, in 1.234 sec\n"
		";; rcode=0(NOERROR), id=4660\n"
		";; qr=1 opcode=0 aa=0 tc=0 rd=1 ra=1 z=0 ad=0 cd=0\n"
		";; question=1, answer=1, authority=0, additional=0\n"
		";; Size query=24, response=40, amp1=1.67 amp2=1.24\n"
		"\n;; QUESTION SECTION:\na.test.\tIN\tA\n"
		"\n;; ANSWER SECTION:\na.test.\t300\tIN\tA\t192.0.2.1\n");
}

#define TXT HEADER("\0\1\0\1\0\0\0\0") QUESTION "\xc0\x0c\0\20\0\1\0\0\0\5\0\5\4\33[m\xff"

CASE(nothing_from_the_wire_moves_the_cursor)
{
	all_parts();
	SHOW(TXT);
	has("\"\\027[m\\255\"");
	SHOW(HEADER("\0\1\0\0\0\0\0\0") "\3\33[m\0\0\1\0\1");
	has("\\027[m.\tIN");
	show(SPAN(TXT), "odd \033[m");
	has("*** WARNING: odd \\027[m");
	OK(!strchr(text, '\033'));
}

CASE(short_is_only_the_data)
{
	plan = (struct ask_plan){ .show = { .is_short = true } };
	STR(SHOW(TXT), "\"\\027[m\\255\"\n");
	plan.show.hex = true;
	STR(SHOW(TXT), "\\# 5 041b5b6dff\n");
}

CASE(generic_is_as_of_rfc_3597)
{
	plan = (struct ask_plan){ .show = { .generic = true, .answer = true } };
	STR(SHOW(TXT), "a.test.\t5\tCLASS1\tTYPE16\t\\# 5 041b5b6dff\n");
}

CASE(what_ldns_does_not_understand_is_shown_in_octets)
{
	plan = (struct ask_plan){ .show = { .answer = true } };
	/* An A record of three octets. */
	STR(SHOW(HEADER("\0\1\0\1\0\0\0\0") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\5\0\3\1\2\3"),
		"a.test.\t5\tIN\tA\t\\# 3 010203\n");
}

#define OPT(length, data) HEADER("\0\0\0\0\0\0\0\1") "\0\0\x29\4\xd0\1\0\x80\0" length data

CASE(options_of_edns_are_shown_in_words)
{
	all_parts();
	SHOW(OPT("\0\44",
		"\0\17\0\5\0\11bad\0\3\0\2ns\0\10\0\7\0\1\30\0\300\0\2\0\13\0\2\0\173"
		"\0\11\0\0"));
	has("rcode=16(BADVERS)");
	has(";; OPT: edns_version=0, udp_payload=1232, flags=do, ercode=16(BADVERS)\n");
	has(";; OPT code=15 (Extended DNS Error), length=5\n;; DATA: EDE: 9 (DNSKEY Missing): "
	    "bad\n");
	has(";; DATA: NSID: 6e73 (ns)\n");
	has(";; DATA: ECS: 192.0.2.0/24/0\n");
	has(";; DATA: KEEPALIVE: 12.3 s\n");
	has(";; OPT code=9 (Expire), length=0\n");
}

CASE(extended_errors_have_names)
{
	STR(opt_error(0), "Other");
	STR(opt_error(6), "DNSSEC Bogus");
	STR(opt_error(18), "Prohibited");
	STR(opt_error(24), "Invalid Data");
	STR(opt_error(30), "Invalid Query Type");
	OK(!opt_error(31));
}

CASE(of_a_broken_message_what_can_be_read_is_shown)
{
	static const uint8_t whole[] =
		HEADER("\0\1\0\2\0\0\0\0") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\300\0\2\1"
						    "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\300";

	all_parts();
	for (size_t len = 0; len < sizeof whole; len++) {
		show((struct span){ whole, len }, NULL);
		has("*** WARNING: the message is broken\n");
	}
	has("a.test.\t5\tIN\tA\t192.0.2.1\n");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_reply_is_shown_in_pydigs_order),
		CLAIM(nothing_from_the_wire_moves_the_cursor),
		CLAIM(short_is_only_the_data),
		CLAIM(generic_is_as_of_rfc_3597),
		CLAIM(what_ldns_does_not_understand_is_shown_in_octets),
		CLAIM(options_of_edns_are_shown_in_words),
		CLAIM(extended_errors_have_names),
		CLAIM(of_a_broken_message_what_can_be_read_is_shown),
	};

	return RUN(cases);
}
