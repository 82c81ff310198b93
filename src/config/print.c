#include "config/print.h"

#include <string.h>

#include "config/options.h"

/* Does YAML take it for nothing but itself? */
static bool is_plain(const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-_";

	return *text && *text != '-' && strcmp(text, "null") != 0 &&
		text[strspn(text, plain)] == '\0';
}

void print_scalar(const char *text, FILE *out)
{
	if (is_plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			fprintf(out, "\\x%02x", (unsigned)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void print_list(const struct config *c, const struct config_option *o, FILE *out)
{
	struct memory m = { NULL };
	const char *text;

	fputs(" [", out);
	for (size_t i = 0; (text = o->kind->text(c, o, i, &m)); i++) {
		fputs(i > 0 ? ", " : "", out);
		print_scalar(text, out);
	}
	fputs("]\n", out);
	memory_clear(&m);
}

static void print_value(const struct config *c, const struct config_option *o, FILE *out)
{
	struct memory m = { NULL };

	fputc(' ', out);
	print_scalar(o->kind->text(c, o, 0, &m), out);
	fputc('\n', out);
	memory_clear(&m);
}

void print_option(
	const struct config *c, const struct config_option *o, const char *name, FILE *out)
{
	fprintf(out, "%s:", name);
	if (o->kind->print)
		o->kind->print(c, out);
	else if (o->kind->most > 0)
		print_list(c, o, out);
	else
		print_value(c, o, out);
}

/* What of files there is, if they were read. */
static void print_loaded(const struct config *c, FILE *out)
{
	struct ruleset_count n;

	if (!c->ruled.set)
		return;
	ruleset_count(c->ruled.set, &n);
	if (n.rules || n.list_entries || c->rules.file_count)
		fprintf(out, "# rules: %zu, names: %zu, entries of lists: %zu\n", n.rules, n.names,
			n.list_entries);
}

/* What a reader should not overlook. */
static void print_warnings(const struct config *c, FILE *out)
{
	for (size_t i = 0; i < c->upstream.count; i++) {
		const struct server_conf *s = &c->upstream.servers[i];

		if (s->scheme != SCHEME_TLS)
			fprintf(out, "# in clear: %s\n", s->text);
		else if (s->opportunistic)
			fprintf(out, "# encrypted, but unverified: %s\n", s->text);
	}
}

void config_print(const struct config *c, FILE *out)
{
	const char *section = "";
	size_t len = 0;

	print_warnings(c, out);
	print_loaded(c, out);
	for (const struct config_option *o = options; o->key; o++) {
		const char *dot = strchr(o->key, '.');

		if (!dot) {
			print_option(c, o, o->key, out);
			continue;
		}
		if (len != (size_t)(dot - o->key) || strncmp(section, o->key, len) != 0) {
			section = o->key;
			len = (size_t)(dot - o->key);
			fprintf(out, "%.*s:\n", (int)len, section);
		}
		fputs("  ", out);
		print_option(c, o, dot + 1, out);
	}
}
