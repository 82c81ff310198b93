#include "config/uri.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/near.h"

#define PIN_PREFIX "sha256/"
/* 32 octets in Base64, with one `=`. */
#define PIN_TEXT   44
#define PORT_PLAIN 53

/* The parts of one spelling, cut out of a copy. */
struct parts {
	struct memory *memory;
	struct uri_reading *reading;
	struct server_conf *server;
	char *host, *port, *name;
};

enum spelling_use { USE_TLS, USE_TLS_FOREIGN, USE_PLAIN, USE_LATER };

static const struct spelling {
	const char *prefix;
	enum spelling_use use;
} schemes[] = {
	{ "tls://", USE_TLS },
	{ "tcp-tls://", USE_TLS_FOREIGN },
	{ "tcp-tls:", USE_TLS_FOREIGN },
	{ "udp://", USE_PLAIN },
	{ "tcp://", USE_PLAIN },
	{ "tcp+udp:", USE_PLAIN },
	{ "https://", USE_LATER },
	{ "h3://", USE_LATER },
	{ "quic://", USE_LATER },
	{ "sdns://", USE_LATER },
	{ 0 },
};

__attribute__((format(printf, 2, 3))) static bool fail(
	struct uri_reading *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->problem, sizeof(r->problem), format, args);
	va_end(args);
	return false;
}

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

static bool set_name(struct parts *p, char *name)
{
	size_t len = strlen(name);
	struct addr addr;

	if (p->name)
		return fail(p->reading,
			"two names, \"%s\" and \"%s\"; a certificate is held to one", p->name,
			name);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (len == 0)
		return fail(p->reading,
			"no name behind the #; leave it out to have the address verified");
	if (addr_parse(&addr, name, 0))
		return fail(p->reading,
			"\"%s\" behind the # is an address, not a name; leave it out to have the "
			"address verified",
			name);
	if (!is_host_name(name))
		return fail(p->reading, "\"%s\" is not a host name", name);
	p->name = name;
	return true;
}

static bool add_pin(struct parts *p, const char *value)
{
	struct server_conf *s = p->server;
	unsigned char octets[TLS_PIN_LEN + 1], again[PIN_TEXT + 1];
	const char *text = value + strlen(PIN_PREFIX);

	if (s->pin_count == TLS_PINS_MAX)
		return fail(p->reading, "more than %d pins", TLS_PINS_MAX);
	/* EVP_DecodeBlock() lets some bad Base64 pass; encoding it again does not. */
	bool ok = strncmp(value, PIN_PREFIX, strlen(PIN_PREFIX)) == 0 && strlen(text) == PIN_TEXT &&
		EVP_DecodeBlock(octets, (const unsigned char *)text, PIN_TEXT) == TLS_PIN_LEN + 1 &&
		EVP_EncodeBlock(again, octets, TLS_PIN_LEN) == PIN_TEXT &&
		memcmp(again, text, PIN_TEXT) == 0;
	if (!ok)
		return fail(p->reading,
			"pin \"%s\" is not sha256/ and the Base64 of 32 octets (44 characters)",
			value);
	memcpy(s->pins[s->pin_count++], octets, TLS_PIN_LEN);
	return true;
}

static bool set_ca(struct parts *p, char *value)
{
	if (p->server->ca)
		return fail(p->reading, "ca is given twice");
	if (*value == '\0')
		return fail(p->reading, "ca needs a file, as in ?ca=/etc/ssl/corp.pem");
	p->server->ca = value;
	return true;
}

static bool set_parameter(struct parts *p, char *text)
{
	char *value = strchr(text, '=');
	struct near near;

	if (value)
		*value++ = '\0';
	if (value && strcmp(text, "pin") == 0)
		return add_pin(p, value);
	if (value && strcmp(text, "ca") == 0)
		return set_ca(p, value);
	if (strcmp(text, "pin") == 0 || strcmp(text, "ca") == 0)
		return fail(p->reading, "%s needs a value, as in ?%s=...", text, text);
	near_init(&near, text);
	near_try(&near, "pin");
	near_try(&near, "ca");
	if (near.best)
		return fail(p->reading, "unknown parameter \"%s\"; did you mean \"%s\"?", text,
			near.best);
	return fail(p->reading, "unknown parameter \"%s\"; there are pin and ca", text);
}

