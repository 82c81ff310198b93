/* buf: bytes that come in at the end and go out at the front.
 *
 * Memory grows by doubling. An emptied buffer keeps its memory only up to `keep` bytes, by default
 * none, so that ten thousand quiet connections cost nothing.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

#include <stdbool.h>

struct buf {
	uint8_t *bytes;
	size_t start, end, cap;
	size_t keep; /* set it right after zeroing */
};

/* Frees the memory; the buffer is empty and usable. */
void buf_clear(struct buf *);

static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){ b->bytes + b->start, b->end - b->start };
}

/* Room for n more bytes at the end, or NULL (out of memory). Valid until the next call; what was
 * written there is taken in by buf_grow(). */
uint8_t *buf_room(struct buf *, size_t n);
static inline void buf_grow(struct buf *b, size_t n)
{
	b->end += n;
}

bool buf_append(struct buf *, struct span);

/* Drops n bytes from the front. */
void buf_drop(struct buf *, size_t n);

#endif
