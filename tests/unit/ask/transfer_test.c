#include "ask/transfer.h"

#include <stdlib.h>

#include "dns/wire.h"

static struct wire wire;
static struct ask_question question;
static struct transfer transfer;
static char why[WHY_MAX];
static unsigned told;

static void on_record(void *arg, struct span m, const struct record *rec)
{
	OK(arg == &told);
	OK(rec->end <= m.len);
	told++;
}

static void begin(unsigned type, uint32_t serial)
{
	question = (struct ask_question){
		.type = (uint16_t)type, .class = CLASS_IN, .serial = serial
	};
	question.name_len = name_from_text("Example.", question.name);
	transfer = (struct transfer){
		.question = &question, .id = 0x1234, .on_record = on_record, .arg = &told
	};
	told = 0;
}

/* A message of the transfer, before its records. */
static void message(void)
{
	wire_begin(&wire, DNS_QR | DNS_AA);
	wire_question(&wire, "example.", question.type);
}

static void soa(uint32_t serial)
{
	uint8_t rdata[22] = { 0 };

	put_u32(rdata + 2, serial);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, TYPE_SOA, CLASS_IN, 60,
		(struct span){ rdata, sizeof(rdata) });
}

static void address(void)
{
	wire_address(&wire, SECTION_ANSWER);
}

/* The message is copied to memory of its own length, so that a sanitizer sees a read past it. */
static enum transfer_verdict take(void)
{
	uint8_t *copy = malloc(wire.len ? wire.len : 1);

	OK(copy);
	memcpy(copy, wire.bytes, wire.len);
	enum transfer_verdict verdict = transfer_take(&transfer, copy, wire.len, 0, why);
	free(copy);
	return verdict;
}

/* A transfer in one message: SOAs of these serials with an address between each two, up to 0. */
static enum transfer_verdict take_all(unsigned type, uint32_t asked, const uint32_t *serials)
{
	begin(type, asked);
	message();
	for (soa(*serials++); *serials; soa(*serials++))
		if (transfer.question->type == TYPE_AXFR)
			address();
	return take();
}

#define SERIALS(...) ((const uint32_t[]){ __VA_ARGS__, 0 })
#define BAD(verdict, words)                                                                        \
	do {                                                                                       \
		EQ(verdict, TRANSFER_BAD);                                                         \
		STR(why, words);                                                                   \
	} while (0)

CASE(a_zone_is_from_soa_to_soa)
{
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	address();
	EQ(take(), TRANSFER_MORE);
	STR(transfer_lacks(&transfer), "its last SOA did not come");
	wire_begin(&wire, DNS_QR | DNS_AA); /* without the question */
	EQ(take(), TRANSFER_MORE);
	message();
	address();
	soa(7);
	EQ(take(), TRANSFER_DONE);
	EQ(transfer.form, TRANSFER_WHOLE);
	EQ(transfer.serial, 7);
	EQ(transfer.records, 4);
	EQ(told, 4);
	EQ(transfer.messages, 3);
	EQ(transfer.empty, 1);
	EQ(transfer.size_min, 12);
	EQ(transfer.size_max, 25 + 34 + 16);
	EQ(transfer.octets, 12 + 2 * (25 + 34 + 16));
}

CASE(a_zone_of_nothing_but_its_soa_is_whole)
{
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	soa(7);
	EQ(take(), TRANSFER_DONE);
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	EQ(take(), TRANSFER_MORE);
	STR(transfer_lacks(&transfer), "nothing came but its SOA");
	EQ(take(), TRANSFER_DONE);
}

CASE(a_zone_that_changed_meanwhile_is_not_whole)
{
	BAD(take_all(TYPE_AXFR, 0, SERIALS(7, 8)), "it begins with serial 7 and ends with 8");
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	soa(8);
	BAD(take(), "it begins with serial 7 and ends with 8");
}

CASE(a_soa_of_another_name_ends_nothing)
{
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	wire_record(&wire, SECTION_ANSWER, SPAN("\3sub\xc0\x0c"), TYPE_SOA, CLASS_IN, 60,
		(struct span){ (uint8_t[22]){ 0 }, 22 });
	EQ(take(), TRANSFER_MORE);
	begin(TYPE_AXFR, 0);
	message();
	address();
	BAD(take(), "the first record is not the SOA of the zone");
}

CASE(nothing_may_come_behind_the_end)
{
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	soa(7);
	address();
	BAD(take(), "there are records behind the last SOA, at octet 93");
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	soa(7);
	EQ(take(), TRANSFER_DONE);
	BAD(take(), "a message comes behind the end");
}

CASE(what_is_current_is_one_soa)
{
	EQ(take_all(TYPE_IXFR, 7, SERIALS(7)), TRANSFER_DONE);
	EQ(transfer.form, TRANSFER_CURRENT);
	EQ(take_all(TYPE_IXFR, 8, SERIALS(7)), TRANSFER_DONE);
	EQ(take_all(TYPE_IXFR, 1, SERIALS(0xffffffff)), TRANSFER_DONE);
	EQ(take_all(TYPE_IXFR, 0xffffffff, SERIALS(1)), TRANSFER_MORE);
	EQ(take_all(TYPE_IXFR, 6, SERIALS(7)), TRANSFER_MORE);
	EQ(take_all(TYPE_AXFR, 7, SERIALS(7)), TRANSFER_MORE);
}

