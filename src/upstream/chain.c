#include "upstream/chain.h"

#include "dns/name.h"

/* An alias of an alias of ... : more is a mistake, or a circle. */
#define ALIASES_MAX 16

static void shorten(struct chain *c, uint32_t ttl_s)
{
	/* RFC 2181 §8: with the highest bit set, it is 0. */
	if (ttl_s >> 31)
		ttl_s = 0;
	if (ttl_s < c->ttl_s)
		c->ttl_s = ttl_s;
}

/* The record of that owner and type at or behind *at in the answer section; *left counts those that
 * are still to be read. */
static bool next_record(const struct reply *r, size_t owner, uint16_t type, size_t *at,
	unsigned *left, struct record *out)
{
	while (*left) {
		--*left;
		message_record(r->message, at, out);
		if (out->type == type && out->class == CLASS_IN &&
			name_same(r->message, out->owner, owner))
			return true;
	}
	return false;
}

/* Where the name stands that all aliases lead to. */
static size_t follow(const struct reply *r, struct chain *c)
{
	size_t name = DNS_HEADER;

	for (int i = 0; i < ALIASES_MAX; i++) {
		size_t at = r->section[SECTION_ANSWER];
		unsigned left = r->count[SECTION_ANSWER];
		struct record alias;

		if (!next_record(r, name, TYPE_CNAME, &at, &left, &alias))
			break;
		shorten(c, alias.ttl);
		name = alias.rdata;
	}
	return name;
}

static bool to_addr(const struct reply *r, const struct record *record, struct addr *a)
{
	size_t len = record->end - record->rdata;

	return len == (record->type == TYPE_A ? 4 : 16) &&
		addr_from_octets(a, r->message.at + record->rdata, len) && !addr_is_no_host(a);
}

void chain_read(const struct reply *r, uint16_t type, struct chain *c)
{
	size_t at = r->section[SECTION_ANSWER];
	unsigned left = r->count[SECTION_ANSWER];
	struct record record;

	*c = (struct chain){ .ttl_s = UINT32_MAX };
	size_t name = follow(r, c);

	while (c->count < ADDRS_MAX && next_record(r, name, type, &at, &left, &record)) {
		if (!to_addr(r, &record, &c->addrs[c->count]))
			continue;
		c->count++;
		shorten(c, record.ttl);
	}
}

size_t chain_interleave(const struct chain *a, const struct chain *b, struct addr out[ADDRS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; n < ADDRS_MAX && (i < a->count || i < b->count); i++) {
		if (i < a->count)
			out[n++] = a->addrs[i];
		if (i < b->count && n < ADDRS_MAX)
			out[n++] = b->addrs[i];
	}
	return n;
}
