#include "dns/name.h"

#include <string.h>

#include "case.h"

/* Names behind the twelve octets of a header, where pointers may lead. */
#define HEADER "\0\0\0\0\0\0\0\0\0\0\0\0"

static bool skips(struct span m, size_t from, size_t to)
{
	size_t at = from;

	return name_skip(m, &at) && at == to;
}

static bool is_bad(struct span m, size_t from)
{
	size_t at = from;

	return !name_skip(m, &at) && at == from;
}

/* 63+63+63+last octets in four labels: 255 with last = 61. */
static size_t long_name(uint8_t out[300], uint8_t last)
{
	size_t len = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t label = i < 3 ? 63 : last;

		out[len++] = label;
		memset(out + len, 'a' + i, label);
		len += label;
	}
	out[len++] = 0;
	return len;
}

CASE(a_plain_name_is_as_long_as_its_labels)
{
	struct span m = SPAN("\3www\7example\3com\0rest");

	EQ(name_len(m, 0), 17);
	EQ(name_len(m, 4), 13);
	EQ(name_len(m, 16), 1);
	OK(skips(m, 0, 17));
}

CASE(a_name_that_runs_past_the_end_is_bad)
{
	struct span m = SPAN("\3www\7example\3com");

	for (size_t len = 0; len <= m.len; len++) {
		struct span cut = { m.at, len };

		EQ(name_len(cut, 0), 0);
		OK(is_bad(cut, 0));
	}
	EQ(name_len(m, m.len + 5), 0);
}

CASE(a_name_has_at_most_255_octets)
{
	uint8_t bytes[300];
	size_t len = long_name(bytes, 61);

	EQ(len, NAME_MAX_WIRE);
	EQ(name_len((struct span){ bytes, len }, 0), NAME_MAX_WIRE);
	OK(skips((struct span){ bytes, len }, 0, len));

	len = long_name(bytes, 62);
	EQ(name_len((struct span){ bytes, len }, 0), 0);
	OK(is_bad((struct span){ bytes, len }, 0));
}

CASE(a_compressed_name_has_at_most_255_octets_in_all)
{
	uint8_t bytes[12 + 300] = { 0 };
	size_t len = 12 + long_name(bytes + 12, 60), at = len;

	memcpy(bytes + len, "\xc0\x0c\1x\xc0\x0c", 6);
	OK(skips((struct span){ bytes, len + 6 }, at, at + 2));
	OK(is_bad((struct span){ bytes, len + 6 }, at + 2));
}

CASE(label_types_other_than_length_and_pointer_are_bad)
{
	for (unsigned type = 0x40; type < 0xc0; type++) {
		const uint8_t bytes[3] = { (uint8_t)type, 0, 0 };

		EQ(name_len((struct span){ bytes, 3 }, 0), 0);
		OK(is_bad((struct span){ bytes, 3 }, 0));
	}
}

CASE(a_compressed_name_has_no_plain_length)
{
	struct span m = SPAN(HEADER "\1a\0\1b\xc0\x0c");

	EQ(name_len(m, 15), 0);
	OK(skips(m, 15, 19));
}

CASE(a_pointer_must_point_back)
{
	OK(is_bad(SPAN(HEADER "\xc0\x0c"), 12)); /* at itself */
	OK(is_bad(SPAN(HEADER "\xc0\x0e\0"), 12)); /* forward */
	OK(is_bad(SPAN(HEADER "\xff\xff"), 12)); /* past the end */
	OK(is_bad(SPAN(HEADER "\xc0"), 12)); /* half of it */
	OK(is_bad(SPAN(HEADER "\1a\xc0\x0c"), 12)); /* at its own labels */
	OK(is_bad(SPAN(HEADER "\1a\xc0\x10\1b\xc0\x0c"), 16)); /* two, at each other */
}

CASE(a_pointer_must_not_lead_into_the_header)
{
	OK(is_bad(SPAN(HEADER "\xc0\x00"), 12));
	OK(is_bad(SPAN(HEADER "\xc0\x0b"), 12));
}

CASE(a_label_must_not_lead_from_before_a_pointer_to_behind_it)
{
	OK(is_bad(SPAN(HEADER "\4x\xc0\x0c"
			      "a\0"),
		14));
}

/* n names: a root label, then names of one label and a pointer to the one before. */
static size_t chain(uint8_t *bytes, unsigned n, size_t *last)
{
	size_t at = 12, before = 12;

	memset(bytes, 0, 13);
	at = 13;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t name[4] = { 1, 'x', 0xc0, (uint8_t)before };

		memcpy(bytes + at, name, 4);
		before = at;
		at += 4;
	}
	*last = before;
	return at;
}

CASE(a_chain_of_pointers_is_followed_so_far_and_no_further)
{
	uint8_t bytes[256];
	size_t last, len = chain(bytes, NAME_HOPS, &last);

	OK(skips((struct span){ bytes, len }, last, len));
	len = chain(bytes, NAME_HOPS + 1, &last);
	OK(is_bad((struct span){ bytes, len }, last));
}

