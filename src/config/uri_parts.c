#include "config/uri_parts.h"

#include <stdarg.h>
#include <stdio.h>

bool uri_parts_fail(struct uri_reading *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->problem, sizeof(r->problem), format, args);
	va_end(args);
	return false;
}

const char *uri_parts_scheme(enum scheme scheme)
{
	return scheme == SCHEME_TLS ? "tls" : scheme == SCHEME_TCP ? "tcp" : "udp";
}
