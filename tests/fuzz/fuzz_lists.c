/* Lists: the first octet is the form. What is taken are names and prefixes that can be asked for,
 * what is refused has a reason that can be shown; names of plain entries, written as a list of
 * domains, are the same entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rules/lists.h"

/* Of how many entries the second reading is compared. */
#define KEPT 64

struct taken {
	unsigned count, line;
	size_t kept;
	struct {
		enum pattern_kind kind;
		size_t len;
		uint8_t name[NAME_MAX_WIRE];
	} of[KEPT];
};

static void is_name(const struct span *name)
{
	uint8_t lower[NAME_MAX_WIRE];

	HOLDS(name->len > 0 && name->len <= NAME_MAX_WIRE);
	HOLDS(name_len(*name, 0) == name->len);
	memcpy(lower, name->at, name->len);
	name_lower(lower, name->len);
	HOLDS(memcmp(lower, name->at, name->len) == 0);
}

static void is_done(const struct list_entry *e)
{
	uint8_t target[NAME_MAX_WIRE];

	HOLDS((e->act == ACT_CNAME) == (e->target != NULL));
	HOLDS((e->act == ACT_ANSWER) == (e->sets != NULL));
	HOLDS(!e->target || name_from_text(e->target, target) > 0);
	for (const struct rrset *set = e->sets; set; set = set->next)
		HOLDS(set->count > 0 && set->first);
}

static bool take(void *arg, const struct list_entry *e)
{
	struct taken *t = arg;

	t->count++;
	HOLDS(e->line > 0 && e->line >= t->line);
	t->line = e->line;
	if (e->has_act)
		is_done(e);
	if (e->addresses) {
		HOLDS(e->addresses->bits <= 128);
		return true;
	}
	HOLDS((e->kind == PATTERN_GLOB) == (e->glob != NULL));
	if (e->glob) {
		HOLDS(strchr(e->glob, '*'));
		return true;
	}
	HOLDS(e->kind <= PATTERN_BELOW);
	is_name(&e->name);
	if (!e->has_act && e->kind != PATTERN_EXACT && e->name.len > 1 && t->kept < KEPT) {
		t->of[t->kept].kind = e->kind;
		t->of[t->kept].len = e->name.len;
		memcpy(t->of[t->kept++].name, e->name.at, e->name.len);
	}
	return true;
}

static void is_shown(const char *why)
{
	HOLDS(*why);
	for (; *why; why++)
		HOLDS(*why >= ' ' && *why < 0x7f);
}

static void compare(const struct taken *a, const struct taken *b)
{
	HOLDS(a->kept == b->kept && b->count == b->kept);
	for (size_t i = 0; i < a->kept; i++) {
		HOLDS(a->of[i].kind == b->of[i].kind && a->of[i].len == b->of[i].len);
		HOLDS(memcmp(a->of[i].name, b->of[i].name, a->of[i].len) == 0);
	}
}

static void read_back(const struct taken *t)
{
	struct taken again = { 0 };
	struct list_report report;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	HOLDS(out);
	for (size_t i = 0; i < t->kept; i++) {
		char name[NAME_TEXT];

		fprintf(out, "%s%s\n", t->of[i].kind == PATTERN_BELOW ? "*." : "",
			name_to_text(t->of[i].name, name));
	}
	fclose(out);
	HOLDS(list_read_text(
		(struct span){ (uint8_t *)text, len }, LIST_DOMAINS, take, &again, &report));
	compare(t, &again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct taken taken;
	struct list_report report;

	if (len == 0)
		return 0;
	taken = (struct taken){ 0 };
	enum list_format format = data[0] % (LIST_RPZ + 1);
	bool ok = list_read_text((struct span){ data + 1, len - 1 }, format, take, &taken, &report);

	HOLDS(taken.count == report.entries);
	HOLDS(format == LIST_AUTO || report.format == format);
	HOLDS((report.ignored > 0) == (report.ignored_why != NULL));
	HOLDS(ok == !*report.why);
	if (!ok)
		is_shown(report.why);
	read_back(&taken);
	return 0;
}
