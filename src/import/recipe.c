#include "import/recipe.h"

#include <ctype.h>
#include <search.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "config/print.h"
#include "config/problems.h"
#include "config/rules.h"
#include "dns/name.h"
#include "import/taken.h"

/* Of a line of the source, so much is shown. */
#define SHOWN 72

enum recipe_shape { VALUE, LIST, MAP, RULES };

/* What can be carried, in the order in which it is written. What has a dot is in a section, whose
 * keys stand side by side. */
static const struct recipe_key {
	const char *name;
	enum recipe_shape shape;
} keys[] = {
	{ "listen", LIST },
	{ "certificate", VALUE },
	{ "allow", LIST },
	{ "upstreams", LIST },
	{ "policy", VALUE },
	{ "zones", MAP },
	{ "bootstrap", LIST },
	{ "require", VALUE },
	{ "tls.ca", VALUE },
	{ "rules", RULES },
	{ "hosts", MAP },
	{ "hosts-files", LIST },
	{ "synthesized", MAP },
	{ "local.ttl", VALUE },
	{ "local.any", VALUE },
	{ "protect.rebinding", VALUE },
	{ "protect.rebinding-except", LIST },
	{ "protect.block-addresses", LIST },
	{ "protect.bogus-addresses", LIST },
	{ "dns64.prefix", VALUE },
	{ "workers", VALUE },
	{ "udp-size", VALUE },
	{ "cache.size", VALUE },
	{ "cache.ttl-min", VALUE },
	{ "cache.ttl-max", VALUE },
	{ "cache.ttl-negative", VALUE },
	{ "cache.stale", VALUE },
	{ "cache.prefetch", VALUE },
	{ "timeouts.query", VALUE },
	{ "timeouts.upstream-idle", VALUE },
	{ "timeouts.client-idle", VALUE },
	{ "limits.queries", VALUE },
	{ "limits.queries-per-client", VALUE },
	{ "limits.queries-per-second", VALUE },
	{ "log.level", VALUE },
	{ "control", VALUE },
	{ "state", VALUE },
};
#define KEYS (sizeof keys / sizeof *keys)

struct recipe_remark {
	struct recipe_remark *next;
	struct said said;
	const char *why;
};

void recipe_init(struct recipe *p, const char *source, FILE *err)
{
	*p = (struct recipe){ .source = source, .err = err };
	p->remarks_end = &p->remarks;
	p->entries = memory_take(&p->memory, KEYS * sizeof(struct recipe_entry *));
	p->last = memory_take(&p->memory, KEYS * sizeof(struct recipe_entry *));
}

static void keep(void *entry)
{
	(void)entry; /* it lives in the recipe's memory */
}

void recipe_clear(struct recipe *p)
{
	for (struct recipe_entry *e = recipe_entries(p, "rules"); e; e = e->next)
		recipe_empty(e);
	tdestroy(p->by_id, keep);
	memory_clear(&p->memory);
	*p = (struct recipe){ 0 };
}

/* ---- what is not carried ---- */

static void put_said(const struct said *said, FILE *out)
{
	size_t whole = strlen(said->text), len = whole > SHOWN ? SHOWN : whole;

	while (len > 0 && len < whole && (said->text[len] & 0xc0) == 0x80)
		len--; /* a character is shown whole, or not at all */
	problems_put(out, said->text, len);
	if (len < whole)
		fputs("...", out);
}

__attribute__((format(printf, 3, 0))) static void tell(
	const struct recipe *p, const struct said *said, const char *why, va_list args)
{
	fprintf(p->err, "%s:", p->source);
	if (said->line)
		fprintf(p->err, "%u:", said->line);
	fputc(' ', p->err);
	put_said(said, p->err);
	fputs(": ", p->err);
	vfprintf(p->err, why, args);
	fputc('\n', p->err);
}

void recipe_leave(struct recipe *p, const struct said *said, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	tell(p, said, why, args);
	va_end(args);
	p->left++;
}

void recipe_break(struct recipe *p, const struct said *said, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	tell(p, said, why, args);
	va_end(args);
	if (p->lenient)
		p->left++;
	else
		p->broken = true;
}

static struct said keep_said(struct recipe *p, const struct said *said)
{
	return (struct said){ said->line, memory_copy(&p->memory, said->text, strlen(said->text)) };
}

void recipe_remark(struct recipe *p, const struct said *said, const char *why)
{
	struct recipe_remark *r = memory_take(&p->memory, sizeof *r);

	*r = (struct recipe_remark){ NULL, keep_said(p, said), why };
	*p->remarks_end = r;
	p->remarks_end = &r->next;
}