static bool set_parameters(struct parts *p, char *text)
{
	char *rest = NULL;

	if (*text == '\0')
		return fail(
			p->reading, "nothing behind the ?; there are pin=sha256/... and ca=FILE");
	for (char *one = strtok_r(text, "&", &rest); one; one = strtok_r(NULL, "&", &rest)) {
		if (!set_parameter(p, one))
			return false;
	}
	return true;
}

/* Cuts `#name` and `?parameters` off, in whatever order they stand. */
static bool cut_tail(struct parts *p, char *text)
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
		if (mark == '#' ? !set_name(p, part) : !set_parameters(p, part))
			return false;
	}
	p->host = text;
	return true;
}

/* `name@address`, `address@port`, `address%name`: how others write names and ports. */
static bool cut_foreign(struct parts *p)
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

static bool fail_host(struct parts *p)
{
	char *colon = strchr(p->host, ':');
	const char *host = p->host;

	if (colon && is_digits(colon + 1))
		host = memory_copy(p->memory, host, (size_t)(colon - host));
	if (*host == '\0')
		return fail(p->reading, "no address; write tls://ADDRESS or tls://ADDRESS#NAME");
	if (is_host_name(host))
		return fail(p->reading,
			"names of upstreams are not resolved yet in this version; write its address, and "
			"the name behind it: tls://ADDRESS#%s",
			host);
	if (strchr(host, '/'))
		return fail(p->reading, "a path has no meaning in DNS over TLS");
	return fail(p->reading, "\"%s\" is not an IP address", p->host);
}

static bool read_port(struct parts *p)
{
	struct addr *addr = &p->server->addr;
	size_t len = p->port ? strlen(p->port) : 0;
	unsigned port = addr_port(addr);

	if (p->port) {
		port = 0;
		for (size_t i = 0; i < len && len <= 5; i++)
			port = port * 10 + (unsigned)(p->port[i] - '0');
	}
	if (port == 0 || port > 65535)
		return fail(p->reading, "the port must be from 1 to 65535");
	if (port == PORT_PLAIN)
		return fail(p->reading,
			"port 53 is for plain DNS and never carries TLS (RFC 7858 §3.1); the port of "
			"DNS over TLS is 853");
	addr_set_port(addr, (uint16_t)port);
	return true;
}

static bool is_multicast(const struct addr *a)
{
	if (a->any.sa_family == AF_INET)
		return (ntohl(a->v4.sin_addr.s_addr) >> 28) >= 14;
	return a->v6.sin6_addr.s6_addr[0] == 0xff;
}

static bool read_address(struct parts *p)
{
	struct addr *addr = &p->server->addr;

	if (is_bare_v6(p->host) && addr_parse(addr, p->host, URI_PORT))
		return fail(p->reading, "an IPv6 address stands in brackets: tls://[%s]", p->host);
	if (!addr_parse(addr, p->host, URI_PORT))
		return fail_host(p);
	if (addr_is_any(addr) || is_multicast(addr))
		return fail(p->reading, "%s is not the address of one server", p->host);
	return read_port(p);
}

static const struct spelling *find_scheme(const char *text)
{
	const struct spelling *s = schemes;

	while (s->prefix && strncasecmp(text, s->prefix, strlen(s->prefix)) != 0)
		s++;
	return s->prefix ? s : NULL;
}

