#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 512

void buf_clear(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){ .keep = b->keep };
}

/* Moves what is there to the front, if that makes the room. */
static bool make_room_in_front(struct buf *b, size_t n)
{
	size_t len = buf_len(b);

	if (b->cap - len < n || b->start < len)
		return false;
	memcpy(b->bytes, b->bytes + b->start, len);
	b->start = 0;
	b->end = len;
	return true;
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	if (b->cap - b->end >= n)
		return b->bytes + b->end;
	if (make_room_in_front(b, n))
		return b->bytes + b->end;

	size_t len = buf_len(b), cap = b->cap ? b->cap : FIRST_SIZE;

	while (cap - len < n) {
		if (cap > SIZE_MAX / 2)
			return NULL;
		cap *= 2;
	}
	uint8_t *bytes = malloc(cap);

	if (!bytes)
		return NULL;
	if (len)
		memcpy(bytes, b->bytes + b->start, len);
	free(b->bytes);
	*b = (struct buf){ bytes, 0, len, cap, b->keep };
	return bytes + len;
}

bool buf_append(struct buf *b, struct span s)
{
	uint8_t *room = buf_room(b, s.len);

	if (!room)
		return false;
	if (s.len)
		memcpy(room, s.at, s.len);
	buf_grow(b, s.len);
	return true;
}

void buf_drop(struct buf *b, size_t n)
{
	b->start += n;
	if (b->start < b->end)
		return;
	b->start = b->end = 0;
	if (b->cap > b->keep)
		buf_clear(b);
}
