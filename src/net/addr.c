#include "net/addr.h"

#include "base/bug.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK_OCTETS 8 /* of an IPv6 address: a /64 */

/* ---- text to address ---- */

static bool parse_number(const char *text, unsigned long most, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return !*end && !errno && *out <= most;
}

static bool parse_v4(struct addr *a, const char *host)
{
	a->v4 = (struct sockaddr_in){ .sin_family = AF_INET };
	return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1;
}

/* The scope behind % is an interface's name or number. */
static bool parse_v6(struct addr *a, char *host)
{
	char *scope = strchr(host, '%');
	unsigned long number;

	a->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	if (scope) {
		*scope++ = '\0';
		a->v6.sin6_scope_id = if_nametoindex(scope);
		if (!a->v6.sin6_scope_id && parse_number(scope, UINT32_MAX, &number))
			a->v6.sin6_scope_id = (uint32_t)number;
		if (!a->v6.sin6_scope_id)
			return false;
	}
	return inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1;
}

bool addr_parse(struct addr *a, const char *text, uint16_t default_port)
{
	char copy[ADDR_TEXT], *host = copy, *port = NULL;
	unsigned long number = default_port;

	if (strlen(text) >= sizeof copy)
		return false;
	memset(a, 0, sizeof *a);
	snprintf(copy, sizeof copy, "%s", text);
	if (*copy == '[') {
		char *end = strchr(copy, ']');

		if (!end || (end[1] && end[1] != ':'))
			return false;
		*end = '\0';
		host = copy + 1;
		port = end[1] ? end + 2 : NULL;
	} else if (strchr(copy, ':') == strrchr(copy, ':') && (port = strchr(copy, ':'))) {
		*port++ = '\0';
	}
	if (port && !parse_number(port, 65535, &number))
		return false;
	if (strchr(host, ':') ? !parse_v6(a, host) : *copy == '[' || !parse_v4(a, host))
		return false;
	addr_set_port(a, (uint16_t)number);
	return true;
}

/* ---- address to text ---- */

const char *addr_print_host(const struct addr *a, char text[ADDR_TEXT])
{
	if (a->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->v4.sin_addr, text, ADDR_TEXT);
	} else if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, text, ADDR_TEXT);
		size_t len = strlen(text);
		char name[IF_NAMESIZE];

		if (!a->v6.sin6_scope_id)
			return text;
		if (if_indextoname(a->v6.sin6_scope_id, name))
			snprintf(text + len, ADDR_TEXT - len, "%%%s", name);
		else
			snprintf(text + len, ADDR_TEXT - len, "%%%u", a->v6.sin6_scope_id);
	} else {
		snprintf(text, ADDR_TEXT, a->any.sa_family == AF_UNIX ? "unix" : "none");
	}
	return text;
}

const char *addr_print(const struct addr *a, char text[ADDR_TEXT])
{
	char host[ADDR_TEXT];
	bool v6 = a->any.sa_family == AF_INET6;

	if (!v6 && a->any.sa_family != AF_INET)
		return addr_print_host(a, text);
	addr_print_host(a, host);
	snprintf(text, ADDR_TEXT, v6 ? "[%.70s]:%u" : "%.70s:%u", host, addr_port(a));
	return text;
}

/* ---- parts ---- */

bool addr_from_octets(struct addr *a, const uint8_t *octets, size_t len)
{
	*a = (struct addr){ .any.sa_family = AF_UNSPEC };
	if (len == sizeof a->v4.sin_addr) {
		a->any.sa_family = AF_INET;
		memcpy(&a->v4.sin_addr, octets, len);
	} else if (len == sizeof a->v6.sin6_addr) {
		a->any.sa_family = AF_INET6;
		memcpy(&a->v6.sin6_addr, octets, len);
	}
	return a->any.sa_family != AF_UNSPEC;
}

