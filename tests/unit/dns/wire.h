/* wire: messages for the tests, put together piece by piece; the header counts along. */
#ifndef WIRE_H
#define WIRE_H

#include <string.h>

#include "case.h"
#include "dns/message.h"
#include "dns/name.h"

struct wire {
	uint8_t bytes[DNS_MESSAGE_MAX];
	size_t len;
};

/* A pointer to the question's name. */
#define TO_QUESTION SPAN("\xc0\x0c")
#define ROOT        ((struct span){ (const uint8_t *)"", 1 })
#define NOTHING     ((struct span){ (const uint8_t *)"", 0 })
#define ADDRESS     SPAN("\xc0\x00\x02\x01")

static inline struct span wire_span(const struct wire *w)
{
	return (struct span){ w->bytes, w->len };
}

static inline void wire_bytes(struct wire *w, struct span s)
{
	OK(s.len <= sizeof(w->bytes) - w->len);
	memcpy(w->bytes + w->len, s.at, s.len);
	w->len += s.len;
}

static inline void wire_u16(struct wire *w, unsigned v)
{
	wire_bytes(w, (struct span){ (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2 });
}

static inline void wire_begin(struct wire *w, unsigned flags)
{
	w->len = 0;
	wire_u16(w, 0x1234);
	wire_u16(w, flags);
	for (int i = 0; i < SECTIONS; i++)
		wire_u16(w, 0);
}

static inline void wire_count(struct wire *w, int section, int more)
{
	uint8_t *at = w->bytes + 4 + 2 * section;

	put_u16(at, (uint16_t)(get_u16(at) + more));
}

static inline void wire_question(struct wire *w, const char *name, unsigned type)
{
	uint8_t bytes[NAME_MAX_WIRE];

	wire_bytes(w, (struct span){ bytes, name_from_text(name, bytes) });
	wire_u16(w, type);
	wire_u16(w, CLASS_IN);
	wire_count(w, SECTION_QUESTION, 1);
}

static inline void wire_record(struct wire *w, int section, struct span owner, unsigned type,
	unsigned class, uint32_t ttl, struct span rdata)
{
	wire_bytes(w, owner);
	wire_u16(w, type);
	wire_u16(w, class);
	wire_u16(w, ttl >> 16);
	wire_u16(w, ttl & 0xffff);
	wire_u16(w, (unsigned)rdata.len);
	wire_bytes(w, rdata);
	wire_count(w, section, 1);
}

/* An address of the question's name, for five minutes. */
static inline void wire_address(struct wire *w, int section)
{
	wire_record(w, section, TO_QUESTION, TYPE_A, CLASS_IN, 300, ADDRESS);
}

static inline void wire_opt(struct wire *w, uint32_t ttl, struct span options)
{
	wire_record(w, SECTION_ADDITIONAL, ROOT, TYPE_OPT, 1232, ttl, options);
}

#endif
