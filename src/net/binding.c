#include "net/binding.h"

#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool binding_equal(const struct binding *a, const struct binding *b)
{
	if (a->addr.any.sa_family == AF_UNIX || b->addr.any.sa_family == AF_UNIX)
		return is_same_text(a->path, b->path) && a->mode == b->mode;
	return addr_equal(&a->addr, &b->addr) && is_same_text(a->interface, b->interface) &&
		a->free == b->free;
}
