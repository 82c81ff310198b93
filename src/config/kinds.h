/* kinds: how the value of an option is read, checked and written. */
#ifndef CONFIG_KINDS_H
#define CONFIG_KINDS_H

#include "config/config.h"
#include "config/options.h"
#include "config/syntax.h"
#include "config/values.h"

/* One value on its way into the configuration. */
struct setting {
	struct config *config;
	const struct option *option;
	struct problems *problems;
};

struct kind {
	const char *name; /* for the documentation */
	const char *form; /* what a value must be: "VALUE is not FORM" */

	/* Takes one value, or one element of a list; node is NODE_TEXT, path its key. Tells what is
	 * wrong. */
	void (*take)(const struct setting *, const struct node *node, const char *path);
	/* The value, or the element of a list at index; NULL: it has no more. Lives in the memory. */
	const char *(*text)(const struct config *, const struct option *, size_t index,
		struct memory *);

	/* Of a number: its spelling. */
	bool (*read)(const char *text, uint64_t *);
	const char *(*print)(uint64_t, char text[VALUE_TEXT]);

	/* Of a list: the most elements, and what makes room for count of them, none there yet. */
	size_t most;
	void (*begin)(struct config *, size_t count);
};

extern const struct kind kind_workers, kind_ca, kind_level, kind_size, kind_duration, kind_count;
extern const struct kind kind_listen, kind_allow, kind_upstreams; /* lists.c */

/* Takes a whole value: a list or its only element where the kind is a list, one value otherwise. */
void kind_take(const struct setting *, const struct node *);

/* Tells that the text of a node is not of the kind's form. */
void kind_tell_form(const struct setting *, const struct node *, const char *path);

/* What a value must be, with the range of a number. */
void kind_print_form(const struct option *, FILE *);

#endif
