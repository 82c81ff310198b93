#include "rules/names.h"

#include <stdio.h>
#include <string.h>

#include "case.h"

static uint32_t put(struct names *n, const char *text)
{
	uint8_t name[NAME_MAX_WIRE];
	const size_t len = name_from_text(text, name);

	OK(len);
	return names_put(n, name, len);
}

/* How many labels of a name are there, counted from the root. */
static unsigned depth(const struct names *n, const char *text, uint32_t nodes[NAMES_DEPTH])
{
	uint8_t name[NAME_MAX_WIRE];
	const size_t len = name_from_text(text, name);

	OK(len);
	return names_walk(n, name, len, nodes) - 1;
}

CASE(an_empty_tree_is_a_root)
{
	struct names *n = names_new();
	uint32_t nodes[NAMES_DEPTH];

	EQ(names_count(n), 1);
	EQ(depth(n, ".", nodes), 0);
	EQ(depth(n, "www.example.com", nodes), 0);
	EQ(nodes[0], NAMES_ROOT);
	EQ(put(n, "."), NAMES_ROOT);
	EQ(names_name(n, NAMES_ROOT).len, 1);
	names_free(n);
	names_free(NULL);
}

CASE(a_name_brings_all_names_above_it)
{
	struct names *n = names_new();
	uint32_t nodes[NAMES_DEPTH];
	const uint32_t node = put(n, "www.example.com");

	EQ(names_count(n), 4);
	EQ(depth(n, "a.b.www.example.com", nodes), 3);
	EQ(nodes[3], node);
	EQ(nodes[2], put(n, "example.com"));
	EQ(nodes[1], put(n, "com"));
	EQ(names_count(n), 4);
	EQ(depth(n, "www.example.net", nodes), 0);
	EQ(depth(n, "ww.example.com", nodes), 2);
	EQ(depth(n, "wwww.example.com", nodes), 2);
	names_free(n);
}

CASE(each_node_has_its_name_and_its_number)
{
	struct names *n = names_new();
	uint32_t nodes[NAMES_DEPTH];

	*names_number(n, put(n, "a.test")) = 7;
	*names_number(n, put(n, "b.test")) = 8;
	names_seal(n);
	EQ(depth(n, "x.b.test", nodes), 2);
	EQ(names_number_of(n, nodes[0]), 0);
	EQ(names_number_of(n, nodes[1]), 0);
	EQ(names_number_of(n, nodes[2]), 8);
	const struct span name = names_name(n, nodes[2]);

	EQ(name.len, 8);
	MEM(name.at, "\1b\4test", 8);
	names_free(n);
}

CASE(a_dot_in_a_label_is_no_boundary)
{
	struct names *n = names_new();
	uint32_t nodes[NAMES_DEPTH];

	put(n, "a.b.test");
	EQ(depth(n, "a\\.b.test", nodes), 1);
	put(n, "a\\.b.test");
	EQ(names_count(n), 5);
	names_free(n);
}

CASE(the_longest_name_has_its_place)
{
	struct names *n = names_new();
	uint32_t nodes[NAMES_DEPTH];
	char text[2 * 127 + 1] = { 0 };

	for (unsigned i = 0; i < 127; i++)
		memcpy(text + 2 * i, "a.", 2);
	EQ(put(n, text), 127);
	EQ(depth(n, text, nodes), 127);
	EQ(nodes[127], 127);
	EQ(names_name(n, 127).len, NAME_MAX_WIRE);
	memset(text, 'b', 63);
	EQ(depth(n, text, nodes), 95);
	names_free(n);
}

/* Labels that end where the hash's chunks do, just before, and just behind. */
CASE(labels_of_every_length_are_told_apart)
{
	struct names *n = names_new();
	uint32_t nodes[NAMES_DEPTH];
	char text[64];

	for (unsigned len = 1; len <= 63; len++) {
		memset(text, 'x', len);
		text[len] = 0;
		EQ(put(n, text), len);
	}
	for (unsigned len = 1; len <= 63; len++) {
		memset(text, 'x', len);
		text[len] = 0;
		EQ(depth(n, text, nodes), 1);
		EQ(nodes[1], len);
		text[len - 1] = 'y';
		EQ(depth(n, text, nodes), 0);
	}
	names_free(n);
}

/* A list as there are many: names of two and three labels, most of the latter alone in their
 * domain; of 20 octets on average. */
static void list_name(char text[64], unsigned i)
{
	const unsigned random = i * 2654435761u;

	snprintf(text, 64, "%s%s%x.%s", i % 3 ? "" : "ads.", i % 2 ? "track" : "metrics", random,
		i % 5 ? "com" : "example");
}

/* Under a sanitizer fewer, yet enough for some tags to be the same. */
#ifdef SOTTO_SANITIZED
enum { MANY = 300000 };
#else
enum { MANY = 1000000 };
#endif

CASE(a_million_names_cost_64_octets_each_beyond_their_text)
{
	struct names *n = names_new();
	uint8_t name[NAME_MAX_WIRE];
	uint32_t nodes[NAMES_DEPTH];
	size_t text_len = 0;
	char text[64];

	for (unsigned i = 0; i < MANY; i++) {
		list_name(text, i);
		const size_t len = name_from_text(text, name);
		const uint32_t node = names_put(n, name, len);

		assert_int_not_equal(node, NAMES_NONE);
		EQ(*names_number(n, node), 0);
		*names_number(n, node) = i + 1;
		text_len += len;
	}
	OK(names_memory(n) <= text_len + text_len / 2 + 64 * (size_t)MANY);
	names_seal(n);
	OK(names_memory(n) <= text_len + 64 * (size_t)MANY);
	for (unsigned i = 0; i < MANY; i++) {
		list_name(text, i);
		const unsigned labels = depth(n, text, nodes);

		EQ(labels, i % 3 ? 2 : 3);
		EQ(names_number_of(n, nodes[labels]), i + 1);
	}
	EQ(depth(n, "track.example.com", nodes), 1);
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(an_empty_tree_is_a_root),
		CLAIM(a_name_brings_all_names_above_it),
		CLAIM(each_node_has_its_name_and_its_number),
		CLAIM(a_dot_in_a_label_is_no_boundary),
		CLAIM(the_longest_name_has_its_place),
		CLAIM(labels_of_every_length_are_told_apart),
		CLAIM(a_million_names_cost_64_octets_each_beyond_their_text),
	};

	return RUN(cases);
}
