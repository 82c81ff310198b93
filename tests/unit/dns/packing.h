/* packing: a server's reply put together, and packed, for the tests of that. */
#ifndef PACKING_H
#define PACKING_H

#include "dns/pack.h"

#include <stdlib.h>

#include "wire.h"

#define DAY 86400

/* The server's message, what it says, what it is packed with and into. */
static struct wire wire;
static struct reply reply;
static struct pack_limits limits;
static _Alignas(uint16_t) uint8_t memory[PACKED_MAX];
static struct packed packed;

static inline void server(unsigned flags, unsigned type)
{
	limits = (struct pack_limits){ .ttl_max_s = DAY, .negative_max_s = 3600 };
	wire_begin(&wire, flags | DNS_QR | DNS_RD | DNS_RA);
	wire_question(&wire, "www.example.com", type);
}

static inline void record(
	int section, struct span owner, unsigned type, uint32_t ttl, struct span rdata)
{
	wire_record(&wire, section, owner, type, CLASS_IN, ttl, rdata);
}

static inline struct record record_at(unsigned n)
{
	struct record rec = { .owner = 0 };
	size_t at = reply.question_end;

	for (unsigned i = 0; i <= n; i++)
		message_record(packed.message, &at, &rec);
	return rec;
}

static inline uint32_t ttl_of(unsigned n)
{
	return record_at(n).ttl;
}

/* What must hold of everything that is packed. */
static inline void check_packed(void)
{
	size_t at = packed.message.len ? reply.question_end : 0;
	uint32_t lowest = packed.ttl_count ? UINT32_MAX : 0;
	struct reply back;
	struct record rec;
	unsigned n = 0;

	OK(packed_size(&packed) <= PACKED_MAX && packed.errors.at);
	OK(reply_parse(packed.message, &back) && !back.has_opt);
	for (; at < packed.message.len; n++) {
		message_record(packed.message, &at, &rec);
		EQ(packed.ttl_at[n], rec.type_at + 4);
		OK(rec.ttl <= limits.ttl_max_s && rec.ttl >= limits.ttl_min_s);
		lowest = rec.ttl < lowest ? rec.ttl : lowest;
	}
	EQ(packed.ttl_count, n);
	EQ(packed.lifetime_s, lowest);
}

/* The message is in memory of just its size, which is gone afterwards. */
static inline bool pack(void)
{
	uint8_t *bytes = malloc(wire.len);

	OK(bytes);
	memcpy(bytes, wire.bytes, wire.len);
	OK(reply_parse((struct span){ bytes, wire.len }, &reply));
	bool ok = pack_reply(&packed, memory, &reply, &limits);

	free(bytes);
	if (ok)
		check_packed();
	return ok;
}

#endif
