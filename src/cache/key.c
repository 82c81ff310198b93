#include "cache/key.h"

#include <string.h>

enum { SCOPE_LEN = 3 };

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
	name_lower(k->question, q->name_len);
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
