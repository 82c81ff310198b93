#include "cache/key.h"

#include <string.h>

#include "case.h"
#include "dns/types.h"

static const struct siphash_key secret = { { 1, 2 } };

/* In memory that held something else, so that nothing of it counts. */
static struct key made;
static const struct key *key_in(const struct question *q, const struct key_scope *scope)
{
	memset(&made, 0xa5, sizeof made);
	key_make(&made, &secret, q, scope);
	return &made;
}

static struct key key_of(const uint8_t *name, size_t len, unsigned type)
{
	const struct question q = { name, len, (uint16_t)type, CLASS_IN };

	return *key_in(&q, &(struct key_scope){ .group = 0 });
}

static uint8_t folded(unsigned octet)
{
	return (uint8_t)(octet >= 'A' && octet <= 'Z' ? octet + 32 : octet);
}

CASE(of_all_octets_at_any_place_only_letters_are_folded)
{
	uint8_t name[20] = { 18 };

	for (size_t at = 1; at < 19; at++)
		for (unsigned octet = 0; octet < 256; octet++) {
			memset(name + 1, '@', 18);
			name[19] = 0;
			name[at] = (uint8_t)octet;
			struct key k = key_of(name, sizeof name, TYPE_A);

			name[at] = folded(octet);
			MEM(k.question, name, sizeof name);
		}
}

CASE(octets_beside_and_beyond_letters_tell_names_apart)
{
	static const uint8_t pairs[][2] = { { '@', '`' }, { '[', '{' }, { 0xc1, 0xe1 },
		{ 0xda, 0xfa }, { 'A' - 32, 'A' }, { 'a', 'a' + 32 }, { 0xc1, 'A' } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const uint8_t a[] = { 1, pairs[i][0], 0 }, b[] = { 1, pairs[i][1], 0 };
		struct key one = key_of(a, 3, TYPE_A), other = key_of(b, 3, TYPE_A);

		OK(!key_equals(&one, &other));
	}
}

CASE(names_of_every_length_are_folded_and_nothing_behind_them)
{
	uint8_t name[NAME_MAX_WIRE], lower[NAME_MAX_WIRE];

	for (size_t len = 1; len <= NAME_MAX_WIRE; len++) {
		if (len == 2)
			continue; /* no name has two octets */
		memset(name, 'Q', len);
		name[len - 1] = 0;
		for (size_t at = 0, left = len - 1; left > 0;) {
			size_t take = left <= 64 ? left : left == 65 ? 63 : 64;

			name[at] = (uint8_t)(take - 1);
			at += take;
			left -= take;
		}
		for (size_t i = 0; i < len; i++)
			lower[i] = folded(name[i]);
		struct key k = key_of(name, len, 0x415a);
		struct key same = key_of(lower, len, 0x415a);

		EQ(k.len, len + 4);
		MEM(k.question, lower, len);
		MEM(k.question + len, "AZ\0\1", 4);
		OK(key_equals(&k, &same));
		EQ(k.hash, same.hash);
	}
}

CASE(types_and_classes_that_look_like_letters_are_none)
{
	uint8_t name[12] = { 0 };

	for (uint8_t letters = 0; letters < 9; letters++) { /* to every place in a word */
		name[0] = letters;
		memset(name + 1, 'x', letters);
		name[1 + letters] = 0;
		size_t len = letters ? 2u + letters : 1;
		struct key k = key_of(name, len, TYPE_HTTPS), other = key_of(name, len, 97);

		OK(!key_equals(&k, &other));
		OK(k.hash != other.hash);
		EQ(key_question(&k).type, TYPE_HTTPS);

		const struct question q = { name, len, 90, 0x5a41 };
		EQ(key_question(key_in(&q, &(struct key_scope){ 0 })).type, 90);
		EQ(key_question(&made).class, 0x5a41);
	}
}

CASE(everything_that_can_change_the_answer_tells_keys_apart)
{
	static const uint8_t name[] = "\1a\1b", longer[] = "\1a\1b\1c", other[] = "\1a\1c";
	static const struct {
		struct question q;
		struct key_scope scope;
	} all[] = {
		{ { name, 5, 1, 1 }, { 0, false, false } },
		{ { name, 5, 2, 1 }, { 0, false, false } },
		{ { name, 5, 0x0101, 1 }, { 0, false, false } },
		{ { name, 5, 1, 3 }, { 0, false, false } },
		{ { name, 5, 1, 0x0101 }, { 0, false, false } },
		{ { other, 5, 1, 1 }, { 0, false, false } },
		{ { longer, 7, 1, 1 }, { 0, false, false } },
		{ { longer + 6, 1, 1, 1 }, { 0, false, false } },
		{ { name, 5, 1, 1 }, { 1, false, false } },
		{ { name, 5, 1, 1 }, { 0x0100, false, false } },
		{ { name, 5, 1, 1 }, { 0, true, false } },
		{ { name, 5, 1, 1 }, { 0, false, true } },
		{ { name, 5, 1, 1 }, { 0, true, true } },
	};
	const size_t count = sizeof(all) / sizeof(all[0]);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			struct key a = *key_in(&all[i].q, &all[i].scope);
			struct key b = *key_in(&all[j].q, &all[j].scope);

			EQ(a.hash == b.hash, i == j);
			b.hash = a.hash; /* as if they collided */
			EQ(key_equals(&a, &b), i == j);
		}
}

