#include "query/chase.h"

#include <string.h>

void chase_init(struct chase *c)
{
	c->alias_count = c->steps = 0;
	c->authoritative = c->is_dns64 = false;
	c->tells = NULL;
}

static bool ask(struct chase *c, struct span name, uint16_t type)
{
	if (c->steps == CHASE_STEPS)
		return false;
	c->steps++;
	memmove(c->name, name.at, name.len);
	c->question = (struct question){ c->name, name.len, type, CLASS_IN };
	return true;
}

bool chase_alias(struct chase *c, const struct alias *alias, uint16_t type, bool authoritative)
{
	if (!ask(c, (struct span){ alias->target, alias->target_len }, type))
		return false;
	if (c->alias_count == 0)
		c->authoritative = authoritative;
	c->aliases[c->alias_count++] = *alias;
	return true;
}

bool chase_rewrite(struct chase *c, struct span target, uint16_t type)
{
	return ask(c, target, type);
}

bool chase_dns64(
	struct chase *c, struct span name, const struct dns64_prefix *prefix, uint32_t ttl_s)
{
	c->is_dns64 = true;
	c->prefix = *prefix;
	c->dns64_ttl_s = ttl_s;
	return ask(c, name, TYPE_A);
}

void chase_choose(struct chase *c, const struct question *asked,
	bool (*tells)(const void *of, const uint8_t *octets), const void *of)
{
	if (asked != &c->question) {
		memcpy(c->name, asked->name, asked->name_len);
		c->question = (struct question){ c->name, asked->name_len, asked->type, CLASS_IN };
	}
	c->tells = tells;
	c->of = of;
}

bool chase_tell(const struct chase *c, const struct question *client, struct answer *a,
	struct chase_room *room)
{
	/* What fails is told without aliases, as of the name that was asked for. */
	bool failed = a->packed && a->packed->worth == WORTH_FAILURE;
	const struct splice s = { .question = client,
		.aliases = c->aliases,
		.alias_count = failed ? 0 : c->alias_count,
		.answer = a->packed,
		.asked = { c->name, c->question.name_len },
		.age_s = a->age_s,
		.ttl_s = a->ttl_s,
		.dns64 = c->is_dns64 ? &c->prefix : NULL,
		.dns64_ttl_s = c->dns64_ttl_s,
		.tells = c->tells,
		.of = c->of };

	if (a->truncate || (!a->packed && a->rcode != RCODE_NOERROR))
		return true; /* it says all that there is to say */
	if (!splice_answer(&room->packed, room->memory, room->scratch, &s))
		return false;
	a->packed = &room->packed;
	a->age_s = a->ttl_s = 0;
	if (s.alias_count)
		a->authoritative = c->authoritative;
	return true;
}
