/* kinds: how the value of an option is read, checked and written. */
#ifndef CONFIG_KINDS_H
#define CONFIG_KINDS_H

#include "config/config.h"
#include "config/syntax.h"

struct kind;

/* One row of the table in options.c. */
struct config_option {
	const char *key; /* dotted: section.name, or name */
	const struct kind *kind;
	size_t offset, width; /* of the field in struct config, where the kind is a number */
	const char *standard; /* the default, as it would be written in a variable */
	uint64_t min, max; /* where the kind is a number */
	const char *help;
};

/* One value on its way into the configuration. */
struct setting {
	struct config *config;
	const struct config_option *option;
	struct problems *problems;
};

struct kind {
	const char *name; /* for the documentation */
	const char *form; /* what a value must be: "NAME is not FORM" */
	size_t most; /* elements, where the kind is a list; 0: one value */
	/* Of a list: makes room for so many elements, none of them there yet. */
	void (*begin)(struct config *, size_t count);
	/* Takes one value, or one element; node is NODE_TEXT, path its key. Tells what is wrong. */
	void (*take)(const struct setting *, const struct node *node, const char *path);
	/* The value; of a list, the element at index. NULL: it has no more. Lives in the memory. */
	const char *(*text)(
		const struct config *, const struct config_option *, size_t index, struct memory *);
};

extern const struct kind kind_listen, kind_allow, kind_upstreams, kind_workers, kind_ca, kind_level,
	kind_size, kind_duration, kind_count, kind_clock;

/* Takes a whole value: one for each kind, a list or one element where the kind is a list. */
void kind_take(const struct setting *, const struct node *);

/* The kind's name and, of numbers, the range. */
void kind_print_range(const struct config_option *, FILE *);

#endif
