#include "cache/image.h"

#include "case.h"
#include "dns/wire.h"

#include <stdlib.h>

#define NOW_MS  INT64_C(5000000)
#define AGE_MS  INT64_C(90500)
#define ERRORS  SPAN("\0\x0f\0\x06\0\x16late")
#define OF_FILE 4096

static const struct pack_limits limits = { 0, 86400, 3600 };
static const struct image_head head = { .boot = "01234567-89ab-cdef-0123-456789abcdef",
	.since_boot_ms = NOW_MS,
	.date_ms = INT64_C(1800000000000),
	.group_count = 2,
	.groups = { 0x0123456789abcdef, 0xfedcba9876543210 } };

/* A file in memory. */
static uint8_t file[OF_FILE + 1];
static size_t file_len;

static struct image_writer writer;
static struct image_reader reader;
static _Alignas(uint16_t) uint8_t packed_memory[PACKED_MAX], unpacked_memory[PACKED_MAX];
static struct wire wire;

/* What a server says of the name. */
static struct cache_entry reply(const char *name, enum rcode rcode, int addresses)
{
	struct cache_entry e = { .since_ms = NOW_MS - AGE_MS };
	struct reply r;

	wire_begin(&wire, DNS_QR | DNS_RD | DNS_RA | (unsigned)rcode);
	wire_question(&wire, name, TYPE_A);
	for (int i = 0; i < addresses; i++)
		wire_address(&wire, SECTION_ANSWER);
	if (!addresses)
		wire_record(&wire, SECTION_AUTHORITY, ROOT, TYPE_SOA, CLASS_IN, 600,
			SPAN("\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c"));
	wire_opt(&wire, 0, ERRORS);
	OK(reply_parse(wire_span(&wire), &r));
	OK(pack_reply(&e.packed, packed_memory, &r, &limits));
	return e;
}

static void write_begin(void)
{
	FILE *out = fmemopen(file, sizeof file, "w");

	OK(out && image_write_head(&writer, out, &head));
}

static void write_entry(const struct cache_entry *e)
{
	OK(image_write_entry(&writer, e, NOW_MS));
}

static void write_end(void)
{
	OK(image_write_end(&writer) && fflush(writer.out) == 0);
	file_len = (size_t)ftell(writer.out);
	OK(file_len <= OF_FILE && fclose(writer.out) == 0);
}

/* A file of one answer. */
static void write_one(const struct cache_entry *e)
{
	write_begin();
	write_entry(e);
	write_end();
}

static void read_begin(void)
{
	struct image_head h;
	FILE *in = fmemopen(file, file_len, "r");

	OK(in && image_read_head(&reader, in, &h));
	MEM(h.boot, head.boot, IMAGE_BOOT);
	EQ(h.since_boot_ms, head.since_boot_ms);
	EQ(h.date_ms, head.date_ms);
	EQ(h.group_count, head.group_count);
	MEM(h.groups, head.groups, 2 * sizeof *h.groups);
}

static void read_end(void)
{
	struct image_entry e;

	OK(!image_read_entry(&reader, &e) && !reader.fault);
	fclose(reader.in);
}

/* What is wrong with a file of so many octets; NULL: nothing. */
static const char *fault_of(size_t len)
{
	FILE *in = len ? fmemopen(file, len, "r") : fopen("/dev/null", "r");
	struct image_entry e;
	struct image_head h;

	OK(in);
	if (image_read_head(&reader, in, &h))
		while (image_read_entry(&reader, &e))
			;
	fclose(in);
	return reader.fault;
}

/* The one answer of the file, packed anew. */
static bool unpack_one(struct image_entry *e, struct packed *packed)
{
	read_begin();
	OK(image_read_entry(&reader, e));
	bool worth = image_unpack(e, &limits, packed, unpacked_memory);
	struct image_entry none;

	/* Its message is in the reader, but what is packed is not. */
	OK(!image_read_entry(&reader, &none) && !reader.fault);
	fclose(reader.in);
	return worth;
}

