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

bool uri_parts_no_host(const struct addr *a)
{
	if (addr_is_any(a))
		return true;
	if (a->any.sa_family == AF_INET)
		return (ntohl(a->v4.sin_addr.s_addr) >> 28) >= 14;
	return a->v6.sin6_addr.s6_addr[0] == 0xff;
}
