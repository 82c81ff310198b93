/* endpoints: where sotto listens, as it is written.
 *
 *	[tls://]ADDRESS[:PORT][?KEY=VALUE&...]
 *	unix:PATH[?mode=OCTAL]
 *
 * Each may have enabled=no: it is checked, and nothing is opened there.
 */
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/kinds.h"
#include "config/near.h"
#include "config/parts.h"
#include "net/unix_socket.h"

#define LISTEN_MAX 64
/* Who reaches the folder may ask. */
#define MODE_DEFAULT 0666

#define TLS  "tls://"
#define UNIX "unix:"

/* One element while it is read. */
struct reading {
	const struct setting *setting;
	const struct node *node;
	struct endpoint endpoint;
	bool off; /* it is not in force */
};

/* Tells what is wrong, behind the text in quotes. */
static bool fail(const struct reading *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(const struct reading *r, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	problem(r->setting->problems, &r->node->place, r->setting->path, "\"%s\"%s", r->node->text,
		what);
	return false;
}

/* --- parameters --------------------------------------------------------------------------------
 */

static const char *const tls_words[] = { "refuse", "terminate", "passthrough" };

static bool take_tls(struct reading *r, const char *value)
{
	for (unsigned i = 0; i < sizeof tls_words / sizeof *tls_words; i++) {
		if (strcmp(value, tls_words[i]) != 0)
			continue;
		r->endpoint.spoken.tls = i;
		return true;
	}
	return fail(r, ": tls=%s: it may be terminate, passthrough or refuse", value);
}

static bool take_plain(struct reading *r, const char *value)
{
	r->endpoint.spoken.plain = strcmp(value, "accept") == 0;
	if (!r->endpoint.spoken.plain && strcmp(value, "refuse") != 0)
		return fail(r, ": plain=%s: it may be accept or refuse", value);
	r->endpoint.datagrams = r->endpoint.datagrams && r->endpoint.spoken.plain;
	return true;
}

static bool take_interface(struct reading *r, const char *value)
{
	if (!*value || strlen(value) >= IF_NAMESIZE || strchr(value, '/'))
		return fail(r, ": interface=%s: that cannot be the name of one", value);
	r->endpoint.at.interface = value;
	return true;
}

static bool take_free_bind(struct reading *r, const char *value)
{
	r->endpoint.at.free = strcmp(value, "yes") == 0;
	return r->endpoint.at.free ||
		fail(r, ": free-bind=%s: only free-bind=yes can be asked for", value);
}

static bool take_mode(struct reading *r, const char *value)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (*value < '0' || *value > '7' || *end || mode == 0 || mode > 0777)
		return fail(r, ": mode=%s: that is no mode such as 0660", value);
	r->endpoint.at.mode = (unsigned)mode;
	return true;
}

static bool take_enabled(struct reading *r, const char *value)
{
	r->off = strcmp(value, "no") == 0;
	return r->off || strcmp(value, "yes") == 0 ||
		fail(r, ": enabled=%s: it may be yes or no", value);
}

enum { OF_ADDRESS = 1, OF_PATH = 2 };

struct parameter {
	const char *name;
	unsigned of; /* which endpoints have it */
	bool (*take)(struct reading *, const char *value);
};

static const struct parameter parameters[] = { { "tls", OF_ADDRESS, take_tls },
	{ "plain", OF_ADDRESS, take_plain }, { "interface", OF_ADDRESS, take_interface },
	{ "free-bind", OF_ADDRESS, take_free_bind }, { "mode", OF_PATH, take_mode },
	{ "enabled", OF_ADDRESS | OF_PATH, take_enabled } };

enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static bool take_parameter(struct reading *r, char *text)
{
	unsigned kind = r->endpoint.at.path ? OF_PATH : OF_ADDRESS;
	char *value = strchr(text, '=');
	struct near near;

	if (!value)
		return fail(r, ": a parameter is KEY=VALUE, and \"%s\" is not", text);
	*value++ = '\0';
	near_init(&near, text);
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (!(parameters[i].of & kind))
			continue;
		if (strcmp(parameters[i].name, text) == 0)
			return parameters[i].take(r, value);
		near_try(&near, parameters[i].name);
	}
	return near.best
		? fail(r, ": unknown parameter \"%s\"; did you mean \"%s\"?", text, near.best)
		: fail(r, ": unknown parameter \"%s\"", text);
}

static bool take_parameters(struct reading *r, char *text)
{
	char *rest = NULL;

	for (char *one = strtok_r(text, "&", &rest); one; one = strtok_r(NULL, "&", &rest))
		if (!take_parameter(r, one))
			return false;
	return true;
}

/* --- places ------------------------------------------------------------------------------------
 */

static bool take_path(struct reading *r, const char *path)
{
	struct endpoint *e = &r->endpoint;

	if (path[0] != '/' || strlen(path) >= UNIX_PATH)
		return fail(r, ": \"%s\" is not a path from / on of less than 108 octets", path);
	e->at.addr.any.sa_family = AF_UNIX;
	e->at.path = path;
	e->at.mode = MODE_DEFAULT;
	e->spoken = (struct spoken){ TLS_REFUSE, true };
	return true;
}

