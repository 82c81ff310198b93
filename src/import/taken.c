#include "import/taken.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "config/config.h"
#include "config/options.h"
#include "config/syntax.h"

bool taken_as_text(const char *text, char why[TAKEN_WHY])
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f) {
			snprintf(why, TAKEN_WHY, "there are control characters in it");
			return false;
		}
	}
	return true;
}

/* Without a source, problems say nothing but what is wrong. */
static struct node *node_of(const struct taken *t, struct memory *m)
{
	static const struct source nowhere = { .name = "" };
	const struct place place = { &nowhere, 0, 0 };
	struct node *list = syntax_node(m, NODE_LIST, place), **end = &list->first;

	for (size_t i = 0; i < t->count; i++) {
		*end = syntax_text(m, place, t->words[i], strlen(t->words[i]));
		end = &(*end)->next;
	}
	struct node *node = t->list ? list : list->first;

	if (t->entry)
		node->key = syntax_text(m, place, t->entry, strlen(t->entry));
	return node;
}

static void take(const struct taken *t, struct config *c, struct problems *problems)
{
	const struct config_option *o = options_find(t->key);

	MUST(o && t->count);
	struct setting s = kind_setting(c, o, problems);
	struct node *node = node_of(t, &c->memory);

	if (t->entry)
		kind_take_entry(&s, node);
	else
		kind_take(&s, node);
}

/* The first line of what was told, which is `: WHAT`. */
static void tell(const char *told, char why[TAKEN_WHY])
{
	const char *what = told + strspn(told, ": ");

	snprintf(why, TAKEN_WHY, "%.*s", (int)strcspn(what, "\n"), what);
}

bool taken(const struct taken *t, char why[TAKEN_WHY])
{
	char *told = NULL;
	size_t len;

	for (size_t i = 0; i < t->count; i++)
		if (!taken_as_text(t->words[i], why))
			return false;
	struct config *c = calloc(1, sizeof *c);
	struct problems problems = { .out = open_memstream(&told, &len) };

	if (!c || !problems.out)
		memory_out();
	take(t, c, &problems);
	if (fclose(problems.out) != 0)
		memory_out();
	if (problems.count)
		tell(told, why);
	free(told);
	config_clear(c);
	free(c);
	return !problems.count;
}