static bool fail_unknown_scheme(struct uri_reading *r, const char *text, struct memory *m)
{
	const char *name = memory_copy(m, text, (size_t)(strstr(text, "://") - text));
	struct near near;

	near_init(&near, name);
	near_try(&near, "tls");
	if (near.best)
		return fail(
			r, "unknown scheme \"%s://\"; did you mean \"%s://\"?", name, near.best);
	return fail(r, "unknown scheme \"%s://\"; this version sends over TLS: tls://ADDRESS#NAME",
		name);
}

/* What may stand there without a scheme: `address#name` names a certificate, so it means TLS. */
static bool check_bare(struct uri_reading *r, const char *text, struct memory *m)
{
	struct addr addr;

	if (strncmp(text, "[/", 2) == 0)
		return fail(r, "upstreams for single domains are not in this version");
	if (strstr(text, "://"))
		return fail_unknown_scheme(r, text, m);
	r->is_foreign = true;
	if (strchr(text, '#'))
		return true;

	const char *host = memory_copy(m, text, strcspn(text, "@?"));
	char shown[ADDR_TEXT];
	if (!addr_parse(&addr, host, 0))
		return fail(r,
			"\"%s\" is not an upstream; write tls://ADDRESS or tls://ADDRESS#NAME",
			text);
	bool v6 = addr.any.sa_family == AF_INET6;
	return fail(r, "a bare address would mean plain DNS; for DNS over TLS write tls://%s%s%s",
		v6 ? "[" : "", addr_print_host(&addr, shown), v6 ? "]" : "");
}

static bool check_scheme(
	struct uri_reading *r, const struct spelling *s, const char *text, struct memory *m)
{
	if (!s)
		return check_bare(r, text, m);
	if (s->use == USE_PLAIN)
		return fail(r,
			"%s would send in plain text; this version sends over TLS only: tls://%s",
			s->prefix, text + strlen(s->prefix));
	if (s->use == USE_LATER)
		return fail(r,
			"%s is not in this version, which sends over TLS only: tls://ADDRESS#NAME",
			s->prefix);
	r->is_foreign = s->use == USE_TLS_FOREIGN;
	return true;
}

/* The canonical spelling without pins and CA, which people need not read every day. */
static const char *canonical_text(const struct server_conf *s, struct memory *m)
{
	char host[ADDR_TEXT], port[8] = "";
	bool v6 = s->addr.any.sa_family == AF_INET6;

	if (addr_port(&s->addr) != URI_PORT)
		snprintf(port, sizeof(port), ":%u", (unsigned)addr_port(&s->addr));
	return memory_format(m, "tls://%s%s%s%s%s%s", v6 ? "[" : "",
		addr_print_host(&s->addr, host), v6 ? "]" : "", port, s->auth_name ? "#" : "",
		s->auth_name ? s->auth_name : "");
}

bool uri_read(struct server_conf *s, const char *text, struct memory *m, struct uri_reading *r)
{
	const struct spelling *scheme = find_scheme(text);
	struct parts p = { .memory = m, .reading = r, .server = s };

	*s = (struct server_conf){ .weight = 100 };
	*r = (struct uri_reading){ 0 };
	if (!check_scheme(r, scheme, text, m))
		return false;
	if (scheme)
		text += strlen(scheme->prefix);
	if (!cut_tail(&p, memory_copy(m, text, strlen(text))))
		return false;
	if (!cut_foreign(&p) || !read_address(&p))
		return false;
	s->auth_name = p.name;
	s->text = canonical_text(s, m);
	return true;
}

const char *uri_print(const struct server_conf *s, struct memory *m)
{
	const char *text = s->text;
	char mark = '?';

	for (unsigned i = 0; i < s->pin_count; i++) {
		unsigned char pin[PIN_TEXT + 1];

		EVP_EncodeBlock(pin, s->pins[i], TLS_PIN_LEN);
		text = memory_format(m, "%s%cpin=" PIN_PREFIX "%s", text, mark, (const char *)pin);
		mark = '&';
	}
	if (s->ca)
		text = memory_format(m, "%s%cca=%s", text, mark, s->ca);
	return text;
}
