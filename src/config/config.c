#include "config/config.h"

#include <string.h>

#include "config/checks.h"
#include "config/kinds.h"
#include "config/load.h"
#include "net/tls.h"

/* Told to stream clients a little early, so that they are not closed on while they ask; in 100 ms. */
static uint16_t told_keepalive(unsigned idle_ms)
{
	unsigned told = idle_ms / 100;

	return (uint16_t)(told > UINT16_MAX ? UINT16_MAX : told);
}

bool config_load(struct config *c, const struct config_sources *sources, FILE *err)
{
	struct load l = { .config = c, .problems.out = err };

	*c = (struct config){ 0 };
	load_defaults(&l);
	load_file(&l, sources->file);
	load_folder(&l, sources->file);
	load_environment(&l, sources->environment);
	load_command_line(&l, sources);
	if (l.problems.count == 0)
		checks_run(&l);
	problems_sum_up(&l.problems);

	c->upstreams_given = l.given[options_index(options_find("upstreams"))] != NULL;
	c->query.keepalive = told_keepalive(c->listen.idle_ms);
	memory_clear(&l.memory);
	if (l.problems.count > 0)
		config_clear(c);
	return l.problems.count == 0;
}

static const char *ca_of(const struct config *c, const struct server_conf *server)
{
	return server->ca ? server->ca : c->ca;
}

static bool is_same_file(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The trust that an earlier server of these has loaded from the same file. */
static struct tls_trust *find_trust(const struct config *c, size_t count, const char *ca)
{
	for (size_t i = 0; i < count; i++) {
		const struct server_conf *earlier = &c->upstream.servers[i];

		if (is_same_file(ca_of(c, earlier), ca))
			return earlier->trust;
	}
	return NULL;
}

bool config_load_trust(struct config *c, FILE *err)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		struct server_conf *server = &c->upstream.servers[i];
		const char *ca = ca_of(c, server);
		struct fault fault = { 0 };

		server->trust = find_trust(c, i, ca);
		if (server->trust)
			continue;
		server->trust = tls_trust_load(ca, &fault);
		if (!server->trust) {
			fprintf(err, "%s%s: %s%s%s\n", server->ca ? "upstreams: " : "tls.ca",
				server->ca ? server->text : "", fault.reason, fault.hint ? "; " : "",
				fault.hint ? fault.hint : "");
			return false;
		}
	}
	return true;
}

static void clear_trust(struct config *c)
{
	for (size_t i = c->upstream.count; i-- > 0;) {
		struct server_conf *server = &c->upstream.servers[i];

		if (server->trust && !find_trust(c, i, ca_of(c, server)))
			tls_trust_free(server->trust);
		server->trust = NULL;
	}
}

void config_clear(struct config *c)
{
	clear_trust(c);
	acl_clear(&c->query.allow);
	memory_clear(&c->memory);
	*c = (struct config){ 0 };
}

/* Plain where no reader of YAML could take it for anything else, in quotes otherwise. */
static void print_scalar(const char *text, FILE *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "._/:#?=&+@%-";
	size_t len = strlen(text);
	bool is_plain = len > 0 && strspn(text, plain) == len && !strchr(":#?=&@%-", text[0]) &&
		text[len - 1] != ':' && strcmp(text, "null") != 0;

	if (is_plain) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_option(const struct config *c, const struct option *o, struct memory *m, FILE *out)
{
	const char *dot = strchr(o->key, '.');
	const char *indent = dot ? "  " : "";
	const char *text;

	fprintf(out, "%s%s:", indent, dot ? dot + 1 : o->key);
	for (size_t i = 0; (text = o->kind->text(c, o, i, m)); i++) {
		if (o->kind->most > 0)
			fprintf(out, "\n%s  -", indent);
		fputc(' ', out);
		print_scalar(text, out);
	}
	fputc('\n', out);
}

void config_print(const struct config *c, FILE *out)
{
	const struct option *before = NULL;
	struct memory m = { 0 };

	/* The options of a section are neighbours in the table. */
	for (const struct option *o = options; o->key; o++) {
		const char *dot = strchr(o->key, '.');
		size_t section = dot ? (size_t)(dot + 1 - o->key) : 0;

		if (dot && (!before || strncmp(before->key, o->key, section) != 0))
			fprintf(out, "%.*s:\n", (int)(section - 1), o->key);
		print_option(c, o, &m, out);
		before = o;
	}
	memory_clear(&m);
}