/* ---- entries ---- */

static unsigned key_index(const char *name)
{
	unsigned i = 0;

	while (i < KEYS && strcmp(keys[i].name, name) != 0)
		i++;
	MUST(i < KEYS); /* readers name keys of the table */
	return i;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct recipe_entry *)a)->id, ((const struct recipe_entry *)b)->id);
}

static struct recipe_entry *find(struct recipe *p, const char *id)
{
	struct recipe_entry wanted = { .id = id };
	struct recipe_entry **found = tfind(&wanted, &p->by_id, compare_ids);

	return found ? *found : NULL;
}

/* The entry of that key, made if it is not there. */
static struct recipe_entry *entry(
	struct recipe *p, const struct said *said, const char *key, const char *id)
{
	unsigned i = key_index(key);
	const char *whole = memory_format(&p->memory, "%s\n%s", key, id);
	struct recipe_entry *e = find(p, whole);

	if (e)
		return e;
	e = memory_take(&p->memory, sizeof *e);
	e->id = whole;
	e->said = keep_said(p, said);
	if (!tsearch(e, &p->by_id, compare_ids))
		memory_out();
	if (p->last[i])
		p->last[i]->next = e;
	else
		p->entries[i] = e;
	p->last[i] = e;
	return e;
}

static void add_text(
	struct recipe *p, struct recipe_value **list, const char *text, const char *plain)
{
	while (*list && strcmp((*list)->text, text) != 0)
		list = &(*list)->next;
	if (*list)
		return;
	*list = memory_take(&p->memory, sizeof **list);
	(*list)->text = text;
	(*list)->plain = memory_copy(&p->memory, plain, strlen(plain));
}

static void add_value(struct recipe *p, struct recipe_value **list, const char *value)
{
	add_text(p, list, recipe_quote(p, value), value);
}

const char *recipe_quote(struct recipe *p, const char *text)
{
	char *made = NULL;
	size_t len;
	FILE *out = open_memstream(&made, &len);

	if (!out)
		memory_out();
	print_scalar(text, out);
	if (fclose(out) != 0)
		memory_out();
	const char *kept = memory_copy(&p->memory, made, len);
	free(made);
	return kept;
}

static bool is_taken(struct recipe *p, const struct said *said, const struct taken *t)
{
	char why[TAKEN_WHY];
	bool ok = taken(t, why);

	if (!ok)
		recipe_leave(p, said, "%s", why);
	return ok;
}

void recipe_set_yaml(struct recipe *p, const struct said *said, const char *key, const char *yaml)
{
	struct recipe_entry *e = entry(p, said, key, "");

	e->said = keep_said(p, said);
	e->values = NULL;
	add_text(p, &e->values, yaml, yaml);
}

void recipe_set(struct recipe *p, const struct said *said, const char *key, const char *value)
{
	if (is_taken(p, said, &(struct taken){ key, NULL, &value, 1, false }))
		recipe_set_yaml(p, said, key, recipe_quote(p, value));
}

/* Some must not meet, so they are asked about together: as many as LISTED_MAX, so that it does not
 * take long. */
#define LISTED_MAX 64
void recipe_add(struct recipe *p, const struct said *said, const char *key, const char *value)
{
	const char *words[LISTED_MAX];
	struct taken t = { key, NULL, words, 0, true };

	const struct recipe_entry *e = recipe_entries(p, key);

	if (find(p, memory_format(&p->memory, "%s\n%s", key, value)))
		return;
	for (; e && t.count < LISTED_MAX - 1; e = e->next)
		words[t.count++] = e->values->plain;
	words[t.count++] = value;
	if (is_taken(p, said, &t))
		add_value(p, &entry(p, said, key, value)->values, value);
}

