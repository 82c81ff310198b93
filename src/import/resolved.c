/* resolved: systemd-resolved's resolved.conf, an INI file. Its servers are given without a scheme:
 * DNSOverTLS, wherever it stands, says what they are. */
#include <string.h>

#include "import/import.h"
#include "import/lines.h"
#include "import/servers.h"

enum over_tls { TLS_NO, TLS_OPPORTUNISTIC, TLS_YES };

/* A list of servers, to be read when all is known. */
struct listed {
	struct listed *next;
	struct said said;
	char *servers;
};

struct resolved {
	struct listed *lists, **end;
	enum over_tls over_tls;
	bool other_section;
};

static void take_servers(struct recipe *p, const struct said *said, char *value)
{
	struct resolved *r = p->state;
	struct listed *l = memory_take(&p->memory, sizeof *l);

	if (!*value) { /* forgets those before */
		r->lists = NULL;
		r->end = &r->lists;
		return;
	}
	l->said = (struct said){ said->line,
		memory_copy(&p->memory, said->text, strlen(said->text)) };
	l->servers = memory_copy(&p->memory, value, strlen(value));
	*r->end = l;
	r->end = &l->next;
}

static bool is_yes(const char *value)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "y", "t" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (strcasecmp(value, yes[i]) == 0)
			return true;
	return false;
}

static bool is_no(const char *value)
{
	static const char *const no[] = { "no", "false", "off", "0", "n", "f" };

	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (strcasecmp(value, no[i]) == 0)
			return true;
	return false;
}

static void take_over_tls(struct recipe *p, const struct said *said, char *value)
{
	struct resolved *r = p->state;
	bool opportunistic = strcmp(value, "opportunistic") == 0;

	if (!opportunistic && !is_yes(value) && !is_no(value)) {
		recipe_leave(p, said, "\"%s\" is not what systemd-resolved takes", value);
		return;
	}
	r->over_tls = opportunistic ? TLS_OPPORTUNISTIC : is_yes(value) ? TLS_YES : TLS_NO;
	if (opportunistic)
		recipe_leave(p, said,
			"there is no way back to clear text, and nobody is asked "
			"unverified: servers are asked by tls:// alone");
}

static void take_cache(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "no-negative") == 0)
		recipe_set(p, said, "cache.ttl-negative", "1s");
	else if (!is_yes(value))
		recipe_set(p, said, "cache.size", "0");
}

static void take_stub(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
		recipe_leave(p, said, "sotto listens, or there is nothing to be done");
	else if (is_yes(value))
		recipe_add(p, said, "listen", "127.0.0.53:53");
	else
		recipe_leave(p, said, "UDP and TCP come together");
}

static void take_extra(struct recipe *p, const struct said *said, char *value)
{
	if (strncmp(value, "udp:", 4) == 0 || strncmp(value, "tcp:", 4) == 0)
		recipe_leave(p, said, "UDP and TCP come together");
	else if (*value)
		recipe_add(p, said, "listen", value);
}

static void take_hosts(struct recipe *p, const struct said *said, char *value)
{
	if (is_yes(value))
		recipe_add(p, said, "hosts-files", "/etc/hosts");
}

static void take_stale(struct recipe *p, const struct said *said, char *value)
{
	unsigned long s;

	if (lines_number(p, said, value, 604800, &s))
		recipe_set(p, said, "cache.stale", memory_format(&p->memory, "%lus", s));
}

static void take_unwanted(struct recipe *p, const struct said *said, char *value)
{
	if (is_yes(value) || strcmp(value, "resolve") == 0)
		recipe_leave(p, said, "names on the local link are not asked for");
}

static void take_dnssec(struct recipe *p, const struct said *said, char *value)
{
	if (strcmp(value, "no") != 0 && strcmp(value, "false") != 0)
		recipe_leave(p, said, "sotto does not validate; it asks servers that do");
}

static const struct word words[] = {
	{ .name = "DNS", .take = take_servers },
	{ .name = "FallbackDNS",
		.left = "servers for when there is no other; write them as upstreams, or leave them" },
	{ .name = "Domains",
		.left = "search domains are the client's; a domain of one link's "
			"servers is an entry of zones" },
	{ .name = "DNSSEC", .take = take_dnssec },
	{ .name = "DNSOverTLS", .take = take_over_tls },
	{ .name = "MulticastDNS", .take = take_unwanted },
	{ .name = "LLMNR", .take = take_unwanted },
	{ .name = "Cache", .take = take_cache },
	{ .name = "CacheFromLocalhost", .moot = "so it is" },
	{ .name = "DNSStubListener", .take = take_stub },
	{ .name = "DNSStubListenerExtra", .take = take_extra },
	{ .name = "ReadEtcHosts", .take = take_hosts },
	{ .name = "ResolveUnicastSingleLabel",
		.moot = "so it is: names of one label are asked for" },
	{ .name = "StaleRetentionSec", .take = take_stale },
	{ 0 },
};

/* ADDRESS[:PORT][%INTERFACE][#NAME] */
static void add_server(struct recipe *p, const struct said *said, char *text)
{
	const struct resolved *r = p->state;
	struct server_said s = { .scheme = r->over_tls == TLS_NO ? "udp" : "tls" };
	char *name = strchr(text, '#');

	if (name)
		*name++ = '\0';
	char *interface = strchr(text, '%');

	if (interface)
		*interface++ = '\0';
	server_cut(&s, text, ':');
	s.name = r->over_tls == TLS_NO ? NULL : name;
	if (interface)
		s.parameters = memory_format(&p->memory, "interface=%s", interface);
	server_add(p, said, &s, NULL);
}

static void read_section(struct recipe *p, const struct said *said)
{
	struct resolved *r = p->state;

	r->other_section = strcmp(said->text, "[Resolve]") != 0;
	if (r->other_section)
		recipe_break(p, said, "no section of resolved.conf");
}

static void read_line(struct recipe *p, const struct said *said, char *text)
{
	const struct resolved *r = p->state;
	char *value = strchr(text, '=');

	if (!value) {
		recipe_break(p, said, "neither a section nor KEY=VALUE");
		return;
	}
	*value++ = '\0';
	if (!r->other_section)
		words_take(p, words, said, lines_trim(text), lines_trim(value));
}

void resolved_read(struct recipe *p, struct span text)
{
	struct lines l = { .recipe = p, .rest = text, .comment = "#;" };
	struct resolved r = { .lists = NULL };

	r.end = &r.lists;
	p->state = &r;
	while (lines_next(&l)) {
		if (*l.text == '[')
			read_section(p, &l.said);
		else
			read_line(p, &l.said, l.text);
	}
	for (struct listed *list = r.lists; list; list = list->next)
		for (char *one; (one = lines_part(&list->servers, " \t"));)
			if (*one)
				add_server(p, &list->said, one);
	servers_end(p);
	p->state = NULL;
}
