/* frame: the two-byte length in front of each DNS message on a stream (RFC 1035 §4.2.2). */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include "base/buf.h"

#define FRAME_HEAD 2
#define FRAME_MAX  65535

/* The first whole message of b, which stays there until frame_drop(). False: not all here yet. */
static inline bool frame_first(const struct buf *b, struct span *message)
{
	struct span s = buf_span(b);

	if (s.len < FRAME_HEAD)
		return false;
	size_t len = (size_t)(s.at[0] << 8 | s.at[1]);
	if (s.len - FRAME_HEAD < len)
		return false;
	*message = (struct span){ s.at + FRAME_HEAD, len };
	return true;
}

static inline void frame_drop(struct buf *b, struct span message)
{
	buf_drop(b, FRAME_HEAD + message.len);
}

static inline void frame_head(uint8_t head[FRAME_HEAD], size_t len)
{
	head[0] = (uint8_t)(len >> 8);
	head[1] = (uint8_t)len;
}

#endif
