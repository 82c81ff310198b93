/* dnschef: an INI file with a section for each type of record, `pattern=value`.
 *
 * Only questions of that type are answered so; what else is asked of the name goes upstream. */
#include <ctype.h>
#include <string.h>

#include "dns/types.h"
#include "import/import.h"
#include "import/lines.h"
#include "import/servers.h"
#include "net/addr.h"

/* How a value is written. */
static const struct chef_type {
	const char *name;
	unsigned fields; /* exactly so many, between single blanks; 0: a text */
	unsigned quoted; /* bits: the field is a character string */
} types[] = {
	{ "A", 1, 0 },
	{ "AAAA", 1, 0 },
	{ "MX", 1, 0 },
	{ "NS", 1, 0 },
	{ "CNAME", 1, 0 },
	{ "PTR", 1, 0 },
	{ "TXT", 0, 0 },
	{ "SOA", 7, 0 },
	{ "NAPTR", 6, 1U << 2 | 1U << 3 | 1U << 4 },
	{ "SRV", 4, 0 },
	{ "DNSKEY", 4, 0 },
	{ "RRSIG", 9, 0 },
};

static const struct chef_type *find_type(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

static const char *string_field(struct recipe *p, const char *text, size_t len)
{
	char *quoted = memory_take(&p->memory, 2 * len + 3), *to = quoted;

	*to++ = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*to++ = '\\';
		*to++ = text[i];
	}
	*to = '"';
	return quoted;
}

/* A text as character strings of at most 255 octets. */
static const char *text_record(struct recipe *p, const char *text)
{
	const char *record = "TXT";

	do {
		size_t len = strlen(text) > 255 ? 255 : strlen(text);

		record = memory_format(&p->memory, "%s %s", record, string_field(p, text, len));
		text += len;
	} while (*text);
	return record;
}

static bool is_address(const char *type, const char *text)
{
	struct addr a;

	if (strcmp(type, "A") != 0 && strcmp(type, "AAAA") != 0)
		return true;
	return addr_parse(&a, text, PORT_DNS) && addr_port(&a) == PORT_DNS && *text != '[' &&
		(a.any.sa_family == AF_INET) == (strcmp(type, "A") == 0);
}

/* The record as a zone file has it; NULL: it is left. */
static const char *record(
	struct recipe *p, const struct said *said, const struct chef_type *type, const char *value)
{
	char *rest = memory_copy(&p->memory, value, strlen(value)), *field;
	const char *text = strcmp(type->name, "MX") == 0 ? "MX 10" : type->name;
	unsigned count = 0;

	if (!type->fields)
		return text_record(p, value);
	while ((field = lines_part(&rest, " "))) {
		bool quoted = count < type->fields && type->quoted >> count & 1;

		text = memory_format(&p->memory, "%s %s", text,
			quoted ? string_field(p, field, strlen(field)) : field);
		count += *field || quoted;
	}
	if (count == type->fields && is_address(type->name, value))
		return text;
	recipe_leave(p, said, "not a value of type %s, which has %u field%s", type->name,
		type->fields, type->fields == 1 ? "" : "s");
	return NULL;
}

void dnschef_add(struct recipe *p, const struct said *said, const struct dnschef_fake *fake)
{
	const struct chef_type *type = find_type(fake->type);
	const char *text = record(p, said, type, fake->value);
	struct recipe_rule rule = { fake->pattern ? "dnschef" : NULL, fake->pattern, type->name,
		"answer", text, "0s" };

	if (!text || !recipe_takes(p, said, &rule))
		return;
	struct recipe_entry *before = recipe_find_rule(p, &rule);

	if (before) {
		if (said->line) /* a command line wins over a file in silence */
			recipe_leave(p, &before->said, "said again in line %u, which is what holds",
				said->line);
		recipe_empty(before);
		before->said.line = said->line;
		before->said.text = memory_copy(&p->memory, said->text, strlen(said->text));
	}
	struct recipe_entry *e = recipe_rule(p, said, &rule);

	for (const char *const *except = fake->except; e && except && *except; except++)
		recipe_except(p, e, memory_format(&p->memory, "dnschef:%s", *except));
}

void dnschef_add_servers(struct recipe *p, const struct said *said, char *servers)
{
	for (char *one; (one = lines_part(&servers, ","));) {
		struct server_said s = { .scheme = "udp" };
		char *host = lines_part(&one, "#"), *port = lines_part(&one, "#");
		char *scheme = lines_part(&one, "#");

		s.host = host;
		s.port = port && *port ? port : NULL;
		if (scheme)
			s.scheme = scheme;
		server_add(p, said, &s, NULL);
	}
	servers_end(p);
}

/* [TYPE]; NULL: there is no such section, and what is in it is left. */
static const struct chef_type *read_section(struct recipe *p, const struct said *said, char *text)
{
	char *end = strchr(text, ']');
	const struct chef_type *type = NULL;

	if (end) {
		*end = '\0';
		type = find_type(text + 1);
	}
	if (!type)
		recipe_break(p, said, "no section of dnschef");
	return type;
}

static void read_pair(
	struct recipe *p, const struct said *said, const struct chef_type *type, char *text)
{
	char *value = text + strcspn(text, "=:");

	if (!*value) {
		recipe_break(p, said, "neither a section nor pattern=value");
		return;
	}
	*value++ = '\0';
	text = lines_trim(text);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!type)
		recipe_leave(p, said, "in no section that is known");
	else
		dnschef_add(p, said,
			&(struct dnschef_fake){
				.type = type->name, .pattern = text, .value = lines_trim(value) });
}

void dnschef_read(struct recipe *p, struct span text)
{
	struct lines l = { .recipe = p, .rest = text, .comment = "#;", .comment_behind = ";" };
	const struct chef_type *type = NULL;

	while (lines_next(&l)) {
		if (*l.text == '[')
			type = read_section(p, &l.said, l.text);
		else
			read_pair(p, &l.said, type, l.text);
	}
}
