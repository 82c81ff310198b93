#include "import/servers.h"

#include <string.h>

#include "base/bug.h"
#include "config/uri.h"

/* Public resolvers that are known by their addresses, and the names in their certificates. */
static const struct known {
	const char *address, *name;
} known[] = {
	{ "1.1.1.1", "cloudflare-dns.com" },
	{ "1.0.0.1", "cloudflare-dns.com" },
	{ "2606:4700:4700::1111", "cloudflare-dns.com" },
	{ "2606:4700:4700::1001", "cloudflare-dns.com" },
	{ "8.8.8.8", "dns.google" },
	{ "8.8.4.4", "dns.google" },
	{ "2001:4860:4860::8888", "dns.google" },
	{ "2001:4860:4860::8844", "dns.google" },
	{ "9.9.9.9", "dns.quad9.net" },
	{ "149.112.112.112", "dns.quad9.net" },
	{ "2620:fe::fe", "dns.quad9.net" },
};

static const char *name_of(const char *address)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].address, address) == 0)
			return known[i].name;
	return NULL;
}

static bool is_inside(const struct addr *a)
{
	struct acl inside = { 0 };

	if (!acl_add(&inside, "local") || !acl_add(&inside, "private"))
		memory_out();
	bool is = acl_allows(&inside, a);
	acl_clear(&inside);
	return is;
}

/* The first of those that go out in clear is what `require` has to be set for; each is told how it
 * could be asked better. */
static void note_clear(
	struct recipe *p, const struct said *said, const struct server_conf *s, const char *host)
{
	const char *name = name_of(host);

	if (s->scheme == SCHEME_TLS || (!s->host && is_inside(&s->addr)))
		return;
	recipe_remark(p, said,
		memory_format(&p->memory,
			name ? "in clear, as it was; tls://%s#%s is the same resolver, encrypted "
			       "and verified"
			     : "in clear, as it was; if it speaks DNS over TLS, tls://%s%s is "
			       "encrypted and verified",
			host, name ? name : ""));
	if (!p->clear.text)
		p->clear = (struct said){ said->line,
			memory_copy(&p->memory, said->text, strlen(said->text)) };
}

/* Nobody has said what its name is: less than its address would be nothing. */
static void note_nameless(struct recipe *p, const struct said *said, const struct server_conf *s)
{
	if (s->scheme == SCHEME_TLS && !s->host && !s->auth_name && !s->pin_count)
		recipe_remark(p, said,
			"no name is said: the address must be in the server's certificate");
}

const char *server_spell(struct recipe *p, const struct said *said, const struct server_said *s)
{
	struct server_conf conf;
	struct uri_reading reading;
	bool bare = strchr(s->host, ':') && *s->host != '[';
	const char *text = memory_format(&p->memory, "%s://%s%s%s%s%s%s%s%s%s", s->scheme,
		bare ? "[" : "", s->host, bare ? "]" : "", s->port ? ":" : "",
		s->port ? s->port : "", s->name ? "#" : "", s->name ? s->name : "",
		s->parameters ? "?" : "", s->parameters ? s->parameters : "");

	if (!uri_read(&conf, text, &p->memory, &reading)) {
		recipe_leave(p, said, "%s", reading.problem);
		return NULL;
	}
	note_clear(p, said, &conf, s->host);
	note_nameless(p, said, &conf);
	return uri_print(&conf, &p->memory);
}

void server_cut(struct server_said *s, char *text, char separator)
{
	char *name = strchr(text, '#'), *end;

	if (name && separator != '#') {
		*name = '\0';
		s->name = name + 1;
	}
	if (*text == '[' && (end = strchr(text, ']'))) {
		*end = '\0';
		s->host = text + 1;
		s->port = end[1] == separator ? end + 2 : NULL;
		return;
	}
	s->host = text;
	end = strrchr(text, separator);
	if (!end || (separator == ':' && strchr(text, ':') != end))
		return; /* of IPv6 without brackets, all is the address */
	*end = '\0';
	s->port = end + 1;
}

void server_add(
	struct recipe *p, const struct said *said, const struct server_said *s, const char *domain)
{
	if (domain && !recipe_is_zone(p, said, domain))
		return;
	const char *text = server_spell(p, said, s);

	if (text && domain)
		recipe_put(p, said, "zones", domain, text);
	else if (text)
		recipe_add(p, said, "upstreams", text);
}

void servers_end(struct recipe *p)
{
	if (p->clear.text)
		recipe_set(p, &p->clear, "require", "nothing");
}