static bool take_address(struct reading *r, const char *text, bool tls)
{
	struct endpoint *e = &r->endpoint;

	if (!addr_parse(&e->at.addr, text, tls ? PORT_TLS : PORT_DNS)) {
		kind_tell_form(r->setting, r->node);
		return false;
	}
	if (addr_lacks_link(&e->at.addr))
		return fail(r,
			" is a link-local address and needs its interface, as in "
			"[fe80::1%%eth0]:53");
	if (tls && addr_port(&e->at.addr) == PORT_DNS)
		return fail(r,
			": DNS over TLS must not have port 53 for itself (RFC 7858 §3.1); write "
			"ADDRESS:53?tls=terminate to take both there");
	e->datagrams = !tls;
	e->spoken =
		tls ? (struct spoken){ TLS_TERMINATE, false } : (struct spoken){ TLS_REFUSE, true };
	return true;
}

static bool take_place(struct reading *r, const char *text)
{
	if (strncmp(text, UNIX, strlen(UNIX)) == 0)
		return take_path(r, text + strlen(UNIX));
	if (strncmp(text, TLS, strlen(TLS)) == 0)
		return take_address(r, text + strlen(TLS), true);
	if (strstr(text, "://"))
		return fail(r,
			": this version listens for plain DNS and DNS over TLS only; write "
			"ADDRESS:PORT, tls://ADDRESS:PORT or unix:PATH");
	return take_address(r, text, false);
}

/* --- the spelling ------------------------------------------------------------------------------
 */

/* Adds a parameter; the first one behind a question mark. */
static const char *with(struct memory *m, const char *text, const char *name, const char *value)
{
	return memory_format(m, "%s%c%s=%s", text, strchr(text, '?') ? '&' : '?', name, value);
}

static const char *spell_path(const struct endpoint *e, struct memory *m)
{
	const char *text = memory_format(m, UNIX "%s", e->at.path);

	if (e->at.mode == MODE_DEFAULT)
		return text;
	return with(m, text, "mode", memory_format(m, "%04o", e->at.mode));
}

static const char *spell(const struct endpoint *e, struct memory *m)
{
	bool tls = !e->datagrams;
	char addr[ADDR_TEXT];

	if (e->at.path)
		return spell_path(e, m);
	const char *text = memory_format(m, "%s%s", tls ? TLS : "", addr_print(&e->at.addr, addr));

	if (e->spoken.tls != (tls ? TLS_TERMINATE : TLS_REFUSE))
		text = with(m, text, "tls", tls_words[e->spoken.tls]);
	if (tls && e->spoken.plain)
		text = with(m, text, "plain", "accept");
	if (e->at.interface)
		text = with(m, text, "interface", e->at.interface);
	return e->at.free ? with(m, text, "free-bind", "yes") : text;
}

/* --- the kind ----------------------------------------------------------------------------------
 */

static bool covers(const struct binding *a, const struct binding *b)
{
	return !a->path && !b->path && !a->interface && !b->interface &&
		addr_covers(&a->addr, &b->addr);
}

static bool is_same_place(const struct binding *a, const struct binding *b)
{
	if (a->path || b->path)
		return a->path && b->path && strcmp(a->path, b->path) == 0;
	if (a->interface && b->interface && strcmp(a->interface, b->interface) != 0)
		return false;
	return addr_equal(&a->addr, &b->addr);
}

/* What two sockets cannot share. */
static bool is_free(const struct reading *r)
{
	const struct listen_conf *l = &r->setting->config->listen;
	const struct binding *a = &r->endpoint.at;

	for (size_t i = 0; i < l->count; i++) {
		const struct endpoint *e = &l->endpoints[i];

		if (is_same_place(a, &e->at))
			return fail(r, " is listed twice");
		if (covers(&e->at, a))
			return fail(r, " is covered by %s already; leave it out", e->text);
		if (covers(a, &e->at))
			return fail(r, " covers %s, which is listed already; leave out one of them",
				e->text);
	}
	return true;
}

static bool is_of_use(const struct reading *r)
{
	const struct spoken *s = &r->endpoint.spoken;

	return s->plain || s->tls != TLS_REFUSE || fail(r, ": nothing would be taken there");
}

static void begin_listen(const struct setting *s, size_t count)
{
	struct config *c = s->config;

	c->listen.endpoints = memory_take(&c->memory, count * sizeof(*c->listen.endpoints));
	c->listen.count = 0;
	c->off = memory_take(&c->memory, count * sizeof(*c->off));
	c->off_count = 0;
}

static void take_listen(const struct setting *s, const struct node *node)
{
	struct reading r = { .setting = s, .node = node };
	struct listen_conf *l = &s->config->listen;
	struct memory *m = &s->config->memory;
	char *text = memory_copy(m, node->text, strlen(node->text));
	char *question = strchr(text, '?');

	if (question)
		*question = '\0';
	if (!take_place(&r, text) || (question && !take_parameters(&r, question + 1)) ||
		!is_of_use(&r))
		return;
	r.endpoint.text = spell(&r.endpoint, m);
	if (r.off) /* it is in nobody's way */
		s->config->off[s->config->off_count++] = r.endpoint;
	else if (is_free(&r))
		l->endpoints[l->count++] = r.endpoint;
}

static const char *listen_text(
	const struct config *c, const struct config_option *o, size_t index, struct memory *m)
{
	(void)o;
	if (index < c->listen.count)
		return c->listen.endpoints[index].text;
	index -= c->listen.count;
	return index < c->off_count ? with(m, c->off[index].text, "enabled", "no") : NULL;
}

const struct kind kind_listen = { .name = "list of addresses",
	.form = "an IP address, ADDRESS:PORT, tls://ADDRESS:PORT or unix:PATH",
	.most = LISTEN_MAX,
	.begin = begin_listen,
	.take = take_listen,
	.text = listen_text };