static void same_packed(const struct packed *a, const struct packed *b)
{
	EQ(a->message.len, b->message.len);
	MEM(a->message.at, b->message.at, a->message.len);
	EQ(a->errors.len, b->errors.len);
	MEM(a->errors.at, b->errors.at, a->errors.len);
	EQ(a->ttl_count, b->ttl_count);
	MEM(a->ttl_at, b->ttl_at, 2u * a->ttl_count);
	EQ(a->rcode, b->rcode);
	EQ(a->worth, b->worth);
	EQ(a->lifetime_s, b->lifetime_s);
}

CASE(an_answer_is_the_same_afterwards)
{
	static const struct {
		enum rcode rcode;
		int addresses;
		enum worth worth;
	} rows[] = { { RCODE_NOERROR, 3, WORTH_POSITIVE }, { RCODE_NOERROR, 0, WORTH_NODATA },
		{ RCODE_NXDOMAIN, 0, WORTH_NXDOMAIN } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cache_entry e = reply("www.example", rows[i].rcode, rows[i].addresses);
		struct image_entry back;
		struct packed packed;

		EQ(e.packed.worth, rows[i].worth);
		EQ(e.packed.errors.len, ERRORS.len);
		write_one(&e);
		OK(unpack_one(&back, &packed));
		same_packed(&packed, &e.packed);
		EQ(back.age_ms, AGE_MS);
	}
}

CASE(who_asked_is_the_same_afterwards)
{
	for (unsigned i = 0; i < 8; i++) {
		struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);
		struct image_entry back;
		struct packed packed;

		e.key.dnssec_ok = i & 1;
		e.key.checking_disabled = i & 2;
		e.key.group = i & 4 ? 1 : 0;
		write_one(&e);
		OK(unpack_one(&back, &packed));
		EQ(back.dnssec_ok, e.key.dnssec_ok);
		EQ(back.checking_disabled, e.key.checking_disabled);
		EQ(back.group, e.key.group);
	}
}

CASE(entries_come_back_in_order_and_all_of_them)
{
	write_begin();
	for (int i = 1; i <= 9; i++) {
		struct cache_entry e = reply("www.example", RCODE_NOERROR, i);

		write_entry(&e);
	}
	write_end();
	read_begin();
	for (int i = 1; i <= 9; i++) {
		struct image_entry e;

		OK(image_read_entry(&reader, &e));
		EQ(get_u16(e.message.at + 6), i);
	}
	read_end();
}

CASE(a_file_of_nothing_is_a_file)
{
	write_begin();
	write_end();
	read_begin();
	read_end();
}

CASE(failures_are_not_written)
{
	struct cache_entry e = reply("www.example", RCODE_SERVFAIL, 0);

	EQ(e.packed.worth, WORTH_FAILURE);
	write_one(&e);
	read_begin();
	read_end();
}

CASE(what_came_after_the_head_has_no_age)
{
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);
	struct image_entry back;
	struct packed packed;

	e.since_ms = NOW_MS + 5;
	write_one(&e);
	OK(unpack_one(&back, &packed));
	EQ(back.age_ms, 0);
}

CASE(errors_are_left_out_of_a_message_that_is_full)
{
	static uint8_t large[IMAGE_PIECE + 1024];
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);
	FILE *out = fmemopen(large, sizeof large, "w");
	struct image_entry back;
	struct image_head h;

	OK(out);
	for (size_t len = DNS_MESSAGE_MAX - 40; len <= DNS_MESSAGE_MAX; len++) {
		static uint8_t message[DNS_MESSAGE_MAX];

		e.packed.message = (struct span){ message, len };
		rewind(out);
		OK(image_write_head(&writer, out, &head) &&
			image_write_entry(&writer, &e, NOW_MS) && image_write_end(&writer) &&
			fflush(out) == 0);
		FILE *in = fmemopen(large, (size_t)ftell(out), "r");
		size_t opt = 11 + ERRORS.len;

		OK(in && image_read_head(&reader, in, &h) && image_read_entry(&reader, &back));
		EQ(back.message.len, len + opt <= DNS_MESSAGE_MAX ? len + opt : len);
		EQ(get_u16(back.message.at + 10), back.message.len > len);
		read_end();
	}
	fclose(out);
}

/* A file of two answers, whose octets are then changed. */
static void write_two(void)
{
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 2);

	write_begin();
	write_entry(&e);
	e = reply("mail.example", RCODE_NXDOMAIN, 0);
	write_entry(&e);
	write_end();
	OK(!fault_of(file_len));
}

