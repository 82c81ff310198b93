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
	struct problems *problems;
	const struct config_option *option; /* whose value it is, or is part of */
	const struct kind *kind; /* the option's, or that of the part */
	const char *path; /* the whole key, as it is said in problems */
	void *field; /* where the value goes */
};

struct kind {
	const char *name; /* for the documentation */
	const char *form; /* what a value must be: "NAME is not FORM" */
	size_t most; /* elements of a list, entries of a map; 0: one value */
	bool may_be_empty; /* a list */
	const char *const
		*words; /* what may be chosen from, up to NULL, where the kind is a choice */
	/* Of a list: makes room for so many elements, none of them there yet. */
	void (*begin)(const struct setting *, size_t count);
	/* Takes one value, or one element: NODE_TEXT. Tells what is wrong. */
	void (*take)(const struct setting *, const struct node *);
	/* Of a map: takes one entry, any node with a key. Tells what is wrong. */
	void (*take_entry)(const struct setting *, const struct node *);
	/* Takes a whole value, whatever kind of node that is, in place of all that was said before;
	 * where none of the above does. Tells what is wrong. */
	void (*take_whole)(const struct setting *, const struct node *);
	/* The value; of a list, the element at index. NULL: it has no more. Lives in the memory.
	 * Where an option has an offset, it counts from what is given in the place of the
	 * configuration (parts.h). */
	const char *(*text)(
		const struct config *, const struct config_option *, size_t index, struct memory *);
	/* Of a map, and of what is taken whole: writes all of it as YAML, from behind its colon on.
	 */
	void (*print)(const struct config *, FILE *);
};

/* endpoints.c */
extern const struct kind kind_listen;
/* certificates.c */
extern const struct kind kind_certificate;
extern const struct kind kind_allow, kind_proxies, kind_workers, kind_ca, kind_level, kind_policy,
	kind_require, kind_flag, kind_state, kind_size, kind_duration, kind_count, kind_clock,
	kind_control, kind_sandbox, kind_file, kind_any, kind_per, kind_format, kind_why_blocked;
/* servers.c */
extern const struct kind kind_upstreams, kind_bootstrap;
/* routes.c */
extern const struct kind kind_groups, kind_zones, kind_domains;
/* rules.c */
extern const struct kind kind_rules, kind_action;
/* rule_words.c */
extern const struct kind kind_name, kind_pattern, kind_except, kind_types, kind_clients,
	kind_prefixes, kind_words, kind_names, kind_files, kind_priority, kind_ede, kind_text,
	kind_records, kind_a, kind_aaaa, kind_addresses, kind_target, kind_chance, kind_translation,
	kind_macs, kind_cpe_ids;
/* told.c */
extern const struct kind kind_dump, kind_what, kind_socket, kind_event;
/* lists.c */
extern const struct kind kind_lists;
/* local.c */
extern const struct kind kind_hosts, kind_zone_files, kind_leases_files, kind_synthesized;
/* views.c */
extern const struct kind kind_views;

/* The value of an option as a whole. */
struct setting kind_setting(struct config *, const struct config_option *, struct problems *);
/* Takes a whole value: one for each kind; a list or one element where the kind is a list; a map. */
void kind_take(const struct setting *, const struct node *);
/* Takes one entry of a map, whose setting this is; the node has a key. */
void kind_take_entry(const struct setting *, const struct node *);
/* "NAME is not FORM". */
void kind_tell_form(const struct setting *, const struct node *);

/* The kind's name and, of numbers, the range. */
void kind_print_range(const struct config_option *, FILE *);

#endif
