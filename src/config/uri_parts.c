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

const char *uri_parts_scheme(const struct server_conf *s)
{
	static const char *const names[] = {
		[SCHEME_TLS] = "tls", [SCHEME_TCP] = "tcp", [SCHEME_UDP] = "udp"
	};

	return s->designated ? "ddr" : names[s->scheme];
}