CASE(no_bit_can_be_another)
{
	write_two();
	for (size_t i = 0; i < 8 * file_len; i++) {
		file[i / 8] ^= (uint8_t)(1 << i % 8);
		OK(fault_of(file_len));
		file[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < file_len; i++) {
		uint8_t was = file[i];

		file[i] = (uint8_t)~was;
		OK(fault_of(file_len));
		file[i] = was;
	}
	OK(!fault_of(file_len));
}

CASE(nothing_can_be_missing_at_the_end)
{
	write_two();
	for (size_t len = 0; len < file_len; len++)
		OK(fault_of(len));
}

CASE(nothing_can_follow)
{
	write_two();
	file[file_len] = 0;
	STR(fault_of(file_len + 1), "something follows its end");
}

CASE(entries_cannot_change_places)
{
	uint8_t other[OF_FILE];
	struct image_entry e;
	struct image_head h;

	write_two();
	FILE *in = fmemopen(file, file_len, "r");

	OK(in && image_read_head(&reader, in, &h));
	size_t start = (size_t)ftell(in), middle, end;

	OK(image_read_entry(&reader, &e));
	middle = (size_t)ftell(in);
	OK(image_read_entry(&reader, &e));
	end = (size_t)ftell(in);
	fclose(in);
	memcpy(other, file, file_len);
	memcpy(file + start, other + middle, end - middle);
	memcpy(file + start + end - middle, other + start, middle - start);
	STR(fault_of(file_len), "it is not as it was written");
}

CASE(the_file_of_somebody_else_is_told_from_a_broken_one)
{
	static const char *const foreign[] = { "", "\n", "sotto", "# a comment\nsotto cache\n",
		"SOTTO CACHE\n and more than that" };

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		memcpy(file, foreign[i], strlen(foreign[i]));
		STR(fault_of(strlen(foreign[i])), "it is nothing that sotto has written");
	}
	write_two();
	STR(fault_of(file_len - 1), "it ends too early");
}

CASE(another_version_is_told_before_anything_else)
{
	write_two();
	put_u16(file + 12, 2);
	STR(fault_of(file_len), "another version of sotto has written it");
	STR(fault_of(14), "another version of sotto has written it");
}

CASE(lengths_that_lie_are_not_followed)
{
	static const uint32_t lengths[] = { 1, 10 + DNS_HEADER - 1, IMAGE_PIECE - 3, 0x7fffffff,
		0x80000000, 0xffffffff };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		write_two();
		put_u32(file + 84, lengths[i]); /* behind the head */
		STR(fault_of(file_len), "it holds what makes no sense");
	}
	write_two();
	put_u32(file + 84, IMAGE_PIECE - 4); /* as long as they may be */
	STR(fault_of(file_len), "it ends too early");
}

CASE(a_message_is_a_header_at_least)
{
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);

	e.packed.errors.len = 0;
	e.packed.message.len = DNS_HEADER;
	write_one(&e);
	OK(!fault_of(file_len));
	e.packed.message.len--;
	write_one(&e);
	STR(fault_of(file_len), "it holds what makes no sense");
}

CASE(the_count_must_be_right)
{
	write_begin();
	writer.count = 1;
	write_end();
	STR(fault_of(file_len), "it is not as it was written");
}

CASE(there_are_no_more_groups_than_there_can_be)
{
	write_two();
	put_u16(file + 66, IMAGE_GROUPS);
	STR(fault_of(file_len), "it ends too early");
	put_u16(file + 66, IMAGE_GROUPS + 1);
	STR(fault_of(file_len), "it holds what makes no sense");
	put_u16(file + 66, 0xffff);
	STR(fault_of(file_len), "it holds what makes no sense");
}

CASE(nothing_is_of_a_group_that_the_head_does_not_name)
{
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);

	e.key.group = 2;
	write_one(&e);
	STR(fault_of(file_len), "it holds what makes no sense");
}

CASE(times_beyond_all_times_make_no_sense)
{
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);

	e.since_ms = NOW_MS - (INT64_C(1) << 48);
	write_one(&e);
	OK(!fault_of(file_len));
	e.since_ms--;
	write_one(&e);
	STR(fault_of(file_len), "it holds what makes no sense");
	write_two();
	file[50] = 0x80; /* the first of since_boot_ms */
	STR(fault_of(file_len), "it holds what makes no sense");
}

