#include "config/uri.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/near.h"
#include "config/uri_params.h"

/* How a scheme is meant: by its name here, as another product spells it, or in a later version. */
enum use { OURS, FOREIGN, LATER };

static const struct spelling {
	const char *prefix;
	enum use use;
	enum scheme scheme;
	bool designated;
} spellings[] = {
	{ "tls://", OURS, .scheme = SCHEME_TLS },
	{ "tcp://", OURS, .scheme = SCHEME_TCP },
	{ "udp://", OURS, .scheme = SCHEME_UDP },
	{ "ddr://", OURS, .scheme = SCHEME_TLS, .designated = true },
	{ "tcp-tls://", FOREIGN, .scheme = SCHEME_TLS },
	{ "tcp-tls:", FOREIGN, .scheme = SCHEME_TLS },
	{ "tcp+udp:", FOREIGN, .scheme = SCHEME_UDP },
	{ "https://", .use = LATER },
	{ "h3://", .use = LATER },
	{ "quic://", .use = LATER },
	{ "sdns://", .use = LATER },
	{ 0 },
};

/* --- names -------------------------------------------------------------------------------------
 */

static bool is_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Letters, digits and inner hyphens (RFC 1123 §2.1), and not an address in disguise. */
static bool is_host_name(const char *name)
{
	size_t len = strlen(name), label = 0;
	const char *last = strrchr(name, '.');

	if (len == 0 || len > 253 || is_digits(last ? last + 1 : name))
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (name[i] == '.' || name[i] == '\0') {
			if (label == 0 || label > 63 || name[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		bool inner = name[i] == '-' && label > 0;
		if (!isalnum((unsigned char)name[i]) && !inner)
			return false;
		label++;
	}
	return true;
}

/* Lower case, without the last dot. */
static void tidy_name(char *name)
{
	size_t len = strlen(name);

	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static bool set_name(struct uri_parts *p, char *name)
{
	struct addr addr;

	if (p->server->scheme != SCHEME_TLS)
		return uri_parts_fail(p->reading,
			"\"%s\" is a name for a certificate to bear, and %s:// has none; leave it out",
			name, uri_parts_scheme(p->server));
	if (p->server->designated)
		return uri_parts_fail(p->reading,
			"whom a resolver designates must have the resolver's address in its "
			"certificate, whatever its name; leave \"%s\" out, or write "
			"tls://ADDRESS#NAME where both are known",
			name);
	if (p->name)
		return uri_parts_fail(p->reading,
			"two names, \"%s\" and \"%s\"; a certificate is held to one", p->name,
			name);
	tidy_name(name);
	if (*name == '\0')
		return uri_parts_fail(p->reading,
			"no name behind the #; leave it out to have the address verified");
	if (addr_parse(&addr, name, 0))
		return uri_parts_fail(p->reading,
			"\"%s\" behind the # is an address, not a name; leave it out to have the "
			"address verified",
			name);
	if (!is_host_name(name))
		return uri_parts_fail(p->reading, "\"%s\" is not a host name", name);
	p->name = name;
	return true;
}

/* --- the parts ---------------------------------------------------------------------------------
 */

/* Cuts `#name` and `?parameters` off, in whatever order they stand. */
static bool cut_tail(struct uri_parts *p, char *text)
{
	char *at = strpbrk(text, "#?");

	while (at) {
		char mark = *at, *part = at + 1;

		*at = '\0';
		at = strpbrk(part, "#?");
		if (at) {
			char next = *at;
			*at = '\0';
			part = memory_copy(p->memory, part, strlen(part));
			*at = next;
		}
		if (mark == '#' ? !set_name(p, part) : !uri_params_read(p, part))
			return false;
	}
	p->host = text;
	return true;
}

/* `name@address`, `address@port`, `address%name`: how others write names and ports. */
static bool cut_foreign(struct uri_parts *p)
{
	char *at = strchr(p->host, '@');

	if (at) {
		*at++ = '\0';
		p->reading->is_foreign = true;
		if (is_digits(at)) {
			p->port = at;
		} else {
			char *name = p->host;
			p->host = at;
			return set_name(p, name);
		}
	}
	/* Inside of brackets, what stands behind a % is the scope of the address. */
	char *bracket = strchr(p->host, ']');
	char *percent = strchr(bracket ? bracket : p->host, '%');
	if (percent) {
		*percent = '\0';
		p->reading->is_foreign = true;
		return set_name(p, percent + 1);
	}
	return true;
}

static bool is_bare_v6(const char *host)
{
	const char *colon = strchr(host, ':');

	return host[0] != '[' && colon && strchr(colon + 1, ':');
}

/* The host would do without what stands behind its last colon. */
static bool is_port_at_fault(const struct uri_parts *p)
{
	const char *colon = strrchr(p->host, ':');
	struct addr addr;

	if (!colon)
		return false;
	const char *host = memory_copy(p->memory, p->host, (size_t)(colon - p->host));

	return addr_parse(&addr, host, 0) || is_host_name(host);
}

static bool fail_host(struct uri_parts *p)
{
	if ((*p->host == '\0' || *p->host == ':') && p->server->designated)
		return uri_parts_fail(p->reading, "no address; write ddr://ADDRESS");
	if (*p->host == '\0' || *p->host == ':')
		return uri_parts_fail(p->reading, "no address; write %s://ADDRESS or %s://NAME",
			uri_parts_scheme(p->server), uri_parts_scheme(p->server));
	if (strchr(p->host, '/'))
		return uri_parts_fail(p->reading, "a path has no meaning in %s",
			p->server->scheme == SCHEME_TLS ? "DNS over TLS" : "plain DNS");
	if (is_port_at_fault(p))
		return uri_parts_fail(p->reading, "\"%s\" is not a port; a port is from 1 to 65535",
			strrchr(p->host, ':') + 1);
	return uri_parts_fail(
		p->reading, "\"%s\" is neither an IP address nor a host name", p->host);
}

/* Where nothing else is said. */
static uint16_t usual_port(const struct server_conf *s)
{
	return s->scheme == SCHEME_TLS && !s->designated ? PORT_TLS : PORT_DNS;
}

/* The port is part of the address until now; a default one if none is given. */
static bool read_port(struct uri_parts *p)
{
	struct addr *addr = &p->server->addr;
	bool tls = usual_port(p->server) == PORT_TLS;
	size_t len = p->port ? strlen(p->port) : 0;
	unsigned port = addr_port(addr);

	if (p->port) {
		port = 0;
		for (size_t i = 0; i < len && len <= 5; i++)
			port = port * 10 + (unsigned)(p->port[i] - '0');
	}
	if (port == 0 || port > 65535)
		return uri_parts_fail(p->reading, "the port must be from 1 to 65535");
	if (tls && port == PORT_DNS)
		return uri_parts_fail(p->reading,
			"port 53 is for plain DNS and never carries TLS (RFC 7858 §3.1); the port of "
			"DNS over TLS is 853");
	if (!tls && port == PORT_TLS)
		return uri_parts_fail(p->reading,
			"port 853 is for DNS over TLS and never carries plain DNS (RFC 7858 §3.1); "
			"write tls://%s",
			p->host);
	addr_set_port(addr, (uint16_t)port);
	return true;
}

/* ::ffff:192.0.2.1 is another way to write 192.0.2.1, and its certificate knows only the latter. */
static void unmap(struct addr *a)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = a->v6.sin6_port };

	if (a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return;
	memcpy(&v4.sin_addr, a->v6.sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
	*a = (struct addr){ .v4 = v4 };
}

/* `name` or `name:port`. */
static bool read_host_name(struct uri_parts *p)
{
	char *name = memory_copy(p->memory, p->host, strlen(p->host));
	char *colon = strchr(name, ':');

	if (colon && is_digits(colon + 1)) {
		*colon = '\0';
		p->port = colon + 1;
	}
	tidy_name(name);
	if (!is_host_name(name))
		return fail_host(p);
	if (p->server->designated)
		return uri_parts_fail(p->reading,
			"\"%s\" is a name, and ddr:// is for resolvers of which only the address is "
			"known; write tls://%s",
			name, name);
	p->server->host = name;
	return true;
}

static bool read_host(struct uri_parts *p)
{
	struct server_conf *s = p->server;
	uint16_t port = usual_port(s);

	if (is_bare_v6(p->host) && addr_parse(&s->addr, p->host, port))
		return uri_parts_fail(p->reading, "an IPv6 address stands in brackets: %s://[%s]",
			uri_parts_scheme(s), p->host);
	if (addr_parse(&s->addr, p->host, port)) {
		unmap(&s->addr);
		if (addr_is_no_host(&s->addr))
			return uri_parts_fail(
				p->reading, "%s is not the address of one server", p->host);
		return read_port(p);
	}
	s->addr = (struct addr){ 0 };
	addr_set_port(&s->addr, port);
	return read_host_name(p) && read_port(p);
}

/* --- the scheme --------------------------------------------------------------------------------
 */

static const struct spelling *find_spelling(const char *text)
{
	const struct spelling *s = spellings;

	while (s->prefix && strncasecmp(text, s->prefix, strlen(s->prefix)) != 0)
		s++;
	return s->prefix ? s : NULL;
}

static bool fail_unknown_scheme(struct uri_reading *r, const char *text, struct memory *m)
{
	static const char *const ours[] = { "tls", "tcp", "udp", "ddr" };
	const char *name = memory_copy(m, text, (size_t)(strstr(text, "://") - text));
	struct near near;

	near_init(&near, name);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		near_try(&near, ours[i]);
	if (near.best)
		return uri_parts_fail(
			r, "unknown scheme \"%s://\"; did you mean \"%s://\"?", name, near.best);
	return uri_parts_fail(
		r, "unknown scheme \"%s://\"; there are tls://, ddr://, tcp:// and udp://", name);
}

/* What may stand there without a scheme: `address#name` names a certificate, so it means TLS. */
static bool check_bare(struct uri_reading *r, const char *text, struct memory *m)
{
	struct addr addr;

	if (strncmp(text, "[/", 2) == 0)
		return uri_parts_fail(r,
			"[/DOMAIN/] stands before one upstream, and only in upstreams:; elsewhere "
			"write zones:");
	if (strstr(text, "://"))
		return fail_unknown_scheme(r, text, m);
	r->is_foreign = true;
	if (strchr(text, '#'))
		return true;

	const char *host = memory_copy(m, text, strcspn(text, "@?"));
	char shown[ADDR_TEXT];
	if (is_host_name(host))
		return uri_parts_fail(r,
			"\"%s\" is not an upstream; for DNS over TLS write tls://%s", text, host);
	if (!addr_parse(&addr, host, 0))
		return uri_parts_fail(r,
			"\"%s\" is not an upstream; write tls://ADDRESS, tls://ADDRESS#NAME or "
			"tls://NAME",
			text);
	const char *left = addr.any.sa_family == AF_INET6 ? "[" : "", *right = *left ? "]" : "";
	addr_print_host(&addr, shown);
	return uri_parts_fail(r,
		"a bare address would mean plain DNS; for DNS over TLS write tls://%s%s%s, for plain "
		"DNS udp://%s%s%s",
		left, shown, right, left, shown, right);
}

static bool check_spelling(
	struct uri_reading *r, const struct spelling *s, const char *text, struct memory *m)
{
	if (!s)
		return check_bare(r, text, m);
	if (s->use == LATER)
		return uri_parts_fail(r,
			"%s is not in this version, whose encrypted upstreams are tls://ADDRESS#NAME",
			s->prefix);
	r->is_foreign = s->use == FOREIGN;
	return true;
}

/* The canonical spelling with what tells servers apart: pins, files and the like need not be read
 * every day. */
static const char *canonical_text(const struct server_conf *s, struct memory *m)
{
	char host[ADDR_TEXT], port[8] = "";
	bool v6 = s->addr.any.sa_family == AF_INET6;
	bool named = s->auth_name && !(s->host && strcmp(s->host, s->auth_name) == 0);

	if (addr_port(&s->addr) != usual_port(s))
		snprintf(port, sizeof(port), ":%u", (unsigned)addr_port(&s->addr));
	const char *text = memory_format(m, "%s://%s%s%s%s%s%s", uri_parts_scheme(s), v6 ? "[" : "",
		s->host ? s->host : addr_print_host(&s->addr, host), v6 ? "]" : "", port,
		named ? "#" : "", named ? s->auth_name : "");

	return uri_params_add_identity(s, text, m);
}

bool uri_read(struct server_conf *s, const char *text, struct memory *m, struct uri_reading *r)
{
	const struct spelling *spelling = find_spelling(text);
	struct uri_parts p = { .memory = m, .reading = r, .server = s };

	*s = (struct server_conf){ .weight = URI_WEIGHT };
	*r = (struct uri_reading){ 0 };
	if (!check_spelling(r, spelling, text, m))
		return false;
	if (spelling) {
		text += strlen(spelling->prefix);
		s->scheme = spelling->scheme;
		s->designated = spelling->designated;
	}
	if (!cut_tail(&p, memory_copy(m, text, strlen(text))))
		return false;
	if (!cut_foreign(&p) || !read_host(&p) || !uri_params_check(&p))
		return false;
	s->auth_name = p.name || s->scheme != SCHEME_TLS ? p.name : s->host;
	s->text = canonical_text(s, m);
	return true;
}

const char *uri_print(const struct server_conf *s, struct memory *m)
{
	return uri_params_add_others(s, s->text, m);
}
