/* tree: YAML, or JSON, of another program, by the keys that its format knows. */
#ifndef IMPORT_TREE_H
#define IMPORT_TREE_H

#include "base/span.h"
#include "config/syntax.h"
#include "import/recipe.h"

struct tree_word {
	const char *name;
	/* Gets the texts of the key: one of a scalar, all of a list, which may be empty. */
	void (*take)(struct recipe *, const struct said *, char *value);
	void (*take_map)(struct recipe *, const struct said *, const struct node *); /* or maps */
	const char *left, *moot; /* instead, as in lines.h */
};

/* Does what each key is for; one that is not in the list (which ends with no name) is left. What
 * is no YAML breaks the recipe, which is told. */
void tree_read(struct recipe *, struct span text, const struct tree_word *);

/* The text of an entry of a map; NULL: it has none. */
const char *tree_text(const struct node *map, const char *key);

#endif
