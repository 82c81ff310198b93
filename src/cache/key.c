#include "cache/key.h"

#include <string.h>

enum { SCOPE_LEN = 3 };

/* Eight octets at once. Length octets are below 'A', and those above 127 keep their top bit, which
 * makes them no letters. */
static uint64_t lower_word(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
	uint64_t low = w & ~tops;
	uint64_t from_a = low + (0x80 - 'A') * ones, behind_z = low + (0x80 - 'Z' - 1) * ones;

	return w | (from_a & ~behind_z & ~w & tops) >> 2;
}

/* As name_lower(), but by words, since every query comes this way. */
static void lower(uint8_t *name, size_t len)
{
	uint64_t word;

	for (size_t i = 0; i < len; i += sizeof word) { /* beyond the end are octets of the key */
		memcpy(&word, name + i, sizeof word);
		word = lower_word(word);
		memcpy(name + i, &word, sizeof word);
	}
}

static void set_hash(struct key *k, const struct siphash_key *with)
{
	uint8_t *scope = k->question + k->len;

	put_u16(scope, k->group);
	scope[2] = (uint8_t)(k->dnssec_ok | k->checking_disabled << 1);
	k->hash = siphash(with, k->question, k->len + SCOPE_LEN);
}

void key_make(struct key *k, const struct siphash_key *with, const struct question *q,
	const struct key_scope *scope)
{
	k->group = scope->group;
	k->dnssec_ok = scope->dnssec_ok;
	k->checking_disabled = scope->checking_disabled;
	k->fresh_only = false;
	k->len = (uint16_t)(q->name_len + 4);
	memcpy(k->question, q->name, q->name_len);
	memset(k->question + q->name_len, 0, 8);
	lower(k->question, q->name_len);
	put_u16(k->question + q->name_len, q->type);
	put_u16(k->question + q->name_len + 2, q->class);
	set_hash(k, with);
}

void key_of_name(struct key *name, const struct siphash_key *with, const struct key *k)
{
	*name = *k;
	put_u16(name->question + name->len - 4, 0);
	set_hash(name, with);
}

bool key_equals(const struct key *a, const struct key *b)
{
	return a->hash == b->hash && a->len == b->len && a->group == b->group &&
		a->dnssec_ok == b->dnssec_ok && a->checking_disabled == b->checking_disabled &&
		memcmp(a->question, b->question, a->len) == 0;
}

struct question key_question(const struct key *k)
{
	const uint8_t *end = k->question + k->len;

	return (struct question){ k->question, k->len - 4u, get_u16(end - 4), get_u16(end - 2) };
}
