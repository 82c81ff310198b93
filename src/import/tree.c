#include "import/tree.h"

#include <string.h>

const char *tree_text(const struct node *map, const char *key)
{
	if (map->kind != NODE_MAP)
		return NULL;
	for (const struct node *n = map->first; n; n = n->next)
		if (n->kind == NODE_TEXT && strcmp(n->key->text, key) == 0)
			return n->text;
	return NULL;
}

static char *copy(struct recipe *p, const char *text)
{
	return memory_copy(&p->memory, text, strlen(text));
}

/* A scalar is a list of one. */
static void take_texts(
	struct recipe *p, const struct said *key, const struct tree_word *w, const struct node *n)
{
	if (n->kind == NODE_MAP)
		recipe_leave(p, key, "a map, where values are looked for");
	else if (n->kind == NODE_TEXT)
		w->take(p,
			&(struct said){ key->line,
				memory_format(&p->memory, "%s: %s", key->text, n->text) },
			copy(p, n->text));
	else if (n->kind == NODE_LIST)
		for (const struct node *item = n->first; item; item = item->next)
			take_texts(p, &(struct said){ item->place.line, key->text }, w, item);
}

static void take_maps(
	struct recipe *p, const struct said *key, const struct tree_word *w, const struct node *n)
{
	if (n->kind == NODE_MAP)
		w->take_map(p, key, n);
	else if (n->kind == NODE_LIST)
		for (const struct node *item = n->first; item; item = item->next)
			w->take_map(p, &(struct said){ item->place.line, key->text }, item);
	else
		recipe_leave(p, key, "no map, nor a list of maps");
}

static void take_key(struct recipe *p, const struct tree_word *words, const struct node *n)
{
	const struct tree_word *w = words;
	struct said said = { n->key->place.line, n->key->text };

	while (w->name && strcmp(w->name, n->key->text) != 0)
		w++;
	if (!w->name)
		recipe_leave(p, &said, "not known");
	else if (w->take)
		take_texts(p, &said, w, n);
	else if (w->take_map)
		take_maps(p, &said, w, n);
	else if (w->left)
		recipe_leave(p, &said, "%s", w->left);
	else
		recipe_remark(p, &said, w->moot);
}

void tree_read(struct recipe *p, struct span text, const struct tree_word *words)
{
	struct problems problems = { .out = p->err };
	const struct source source = {
		.name = p->source, .text = (const char *)text.at, .len = text.len
	};
	const struct node *root =
		syntax_read(&source, (const char *)text.at, text.len, &p->memory, &problems);

	if (!root || problems.count) {
		p->broken = true;
		return;
	}
	if (root->kind == NODE_MAP)
		for (const struct node *n = root->first; n; n = n->next)
			take_key(p, words, n);
	else if (root->kind != NODE_NOTHING)
		recipe_break(p, &(struct said){ 1, node_kind_name(root->kind) }, "no map of keys");
}
