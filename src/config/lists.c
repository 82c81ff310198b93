/* The kinds that are lists: where clients ask, who may ask, and who is asked. */
#include "config/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "config/near.h"
#include "config/uri.h"

#define LISTEN_PORT 53
#define LISTEN_MAX  64
#define ALLOW_MAX   256

static void begin_listen(struct config *c, size_t count)
{
	c->listen.addrs = memory_take(&c->memory, count * sizeof(c->listen.addrs[0]));
	c->listen.count = 0;
}

/* Spellings that people try, and what to write instead. */
static void tell_listen(const struct setting *s, const struct node *node, const char *path)
{
	const char *text = node->text, *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : text;
	size_t host = colon ? (size_t)(colon - text) : 0;

	if (strncmp(text, "tls://", 6) == 0)
		problem(s->problems, &node->place, path,
			"listeners for TLS are not in this version; it serves plain DNS over UDP and TCP");
	else if (strncmp(text, "udp://", 6) == 0 || strncmp(text, "tcp://", 6) == 0)
		problem(s->problems, &node->place, path,
			"UDP and TCP are served on every address; write %s", text + 6);
	else if (host == 9 && strncmp(text, "localhost", host) == 0)
		problem(s->problems, &node->place, path,
			"names are not looked up here; write 127.0.0.1:%s and [::1]:%s", port, port);
	else if (*port && port[strspn(port, "0123456789")] == '\0' && host <= (text[0] == '*'))
		problem(s->problems, &node->place, path,
			"no address; write 0.0.0.0:%s and [::]:%s for all of this host", port, port);
	else
		kind_tell_form(s, node, path);
}

/* Without brackets, nobody can tell whether `::1:53` ends in a port. */
static bool is_bare_v6(const struct addr *addr, const char *text)
{
	return addr->any.sa_family == AF_INET6 && text[0] != '[';
}

static void take_listen(const struct setting *s, const struct node *node, const char *path)
{
	struct listen_conf *l = &s->config->listen;
	struct addr addr;

	if (!addr_parse(&addr, node->text, LISTEN_PORT)) {
		tell_listen(s, node, path);
		return;
	}
	if (is_bare_v6(&addr, node->text)) {
		problem(s->problems, &node->place, path,
			"an IPv6 address stands in brackets: \"[%s]\" or \"[%s]:%d\"", node->text,
			node->text, LISTEN_PORT);
		return;
	}
	for (size_t i = 0; i < l->count; i++) {
		if (addr_port(&addr) != 0 && addr_equal(&l->addrs[i], &addr)) {
			problem(s->problems, &node->place, path, "%s is in the list already", node->text);
			return;
		}
	}
	l->addrs[l->count++] = addr;
}

static const char *listen_text(
	const struct config *c, const struct option *o, size_t index, struct memory *m)
{
	char text[ADDR_TEXT];

	(void)o;
	if (index >= c->listen.count)
		return NULL;
	return memory_format(m, "%s", addr_print(&c->listen.addrs[index], text));
}

const struct kind kind_listen = {
	.name = "list of addresses",
	.form = "an address to listen on, as 127.0.0.1:53 or \"[::1]:53\"",
	.most = LISTEN_MAX,
	.begin = begin_listen,
	.take = take_listen,
	.text = listen_text,
};

static void begin_allow(struct config *c, size_t count)
{
	acl_clear(&c->query.allow);
	c->allow_words = memory_take(&c->memory, count * sizeof(c->allow_words[0]));
	c->allow_count = 0;
}

static void tell_allow(const struct setting *s, const struct node *node, const char *path)
{
	char *slash = strchr(node->text, '/');
	struct near near;
	struct addr addr;

	near_init(&near, node->text);
	near_try(&near, "local");
	near_try(&near, "private");
	near_try(&near, "any");
	if (near.best) {
		problem(s->problems, &node->place, path, "\"%s\" is not known; did you mean \"%s\"?",
			node->text, near.best);
		return;
	}
	struct memory *m = &s->config->memory;
	const char *base = slash ? memory_copy(m, node->text, (size_t)(slash - node->text)) : "";
	long bits = slash ? strtol(slash + 1, NULL, 10) : 0;
	if (addr_parse(&addr, base, 0) && bits < (addr.any.sa_family == AF_INET ? 32 : 128))
		problem(s->problems, &node->place, path,
			"%s has bits behind the first %ld, so it is not a prefix; write %s for the one "
			"address", node->text, bits, base);
	else
		kind_tell_form(s, node, path);
}

static void take_allow(const struct setting *s, const struct node *node, const char *path)
{
	struct config *c = s->config;

	errno = 0;
	if (!acl_add(&c->query.allow, node->text)) {
		MUST(errno != ENOMEM);
		tell_allow(s, node, path);
		return;
	}
	c->allow_words[c->allow_count++] = memory_copy(&c->memory, node->text, strlen(node->text));
}

static const char *allow_text(
	const struct config *c, const struct option *o, size_t index, struct memory *m)
{
	(void)o, (void)m;
	return index < c->allow_count ? c->allow_words[index] : NULL;
}

const struct kind kind_allow = {
	.name = "list of clients",
	.form = "local, private, any, an address, or a prefix as 192.0.2.0/24",
	.most = ALLOW_MAX,
	.begin = begin_allow,
	.take = take_allow,
	.text = allow_text,
};

static void begin_upstreams(struct config *c, size_t count)
{
	c->upstream.servers = memory_take(&c->memory, count * sizeof(c->upstream.servers[0]));
	c->upstream.count = 0;
	c->notes = NULL;
}

static void add_note(struct config *c, const char *given, const char *understood)
{
	struct config_note **end = &c->notes;

	while (*end)
		end = &(*end)->next;
	*end = memory_take(&c->memory, sizeof(**end));
	(*end)->given = memory_copy(&c->memory, given, strlen(given));
	(*end)->understood = understood;
}

static void take_upstream(const struct setting *s, const struct node *node, const char *path)
{
	struct config *c = s->config;
	struct upstream_conf *u = &c->upstream;
	struct server_conf *server = &u->servers[u->count];
	struct uri_reading reading;

	if (!uri_read(server, node->text, &c->memory, &reading)) {
		problem(s->problems, &node->place, path, "%s", reading.problem);
		return;
	}
	for (size_t i = 0; i < u->count; i++) {
		if (strcmp(u->servers[i].text, server->text) == 0) {
			problem(s->problems, &node->place, path, "%s is in the list already",
				server->text);
			return;
		}
	}
	if (reading.is_foreign)
		add_note(c, node->text, server->text);
	u->count++;
}

static const char *upstream_text(
	const struct config *c, const struct option *o, size_t index, struct memory *m)
{
	(void)o;
	return index < c->upstream.count ? uri_print(&c->upstream.servers[index], m) : NULL;
}

const struct kind kind_upstreams = {
	.name = "list of upstreams",
	.form = "an upstream, as tls://ADDRESS or tls://ADDRESS#NAME",
	.most = SERVERS_MAX,
	.begin = begin_upstreams,
	.take = take_upstream,
	.text = upstream_text,
};