uint16_t addr_port(const struct addr *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

socklen_t addr_size(const struct addr *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	if (a->any.sa_family == AF_UNIX)
		return true;
	return !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) &&
		a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_any(const struct addr *a)
{
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

bool addr_covers(const struct addr *a, const struct addr *b)
{
	return a->any.sa_family == b->any.sa_family && addr_is_any(a) && addr_port(a) != 0 &&
		addr_port(a) == addr_port(b);
}

bool addr_lacks_link(const struct addr *a)
{
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr) &&
		!a->v6.sin6_scope_id;
}

struct span addr_octets(const struct addr *a)
{
	if (a->any.sa_family == AF_INET)
		return (struct span){ (const uint8_t *)&a->v4.sin_addr, sizeof a->v4.sin_addr };
	if (a->any.sa_family == AF_UNIX)
		return (struct span){ (const uint8_t *)a, 0 };
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return (struct span){ a->v6.sin6_addr.s6_addr + 12, sizeof a->v4.sin_addr };
	return (struct span){ a->v6.sin6_addr.s6_addr, sizeof a->v6.sin6_addr };
}

struct span addr_network(const struct addr *a)
{
	struct span host = addr_octets(a);

	if (host.len > NETWORK_OCTETS)
		host.len = NETWORK_OCTETS;
	return host;
}

bool addr_same_network(const struct addr *a, const struct addr *b)
{
	struct span x = addr_network(a), y = addr_network(b);

	return x.len == y.len && memcmp(x.at, y.at, x.len) == 0;
}

bool addr_is_no_host(const struct addr *a)
{
	if (addr_is_any(a))
		return true;
	if (a->any.sa_family == AF_INET)
		return (ntohl(a->v4.sin_addr.s_addr) >> 28) >= 14;
	return a->v6.sin6_addr.s6_addr[0] == 0xff;
}

/* ---- prefixes ---- */

/* Bit n of the octets, from the left. */
static bool bit(const uint8_t *at, unsigned n)
{
	return at[n / 8] & (0x80 >> n % 8);
}

static bool is_zero_behind(struct span octets, unsigned bits)
{
	for (unsigned n = bits; n < octets.len * 8; n++)
		if (bit(octets.at, n))
			return false;
	return true;
}

bool prefix_parse(struct prefix *p, const char *text)
{
	char host[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long bits;

	if (len >= sizeof host)
		return false;
	snprintf(host, sizeof host, "%.*s", (int)len, text);
	if (strchr(host, '[') || strchr(host, '%') || (strchr(host, '.') && strchr(host, ':')) ||
		!addr_parse(&p->base, host, 0))
		return false;
	struct span base = addr_octets(&p->base);

	bits = base.len * 8;
	if (slash && !parse_number(slash + 1, base.len * 8, &bits))
		return false;
	p->bits = (unsigned)bits;
	return is_zero_behind(base, p->bits);
}

bool prefix_matches(const struct prefix *p, const struct addr *a)
{
	struct span want = addr_octets(&p->base), have = addr_octets(a);

	if (want.len != have.len || memcmp(want.at, have.at, p->bits / 8) != 0)
		return false;
	for (unsigned n = p->bits & ~7u; n < p->bits; n++)
		if (bit(want.at, n) != bit(have.at, n))
			return false;
	return true;
}

struct prefix prefix_of_host(const struct addr *a)
{
	return (struct prefix){ *a, (unsigned)(8 * addr_octets(a).len) };
}

/* An IPv4-mapped network is one of IPv4: where bits beyond are zero, no shorter one is mapped. */
bool prefix_from_octets(struct prefix *p, const uint8_t *octets, size_t len, unsigned bits)
{
	if (!addr_from_octets(&p->base, octets, len) || bits > 8 * len ||
		!is_zero_behind((struct span){ octets, len }, bits))
		return false;
	p->bits = bits - (unsigned)(8 * (len - addr_octets(&p->base).len));
	return true;
}

bool prefix_is_within(const struct prefix *p, const struct prefix *outer)
{
	return p->bits >= outer->bits && prefix_matches(outer, &p->base);
}

static bool hears(const struct addr *listen, const struct addr *to)
{
	bool v4 = listen->any.sa_family == AF_INET;
	struct prefix own = { *listen, v4 ? 32 : 128 };

	if (addr_port(listen) != addr_port(to))
		return false;
	if (addr_is_any(listen))
		MUST(prefix_parse(&own, v4 ? "127.0.0.0/8" : "::1"));
	else if (!v4 && IN6_IS_ADDR_V4MAPPED(&listen->v6.sin6_addr))
		own.bits = 32;
	return prefix_matches(&own, to);
}

bool addr_is_heard(const struct addr *to, const struct addr *listen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (hears(&listen[i], to))
			return true;
	return false;
}

/* ---- lists of prefixes ---- */

struct acl_word {
	const char *word;
	bool inside;
	const char *prefixes[8];
};

static const struct acl_word acl_words[] = {
	{ "local", true, { "127.0.0.0/8", "::1" } },
	{ "private", true,
		{ "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
			"100.64.0.0/10", "fc00::/7", "fe80::/10" } },
	{ "any", false, { "0.0.0.0/0", "::/0" } },
};

bool acl_add_prefix(struct acl *acl, const char *text)
{
	struct prefix p, *more;

	errno = 0;
	if (!prefix_parse(&p, text))
		return false;
	more = reallocarray(acl->prefixes, acl->count + 1, sizeof *more);
	if (!more) {
		errno = ENOMEM;
		return false;
	}
	more[acl->count++] = p;
	acl->prefixes = more;
	return true;
}

bool acl_add(struct acl *acl, const char *word)
{
	for (size_t i = 0; i < sizeof acl_words / sizeof *acl_words; i++) {
		if (strcmp(word, acl_words[i].word) != 0)
			continue;
		for (const char *const *p = acl_words[i].prefixes; *p; p++)
			if (!acl_add_prefix(acl, *p))
				return false;
		return true;
	}
	return acl_add_prefix(acl, word);
}

bool addr_is_inside(const struct addr *a)
{
	struct prefix prefix;

	for (size_t i = 0; i < sizeof acl_words / sizeof *acl_words; i++)
		for (const char *const *p = acl_words[i].prefixes; acl_words[i].inside && *p; p++)
			if (prefix_parse(&prefix, *p) && prefix_matches(&prefix, a))
				return true;
	return false;
}

bool acl_has(const struct acl *acl, const struct addr *a)
{
	for (size_t i = 0; i < acl->count; i++)
		if (prefix_matches(&acl->prefixes[i], a))
			return true;
	return false;
}

bool acl_has_all(const struct acl *acl, const struct prefix *p)
{
	for (size_t i = 0; i < acl->count; i++)
		if (prefix_is_within(p, &acl->prefixes[i]))
			return true;
	return false;
}

bool acl_allows(const struct acl *acl, const struct addr *a)
{
	return a->any.sa_family == AF_UNIX || acl_has(acl, a);
}

void acl_clear(struct acl *acl)
{
	free(acl->prefixes);
	*acl = (struct acl){ 0 };
}
