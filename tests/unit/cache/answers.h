/* answers: what servers say, packed, for tests of the cache. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "cache/cache.h"

#include "dns/wire.h"

/* When the tests begin. */
#define T INT64_C(5000000)
#define S 1000

static const struct siphash_key secret = { { 1, 2 } };

/* Memory for one answer. */
struct said {
	struct wire wire;
	_Alignas(uint16_t) uint8_t memory[PACKED_MAX];
	struct packed packed;
};

static inline const struct packed *said(struct said *s, unsigned rcode, uint32_t ttl)
{
	const struct pack_limits limits = { .ttl_max_s = 604800, .negative_max_s = 604800 };
	struct reply reply;

	OK(reply_parse(wire_span(&s->wire), &reply));
	OK(pack_reply(&s->packed, s->memory, &reply, &limits));
	EQ(s->packed.rcode, rcode);
	EQ(s->packed.lifetime_s, ttl);
	return &s->packed;
}

static inline void say_question(struct said *s, const char *name, unsigned type, unsigned rcode)
{
	wire_begin(&s->wire, DNS_QR | DNS_RD | DNS_RA | rcode);
	wire_question(&s->wire, name, type);
}

/* There is a record of this type, which has no names in it; the last octet of the message is the
 * mark. */
static inline const struct packed *say(
	struct said *s, const char *name, unsigned type, uint32_t ttl, uint8_t mark)
{
	const uint8_t rdata[] = { 10, 0, 0, mark };

	say_question(s, name, type, RCODE_NOERROR);
	wire_record(&s->wire, SECTION_ANSWER, TO_QUESTION, type, CLASS_IN, ttl,
		(struct span){ rdata, 4 });
	return said(s, RCODE_NOERROR, ttl);
}

/* There is nothing: NXDOMAIN, or NOERROR, with an SOA that ends in the mark. */
static inline const struct packed *say_none(
	struct said *s, const char *name, unsigned type, unsigned rcode, uint32_t ttl)
{
	uint8_t rdata[22] = { 0 };

	put_u32(rdata + 18, ttl);
	say_question(s, name, type, rcode);
	wire_record(&s->wire, SECTION_AUTHORITY, ROOT, TYPE_SOA, CLASS_IN, ttl,
		(struct span){ rdata, 22 });
	return said(s, rcode, ttl);
}

/* A failure of our own. */
static inline const struct packed *say_failure(struct said *s, const char *name, const char *text)
{
	const struct failure f = { RCODE_SERVFAIL, EDE_NETWORK_ERROR, text };
	uint8_t octets[NAME_MAX_WIRE];
	const struct question q = { octets, name_from_text(name, octets), TYPE_A, CLASS_IN };

	pack_failure(&s->packed, s->memory, &q, &f);
	return &s->packed;
}

static inline struct key key_in(const char *name, unsigned type, const struct key_scope *scope)
{
	uint8_t octets[NAME_MAX_WIRE];
	const struct question q = { octets, name_from_text(name, octets), (uint16_t)type,
		CLASS_IN };
	struct key k;

	key_make(&k, &secret, &q, scope);
	return k;
}

static inline struct key key_of(const char *name, unsigned type)
{
	return key_in(name, type, &(struct key_scope){ .group = 0 });
}

#endif