CASE(whether_stale_answers_are_of_use_does_not)
{
	struct key a = key_of((const uint8_t *)"", 1, TYPE_NS), b = a;

	OK(!a.fresh_only);
	b.fresh_only = true;
	OK(key_equals(&a, &b));
}

CASE(the_hash_depends_on_the_secret)
{
	static const struct siphash_key another = { { 1, 3 } };
	const struct question q = { (const uint8_t *)"", 1, TYPE_NS, CLASS_IN };
	struct key a = *key_in(&q, &(struct key_scope){ 0 }), b;

	key_make(&b, &another, &q, &(struct key_scope){ 0 });
	OK(a.hash != b.hash);
}

/* F-78. Who knew one secret could choose names that all fall into one place of a table; under
 * another they are names like any. */
CASE(names_that_fall_together_under_one_secret_do_not_under_another)
{
	enum { PLACES = 64, NAMES = 640 };
	static const struct siphash_key another = { { 1, 3 } };
	unsigned found = 0, in_place[PLACES] = { 0 };

	for (uint32_t n = 0; found < NAMES; n++) {
		uint8_t name[10] = { 8 };
		struct question q = { name, sizeof name, TYPE_A, CLASS_IN };

		for (unsigned i = 0; i < 8; i++)
			name[1 + i] = (uint8_t)('a' + (n >> 4 * i & 15));
		if (key_in(&q, &(struct key_scope){ 0 })->hash % PLACES)
			continue;
		key_make(&made, &another, &q, &(struct key_scope){ 0 });
		in_place[made.hash % PLACES]++;
		found++;
	}
	for (unsigned i = 0; i < PLACES; i++)
		OK(in_place[i] < 40); /* ten on average */
}

CASE(all_types_of_a_name_have_one_key_of_the_name)
{
	static const uint8_t name[] = "\7eXaMpLe";
	const struct key_scope scope = { 7, true, false };
	const struct question a = { name, sizeof name, TYPE_A, CLASS_IN };
	const struct question https = { name, sizeof name, TYPE_HTTPS, CLASS_IN };
	const struct question none = { name, sizeof name, 0, CLASS_IN };
	struct key k = *key_in(&a, &scope), of_a, of_https;

	k.fresh_only = true;
	key_of_name(&of_a, &secret, &k);
	OK(of_a.fresh_only);
	k = *key_in(&https, &scope);
	key_of_name(&of_https, &secret, &k);
	OK(key_equals(&of_a, &of_https));
	OK(key_equals(&of_a, key_in(&none, &scope)));
	OK(!key_equals(&of_a, &k));
	EQ(key_question(&of_a).type, 0);
	EQ(key_question(&of_a).class, CLASS_IN);
	MEM(key_question(&of_a).name, "\7example", sizeof name);
}

CASE(the_key_of_a_name_is_of_its_scope)
{
	const struct question q = { (const uint8_t *)"", 1, TYPE_A, CLASS_IN };
	struct key k, names[4];

	for (unsigned i = 0; i < 4; i++) {
		k = *key_in(&q, &(struct key_scope){ i == 3, i == 1, i == 2 });
		key_of_name(&names[i], &secret, &k);
		for (unsigned j = 0; j < i; j++)
			OK(!key_equals(&names[i], &names[j]));
	}
}

CASE(the_question_of_a_key_is_the_one_in_lower_case)
{
	static const uint8_t name[] = "\3WwW\7Example";
	struct key k = key_of(name, sizeof name, TYPE_MX);
	struct question q = key_question(&k);

	EQ(q.name_len, sizeof name);
	MEM(q.name, "\3www\7example", sizeof name);
	EQ(q.type, TYPE_MX);
	EQ(q.class, CLASS_IN);
	k = key_of((const uint8_t *)"", 1, TYPE_NS);
	EQ(key_question(&k).name_len, 1);
	EQ(key_question(&k).name[0], 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(of_all_octets_at_any_place_only_letters_are_folded),
		CLAIM(octets_beside_and_beyond_letters_tell_names_apart),
		CLAIM(names_of_every_length_are_folded_and_nothing_behind_them),
		CLAIM(types_and_classes_that_look_like_letters_are_none),
		CLAIM(everything_that_can_change_the_answer_tells_keys_apart),
		CLAIM(whether_stale_answers_are_of_use_does_not),
		CLAIM(the_hash_depends_on_the_secret),
		CLAIM(names_that_fall_together_under_one_secret_do_not_under_another),
		CLAIM(all_types_of_a_name_have_one_key_of_the_name),
		CLAIM(the_key_of_a_name_is_of_its_scope),
		CLAIM(the_question_of_a_key_is_the_one_in_lower_case),
	};

	return RUN(cases);
}