CASE(changes_go_from_serial_to_serial)
{
	EQ(take_all(TYPE_IXFR, 3, SERIALS(7, 3, 7, 7)), TRANSFER_DONE);
	EQ(transfer.form, TRANSFER_CHANGES);
	EQ(take_all(TYPE_IXFR, 3, SERIALS(7, 3, 5, 5, 7, 7)), TRANSFER_DONE);
	EQ(transfer.records, 6);
	EQ(take_all(TYPE_IXFR, 3, SERIALS(7, 3, 5, 5, 7)), TRANSFER_MORE);
	BAD(take_all(TYPE_IXFR, 3, SERIALS(7, 3, 5, 4)),
		"changes up to serial 5 are followed by those from 4");
	BAD(take_all(TYPE_IXFR, 3, SERIALS(7, 4, 7, 7)), "the changes begin at serial 4, not at 3");
	BAD(take_all(TYPE_IXFR, 3, SERIALS(7, 3, 5, 7)),
		"changes up to serial 5 are followed by those from 7");
}

CASE(changes_have_records_between)
{
	begin(TYPE_IXFR, 3);
	message();
	soa(7);
	EQ(take(), TRANSFER_MORE);
	message();
	soa(3);
	address();
	EQ(take(), TRANSFER_MORE);
	message();
	address();
	soa(7);
	address();
	EQ(take(), TRANSFER_MORE);
	message();
	soa(7);
	EQ(take(), TRANSFER_DONE);
	EQ(transfer.form, TRANSFER_CHANGES);
	EQ(told, 7);
}

CASE(the_whole_zone_may_come_in_place_of_changes)
{
	begin(TYPE_IXFR, 3);
	message();
	soa(7);
	address();
	soa(7);
	EQ(take(), TRANSFER_DONE);
	EQ(transfer.form, TRANSFER_WHOLE);
}

CASE(messages_without_records_have_an_end)
{
	begin(TYPE_AXFR, 0);
	message();
	for (int i = 0; i < TRANSFER_EMPTY_MAX; i++)
		EQ(take(), TRANSFER_MORE);
	STR(transfer_lacks(&transfer), "nothing came");
	BAD(take(), "more than 16 messages have no records");
}

CASE(messages_of_others_end_it)
{
	begin(TYPE_AXFR, 0);
	message();
	wire.bytes[0] = 0;
	BAD(take(), "a message has ID 52, not 4660");
	begin(TYPE_AXFR, 0);
	message();
	wire.bytes[2] = 0;
	BAD(take(), "a message is not the reply to a query");
	begin(TYPE_AXFR, 0);
	wire_begin(&wire, DNS_QR);
	BAD(take(), "a message is not of the question");
	begin(TYPE_AXFR, 0);
	message();
	wire.bytes[13] = 'x';
	BAD(take(), "a message is not of the question");
	begin(TYPE_AXFR, 0);
	message();
	wire.bytes[2] |= 2;
	BAD(take(), "a message is truncated");
}

CASE(a_refusal_is_told)
{
	begin(TYPE_AXFR, 0);
	message();
	wire.bytes[3] = RCODE_REFUSED;
	BAD(take(), "the server says REFUSED");
	EQ(transfer.rcode, RCODE_REFUSED);
}

CASE(a_broken_message_says_where)
{
	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	wire.len -= 1;
	BAD(take(), "SOA: RDLENGTH at octet 35 is 22, and 21 octets are left");
	BAD(take(), "a message comes behind the end");
}

/* A key of ours, with which the server signs the messages as well as we do. */
static struct ask_key key = { .algorithm = "hmac-sha256",
	.name = "\1k",
	.name_len = 3,
	.secret = (const uint8_t *)"secret",
	.secret_len = 6 };

CASE(what_is_not_signed_as_it_has_to_be_ends_it)
{
	struct tsig tsig;
	uint8_t octets[512];

	begin(TYPE_AXFR, 0);
	message();
	soa(7);
	memcpy(octets, wire.bytes, DNS_HEADER);
	tsig_init(&tsig, &key);
	OK(tsig_sign(&tsig, octets, DNS_HEADER, sizeof(octets), 0));
	transfer.tsig = &tsig;
	BAD(take(), "TSIG: it is not signed");
	EQ(transfer.signed_bad, 1);
	EQ(told, 0);
	tsig_clear(&tsig);
}

CASE(the_last_message_has_to_be_signed)
{
	struct tsig tsig;

	begin(TYPE_AXFR, 0);
	tsig_init(&tsig, &key);
	tsig.is_later = true; /* as behind a first one that was good */
	transfer.tsig = &tsig;
	message();
	soa(7);
	EQ(take(), TRANSFER_MORE);
	EQ(transfer.unsigned_count, 1);
	message();
	soa(7);
	BAD(take(), "TSIG: the last message is not signed");
	tsig_clear(&tsig);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_zone_is_from_soa_to_soa),
		CLAIM(a_zone_of_nothing_but_its_soa_is_whole),
		CLAIM(a_zone_that_changed_meanwhile_is_not_whole),
		CLAIM(a_soa_of_another_name_ends_nothing),
		CLAIM(nothing_may_come_behind_the_end),
		CLAIM(what_is_current_is_one_soa),
		CLAIM(changes_go_from_serial_to_serial),
		CLAIM(changes_have_records_between),
		CLAIM(the_whole_zone_may_come_in_place_of_changes),
		CLAIM(messages_without_records_have_an_end),
		CLAIM(messages_of_others_end_it),
		CLAIM(a_refusal_is_told),
		CLAIM(a_broken_message_says_where),
		CLAIM(what_is_not_signed_as_it_has_to_be_ends_it),
		CLAIM(the_last_message_has_to_be_signed),
	};
	return RUN(cases);
}