const char *recipe_plain(struct recipe *p, const char *name)
{
	size_t len = strlen(name), slashes = 0;
	char *plain = memory_copy(&p->memory, name, len);

	for (char *c = plain; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while (len > 1 && slashes < len - 1 && name[len - 2 - slashes] == '\\')
		slashes++;
	if (len > 1 && name[len - 1] == '.' && slashes % 2 == 0)
		plain[len - 1] = '\0';
	return plain;
}

/* A group is no list. */
static bool is_group(const char *value)
{
	return strcmp(value, "default") == 0;
}

void recipe_put(struct recipe *p, const struct said *said, const char *key, const char *name,
	const char *value)
{
	struct taken t = { key, name, &value, 1, !is_group(value) };

	if (!is_taken(p, said, &t))
		return;
	name = recipe_plain(p, name);
	struct recipe_entry *e = entry(p, said, key, name);

	if (e->values && is_group(e->values->plain) != is_group(value)) {
		recipe_leave(p, said, "line %u says otherwise", e->said.line);
		return;
	}

	e->head = recipe_quote(p, name);
	e->name = memory_copy(&p->memory, name, strlen(name));
	add_value(p, &e->values, value);
}

bool recipe_has(struct recipe *p, const char *key, const char *name)
{
	return find(p, memory_format(&p->memory, "%s\n%s", key, recipe_plain(p, name)));
}

struct recipe_entry *recipe_entries(const struct recipe *p, const char *key)
{
	return p->entries[key_index(key)];
}

bool recipe_is_name(struct recipe *p, const struct said *said, const char *name)
{
	uint8_t wire[NAME_MAX_WIRE];

	const char *stray = rules_stray(name);

	if (!name_from_text(name, wire))
		recipe_leave(p, said, "\"%s\" is no domain name", name);
	else if (stray)
		recipe_leave(p, said, "\"%s\": %s", name, stray);
	else
		return true;
	return false;
}

bool recipe_is_zone(struct recipe *p, const struct said *said, const char *name)
{
	const char *group = "default";

	return is_taken(p, said, &(struct taken){ "zones", name, &group, 1, false });
}

/* ---- rules ---- */

static const char *rule_head(struct recipe *p, const struct recipe_rule *r)
{
	const char *types = !r->types   ? NULL
		: strchr(r->types, ',') ? memory_format(&p->memory, "type: [%s]", r->types)
					: memory_format(&p->memory, "type: %s", r->types);

	if (!r->kind)
		return types ? types : "";
	bool is_name = strcmp(r->kind, "exact") == 0 || strcmp(r->kind, "suffix") == 0 ||
		strcmp(r->kind, "below") == 0;

	return memory_format(&p->memory, "%s: %s%s%s", r->kind,
		recipe_quote(p, is_name ? recipe_plain(p, r->name) : r->name), types ? ", " : "",
		types ? types : "");
}

static const char *rule_id(struct recipe *p, const struct recipe_rule *r)
{
	return memory_format(&p->memory, "%s\n%s", rule_head(p, r), r->does);
}

struct recipe_entry *recipe_find_rule(struct recipe *p, const struct recipe_rule *r)
{
	return find(p, memory_format(&p->memory, "rules\n%s", rule_id(p, r)));
}

/* Why a record cannot stand beside those that the rule has; NULL: it can. */
static const char *why_not_beside(struct rrset *sets, struct rrset *one)
{
	struct rrset *last = one;

	while (last->next)
		last = last->next;
	last->next = sets;
	const char *clash = rrset_clash(one);

	last->next = NULL;
	return clash;
}

/* The same record twice is once. */
static bool takes_record(
	const struct recipe_entry *e, const struct recipe_rule *r, char why[RRSET_WHY])
{
	struct rrset *one = NULL;
	const char *clash = NULL;

	if (!rules_is_record(r->value, why))
		return false;
	if (e && e->sets && rrset_read(&one, r->value, 1, why) && one)
		clash = why_not_beside(e->sets, one);
	rrset_free(one);
	if (clash)
		snprintf(why, RRSET_WHY, "%s", clash);
	return !clash;
}

/* e: what is there of that rule; NULL: nothing. Only records may be several. */
static bool takes(const struct recipe_entry *e, const struct recipe_rule *r, char why[RRSET_WHY])
{
	struct pattern_conf pattern = { .text = r->name };

	if (!taken_as_text(r->value, why) || (r->kind && !taken_as_text(r->name, why)))
		return false;
	if (r->kind) {
		MUST(pattern_read_kind(r->kind, &pattern.kind));
		if (!rules_is_pattern(&pattern, why))
			return false;
	}
	if (strcmp(r->does, "answer") == 0)
		return takes_record(e, r, why);
	if (e && strcmp(e->values->plain, r->value) != 0) {
		snprintf(why, RRSET_WHY, "line %u says otherwise", e->said.line);
		return false;
	}
	snprintf(why, RRSET_WHY, "it leads to itself");
	return strcmp(r->does, "cname") != 0 || !r->kind ||
		!rules_leads_to_itself(&pattern, ACT_CNAME, r->value);
}

bool recipe_takes(struct recipe *p, const struct said *said, const struct recipe_rule *r)
{
	char why[RRSET_WHY];
	bool ok = takes(NULL, r, why);

	if (!ok)
		recipe_leave(p, said, "%s", why);
	return ok;
}

void recipe_empty(struct recipe_entry *e)
{
	rrset_free(e->sets);
	e->sets = NULL;
	e->values = NULL;
}

struct recipe_entry *recipe_rule(
	struct recipe *p, const struct said *said, const struct recipe_rule *r)
{
	struct recipe_entry *e = recipe_find_rule(p, r);
	bool answers = strcmp(r->does, "answer") == 0;
	char why[RRSET_WHY];

	if (!takes(e, r, why)) {
		recipe_leave(p, said, "%s", why);
		return NULL;
	}
	e = entry(p, said, "rules", rule_id(p, r));
	if (answers && !rrset_read(&e->sets, r->value, 1, why)) {
		recipe_leave(p, said, "%s", why);
		return NULL;
	}
	e->head = rule_head(p, r);
	e->does = r->does;
	if (r->ttl)
		e->tail = memory_format(&p->memory, "ttl: %s", r->ttl);
	add_value(p, &e->values, r->value);
	return e;
}

void recipe_except(struct recipe *p, struct recipe_entry *e, const char *pattern)
{
	add_value(p, &e->except, pattern);
}

/* ---- writing ---- */

static void put_list(const struct recipe_value *v, FILE *out)
{
	const char *between = "";

	fputc('[', out);
	for (; v; v = v->next, between = ", ")
		fprintf(out, "%s%s", between, v->text);
	fputc(']', out);
}

static void put_rule(const struct recipe_entry *e, FILE *out)
{
	fprintf(out, "{ %s%s%s: ", e->head, *e->head ? ", " : "", e->does);
	if (e->values->next)
		put_list(e->values, out);
	else
		fputs(e->values->text, out);
	if (e->except) {
		fputs(", except: ", out);
		put_list(e->except, out);
	}
	fprintf(out, "%s%s }", e->tail ? ", " : "", e->tail ? e->tail : "");
}

static void put_source(const struct said *said, FILE *out)
{
	fputs(" # ", out);
	if (said->line)
		fprintf(out, "line %u: ", said->line);
	put_said(said, out);
	fputc('\n', out);
}

static void put_entry(
	const struct recipe_entry *e, enum recipe_shape shape, const char *indent, FILE *out)
{
	fputs(indent, out);
	if (shape == MAP) {
		fprintf(out, "%s: ", e->head);
		if (is_group(e->values->plain))
			fputs(e->values->text, out);
		else
			put_list(e->values, out);
	} else {
		fputs("- ", out);
		if (shape == RULES)
			put_rule(e, out);
		else
			fputs(e->values->text, out);
	}
	put_source(&e->said, out);
}

/* The key by its last part; `section` is the one before, whose head need not be written again. */
static const char *put_key(const char *name, const char *section, FILE *out)
{
	const char *dot = strchr(name, '.');

	if (!dot) {
		fprintf(out, "%s:", name);
		return NULL;
	}
	if (!section || strncmp(section, name, (size_t)(dot - name) + 1) != 0)
		fprintf(out, "%.*s:\n", (int)(dot - name), name);
	fprintf(out, "  %s:", dot + 1);
	return name;
}

static void put_keys(const struct recipe *p, FILE *out)
{
	const char *section = NULL;

	for (unsigned i = 0; i < KEYS; i++) {
		const struct recipe_entry *e = p->entries[i];

		if (!e)
			continue;
		section = put_key(keys[i].name, section, out);
		if (keys[i].shape == VALUE) {
			fprintf(out, " %s", e->values->text);
			put_source(&e->said, out);
			continue;
		}
		fputc('\n', out);
		for (; e; e = e->next)
			put_entry(e, keys[i].shape, section ? "    " : "  ", out);
	}
}

void recipe_print(struct recipe *p, FILE *out)
{
	fputs("# of ", out);
	problems_put(out, p->source, strlen(p->source));
	fputc('\n', out);
	for (const struct recipe_remark *r = p->remarks; r; r = r->next) {
		fputs("# ", out);
		if (r->said.line)
			fprintf(out, "line %u: ", r->said.line);
		put_said(&r->said, out);
		fprintf(out, ": %s\n", r->why);
	}
	put_keys(p, out);
}
