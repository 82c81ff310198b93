/* recipe: a configuration of ours in the making, out of what another program was told.
 *
 * Readers put in what they can carry, each with the line that said so; what they cannot, they
 * leave, which is told at once. The recipe is then written as YAML: the same for the same text.
 */
#ifndef IMPORT_RECIPE_H
#define IMPORT_RECIPE_H

#include "config/memory.h"

#include <stdbool.h>
#include <stdio.h>

/* What the source says, and where. Line 0: nowhere, it follows from what it does not say. */
struct said {
	unsigned line;
	const char *text;
};

struct recipe_value {
	struct recipe_value *next;
	const char *text; /* as YAML */
	const char *plain; /* the same unquoted */
};

/* A value of a key, an entry of a map, or a rule. */
struct recipe_entry {
	struct recipe_entry *next;
	struct said said;
	const char *id; /* no other of the same key has it */
	const char *head; /* of a map: its key; of a rule: what it is about. As YAML */
	const char *tail; /* of a rule: what stands at its end; NULL: nothing */
	const char *name; /* of a map: its key, unquoted */
	const char *does; /* of a rule: the key of its values */
	struct recipe_value *values, *except;
	struct rrset *sets; /* of a rule that answers: its records; owned */
};

struct recipe_remark;
struct recipe {
	struct memory memory;
	const char *source; /* name of the file, for people */
	FILE *err; /* told what is left */
	bool lenient; /* what is no part of the format is left, and does not spoil all of it */
	bool broken; /* it is not of this format: there is nothing to be written */
	unsigned left; /* of what was said, could not be carried */
	void *state; /* the reader's */
	struct said clear; /* the first public upstream in clear; text NULL: there is none */
	struct recipe_remark *remarks, **remarks_end;
	struct recipe_entry **entries, **last; /* first and last of each key */
	void *by_id; /* tree of entries */
};

void recipe_init(struct recipe *, const char *source, FILE *err);
void recipe_clear(struct recipe *);

/* Tells that it is not carried, and why. */
void recipe_leave(struct recipe *, const struct said *, const char *why, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of what makes the whole source useless. */
void recipe_break(struct recipe *, const struct said *, const char *why, ...)
	__attribute__((format(printf, 3, 4)));
/* Nothing need be carried, for this reason, which becomes a comment. */
void recipe_remark(struct recipe *, const struct said *, const char *why);

/* Sets a key, as "cache.size"; the last one holds. */
void recipe_set(struct recipe *, const struct said *, const char *key, const char *value);
/* The same of a value that is YAML already. */
void recipe_set_yaml(struct recipe *, const struct said *, const char *key, const char *yaml);
/* Adds to a list; twice the same is once. Here and below, what the configuration would not take is
 * left. */
void recipe_add(struct recipe *, const struct said *, const char *key, const char *value);
/* Adds to the list of an entry of a map. */
void recipe_put(struct recipe *, const struct said *, const char *key, const char *entry,
	const char *value);

/* A rule. Those that are alike but for their value become one with several. */
struct recipe_rule {
	const char *kind, *name; /* a key of patterns, and its text; kind NULL: every name */
	const char *types; /* "A", "A, AAAA"; NULL: all */
	const char *does, *value; /* a key of what is done, and its value, unquoted */
	const char *ttl; /* NULL: as usual */
};
/* NULL: the configuration would not take it, so it is left. */
struct recipe_entry *recipe_rule(struct recipe *, const struct said *, const struct recipe_rule *);
/* Would it take a rule that says this alone? Else it is left. */
bool recipe_takes(struct recipe *, const struct said *, const struct recipe_rule *);
/* Forgets the values of a rule, which is to have others. */
void recipe_empty(struct recipe_entry *);
/* The one that it would become part of; NULL: none. */
struct recipe_entry *recipe_find_rule(struct recipe *, const struct recipe_rule *);
/* The rule does not hold there; a pattern, unquoted. */
void recipe_except(struct recipe *, struct recipe_entry *, const char *pattern);
/* Does a map have that entry? */
bool recipe_has(struct recipe *, const char *key, const char *entry);
/* The entries of a key, in order. */
struct recipe_entry *recipe_entries(const struct recipe *, const char *key);

/* A name in its one spelling: in small letters, without its last dot. */
const char *recipe_plain(struct recipe *, const char *name);

/* As a YAML scalar, in quotes if need be. */
const char *recipe_quote(struct recipe *, const char *text);
/* Can it be a domain name, or a key of `zones`? Else it is left. */
bool recipe_is_name(struct recipe *, const struct said *, const char *name);
bool recipe_is_zone(struct recipe *, const struct said *, const char *name);

/* Writes what there is. */
void recipe_print(struct recipe *, FILE *out);

#endif