/* Is this message worth anything, now that it is read? */
static bool is_worth(const struct wire *w)
{
	struct image_entry e = { .message = wire_span(w) };
	struct packed packed;

	return image_unpack(&e, &limits, &packed, unpacked_memory);
}

CASE(a_message_must_be_worth_keeping_when_it_is_read)
{
	struct wire *w = &wire;

	reply("www.example", RCODE_NOERROR, 1);
	OK(is_worth(w));
	for (; w->len > 0; w->len--, OK(!is_worth(w)))
		;
	reply("www.example", RCODE_SERVFAIL, 0);
	OK(!is_worth(w));
	reply("www.example", RCODE_NOERROR, 1);
	w->bytes[2] &= 0x7f; /* QR: a query */
	OK(!is_worth(w));
	wire_begin(w, DNS_QR);
	OK(!is_worth(w)); /* of no question */
	wire_question(w, "www.example", TYPE_A);
	OK(!is_worth(w));
	wire_record(w, SECTION_ANSWER, TO_QUESTION, TYPE_A, CLASS_IN, 0, ADDRESS);
	OK(!is_worth(w)); /* TTL 0 */
}

CASE(only_a_name_that_does_not_exist_is_of_any_type)
{
	static const enum rcode rcodes[] = { RCODE_NOERROR, RCODE_NXDOMAIN };

	for (int i = 0; i < 2; i++) {
		reply("www.example", rcodes[i], 0);
		put_u16(wire.bytes + DNS_HEADER + 13, 0); /* the type */
		EQ(is_worth(&wire), rcodes[i] == RCODE_NXDOMAIN);
	}
	wire_begin(&wire, DNS_QR);
	wire_question(&wire, "www.example", 0);
	wire_record(&wire, SECTION_ANSWER, TO_QUESTION, 0, CLASS_IN, 300, ADDRESS);
	OK(!is_worth(&wire));
}

CASE(the_limits_of_today_count)
{
	static const struct pack_limits tight = { 0, 20, 10 };
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);
	struct image_entry back;
	struct packed packed;

	EQ(e.packed.lifetime_s, 300);
	write_one(&e);
	OK(unpack_one(&back, &packed));
	back.message = wire_span(&wire);
	OK(image_unpack(&back, &tight, &packed, unpacked_memory));
	EQ(packed.lifetime_s, 20);
}

CASE(what_cannot_be_written_is_told)
{
	struct cache_entry e = reply("www.example", RCODE_NOERROR, 1);
	FILE *out = fopen("/dev/full", "w");

	OK(out);
	setvbuf(out, NULL, _IONBF, 0);
	OK(!image_write_head(&writer, out, &head));
	OK(!image_write_entry(&writer, &e, NOW_MS));
	OK(!image_write_end(&writer));
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_answer_is_the_same_afterwards),
		CLAIM(who_asked_is_the_same_afterwards),
		CLAIM(entries_come_back_in_order_and_all_of_them),
		CLAIM(a_file_of_nothing_is_a_file),
		CLAIM(failures_are_not_written),
		CLAIM(what_came_after_the_head_has_no_age),
		CLAIM(errors_are_left_out_of_a_message_that_is_full),
		CLAIM(no_bit_can_be_another),
		CLAIM(nothing_can_be_missing_at_the_end),
		CLAIM(nothing_can_follow),
		CLAIM(entries_cannot_change_places),
		CLAIM(the_file_of_somebody_else_is_told_from_a_broken_one),
		CLAIM(another_version_is_told_before_anything_else),
		CLAIM(lengths_that_lie_are_not_followed),
		CLAIM(a_message_is_a_header_at_least),
		CLAIM(the_count_must_be_right),
		CLAIM(there_are_no_more_groups_than_there_can_be),
		CLAIM(nothing_is_of_a_group_that_the_head_does_not_name),
		CLAIM(times_beyond_all_times_make_no_sense),
		CLAIM(a_message_must_be_worth_keeping_when_it_is_read),
		CLAIM(only_a_name_that_does_not_exist_is_of_any_type),
		CLAIM(the_limits_of_today_count),
		CLAIM(what_cannot_be_written_is_told),
	};

	return RUN(cases);
}