CASE(letters_have_no_case_and_other_octets_do)
{
	OK(name_equals((const uint8_t *)"\3wWw\0", (const uint8_t *)"\3WWw\0", 5));
	OK(!name_equals((const uint8_t *)"\1[\0", (const uint8_t *)"\1{\0", 3));
	OK(!name_equals((const uint8_t *)"\1@\0", (const uint8_t *)"\1`\0", 3));
	OK(!name_equals((const uint8_t *)"\1\xc4\0", (const uint8_t *)"\1\xe4\0", 3));
	OK(!name_equals((const uint8_t *)"\3a\0b\0", (const uint8_t *)"\3a\0c\0", 5));
}

CASE(a_dot_in_a_label_is_not_a_boundary)
{
	struct span m = SPAN("\3a.b\0\1a\1b\0");

	OK(!name_same(m, 0, 5));
}

CASE(compressed_and_written_out_names_can_be_the_same)
{
	struct span m = SPAN(HEADER "\3www\7example\3com\0" /* 12 */
				    "\3WWW\xc0\x10" /* 29 */
				    "\3wwW\7exAmple\3com\0" /* 35 */
				    "\4www2\xc0\x10" /* 52 */
				    "\7example\3com\0");

	OK(name_same(m, 12, 29));
	OK(name_same(m, 29, 35));
	OK(!name_same(m, 12, 52));
	OK(!name_same(m, 12, 59));
	OK(!name_same(m, 59, 12));
}

CASE(a_copy_is_written_out)
{
	struct span m = SPAN(HEADER "\7example\3com\0\4mail\xc0\x0c");
	uint8_t out[NAME_MAX_WIRE];

	EQ(name_copy(m, 25, out), 18);
	MEM(out, "\4mail\7example\3com", 18);
}

CASE(text_becomes_a_name)
{
	uint8_t out[NAME_MAX_WIRE];

	EQ(name_from_text("www.Example.com", out), 17);
	MEM(out, "\3www\7Example\3com", 17);
	EQ(name_from_text("www.Example.com.", out), 17);
	EQ(name_from_text(".", out), 1);
	EQ(out[0], 0);
	EQ(name_from_text("a\\.b\\000\\255\\\\", out), 8);
	MEM(out, "\6a.b\0\xff\\", 8);
}

CASE(what_is_no_name_is_refused)
{
	uint8_t out[NAME_MAX_WIRE];
	char label[80] = { 0 }, name[300] = { 0 };

	EQ(name_from_text("", out), 0);
	EQ(name_from_text("..", out), 0);
	EQ(name_from_text(".a", out), 0);
	EQ(name_from_text("a..b", out), 0);
	EQ(name_from_text("a\\", out), 0);
	EQ(name_from_text("a\\25", out), 0);
	EQ(name_from_text("a\\256", out), 0);

	memset(label, 'x', 63);
	EQ(name_from_text(label, out), 65);
	memset(label, 'x', 64);
	EQ(name_from_text(label, out), 0);

	for (int i = 0; i < 127; i++)
		memcpy(name + 2 * i, "a.", 2);
	EQ(name_from_text(name, out), NAME_MAX_WIRE);
	memcpy(name + 254, "a", 2);
	EQ(name_from_text(name, out), 0);
}

CASE(a_name_becomes_text_and_the_same_name_again)
{
	uint8_t bytes[300], again[NAME_MAX_WIRE];
	char text[NAME_TEXT];

	STR(name_to_text((const uint8_t *)"\0", text), ".");
	STR(name_to_text((const uint8_t *)"\6a.b\0\xff\\\2c \0", text),
		"a\\.b\\000\\255\\\\.c\\032.");

	size_t len = long_name(bytes, 61);
	for (unsigned octet = 0; octet < 256; octet++) {
		memset(bytes + 1, (int)octet, 63);
		memset(bytes + 65, (int)octet, 63);
		memset(bytes + 129, (int)octet, 63);
		memset(bytes + 193, (int)octet, 61);
		OK(strlen(name_to_text(bytes, text)) < NAME_TEXT);
		EQ(name_from_text(text, again), len);
		MEM(again, bytes, len);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(a_plain_name_is_as_long_as_its_labels),
		CLAIM(a_name_that_runs_past_the_end_is_bad),
		CLAIM(a_name_has_at_most_255_octets),
		CLAIM(a_compressed_name_has_at_most_255_octets_in_all),
		CLAIM(label_types_other_than_length_and_pointer_are_bad),
		CLAIM(a_compressed_name_has_no_plain_length),
		CLAIM(a_pointer_must_point_back),
		CLAIM(a_pointer_must_not_lead_into_the_header),
		CLAIM(a_label_must_not_lead_from_before_a_pointer_to_behind_it),
		CLAIM(a_chain_of_pointers_is_followed_so_far_and_no_further),
		CLAIM(letters_have_no_case_and_other_octets_do),
		CLAIM(a_dot_in_a_label_is_not_a_boundary),
		CLAIM(compressed_and_written_out_names_can_be_the_same),
		CLAIM(a_copy_is_written_out),
		CLAIM(text_becomes_a_name),
		CLAIM(what_is_no_name_is_refused),
		CLAIM(a_name_becomes_text_and_the_same_name_again),
	};

	return RUN(cases);
}
