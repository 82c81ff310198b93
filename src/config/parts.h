/* parts: a value that is a map of parts, each with a kind of its own: a rule, a list, a view.
 *
 * A table of options says which parts there are, up to one without a key; their offsets count from
 * the beginning of the struct that all of them go into.
 */
#ifndef CONFIG_PARTS_H
#define CONFIG_PARTS_H

#include "config/kinds.h"

/* A row of such a table, but for what is special about it. */
#define PART(type, name, how, member)                                                              \
	.key = name, .kind = &how, .offset = offsetof(type, member),                               \
	.width = sizeof(((type *)NULL)->member)

/* The setting of a part of a value. */
struct setting parts_setting(
	const struct setting *, const struct kind *, const char *path, void *field);

/* Gives each part its standard, where it has one. */
void parts_begin(const struct setting *, const struct config_option *table, void *base);
/* Takes the parts that a map names; others stay as they are. Tells what is wrong. */
void parts_take(const struct setting *, const struct config_option *table, void *base,
	const struct node *map);
/* Writes `{ key: value, key: [value, value] }` of all that is not as the table's standards are. */
void parts_print(const void *base, const struct config_option *table, FILE *);

/* The entry of a map with that key. NULL: there is none. */
const struct node *parts_find(const struct node *map, const char *key);

/* Appends a word, which is borrowed. */
void words_add(struct memory *, struct word_list *, const char *word);
bool words_have(const struct word_list *, const char *word);
/* Writes `[word, word]`. */
void words_print(const struct word_list *, FILE *);

#endif
