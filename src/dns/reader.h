/* reader: the one cursor over a message. After an error it yields zeros, and `ok` at the end
 * decides.
 *
 * It keeps an offset and the whole message, because a compressed name reaches back into it.
 */
#ifndef DNS_READER_H
#define DNS_READER_H

#include "dns/octets.h"
#include "dns/name.h"

struct reader {
	struct span m;
	size_t at; /* never past m.len */
	bool ok;
};

/* The next n octets; NULL if they are not there. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
	if (!r->ok || n > r->m.len - r->at) {
		r->ok = false;
		return NULL;
	}
	r->at += n;
	return r->m.at + r->at - n;
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p ? *p : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? get_u16(p) : 0;
}

/* Past a name, compressed or not. */
static inline void read_name(struct reader *r)
{
	r->ok = r->ok && name_skip(r->m, &r->at);
}

static inline bool reader_done(const struct reader *r)
{
	return r->ok && r->at == r->m.len;
}

#endif
