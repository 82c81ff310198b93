#include "base/lack.h"

#include <stdlib.h>

static _Thread_local bool seen;

static void *note(void *got, size_t size)
{
	seen |= !got && size;
	return got;
}

void *lack_malloc(size_t size)
{
	return note(malloc(size), size);
}

void *lack_realloc(void *was, size_t size)
{
	return note(realloc(was, size), size);
}

bool lack_seen(void)
{
	bool was = seen;

	seen = false;
	return was;
}
