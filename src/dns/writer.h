/* writer: what is written of a message so far. What does not fit is not written at all, and puts
 * `ok` out; one test at the end decides. */
#ifndef DNS_WRITER_H
#define DNS_WRITER_H

#include "base/span.h"
#include "dns/octets.h"

#include <stdbool.h>
#include <string.h>

struct writer {
	uint8_t *out;
	size_t len, limit;
	bool ok;
};

/* Room for the next n octets; NULL if there is none. */
static inline uint8_t *put_room(struct writer *w, size_t n)
{
	if (!w->ok || n > w->limit - w->len) {
		w->ok = false;
		return NULL;
	}
	uint8_t *to = w->out + w->len;

	w->len += n;
	return to;
}

static inline void put_bytes(struct writer *w, const void *bytes, size_t n)
{
	uint8_t *to = put_room(w, n);

	if (to && n > 0)
		memcpy(to, bytes, n);
}

static inline void put_number(struct writer *w, uint16_t v)
{
	uint8_t *to = put_room(w, 2);

	if (to)
		put_u16(to, v);
}

#endif
