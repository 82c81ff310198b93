#include "config/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/log.h"

struct memory_piece {
	struct memory_piece *next;
	max_align_t bytes[];
};

void memory_out(void)
{
	log_say(LOG_ERROR, "out of memory: the configuration cannot be read");
	exit(1);
}

void *memory_take(struct memory *m, size_t size)
{
	struct memory_piece *piece = calloc(1, sizeof(*piece) + size);

	if (!piece)
		memory_out();
	piece->next = m->pieces;
	m->pieces = piece;
	return piece->bytes;
}

char *memory_copy(struct memory *m, const char *text, size_t len)
{
	char *copy = memory_take(m, len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *memory_format(struct memory *m, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	MUST(len >= 0);

	char *text = memory_take(m, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void memory_clear(struct memory *m)
{
	while (m->pieces) {
		struct memory_piece *piece = m->pieces;

		m->pieces = piece->next;
		free(piece);
	}
}
