/* plan: a configuration of ours in the making, out of what another program was told.
 *
 * Readers put in what they can carry, each with the line that said so; what they cannot, they
 * leave, which is told at once. The plan is then written as YAML: the same for the same text.
 */
#ifndef IMPORT_PLAN_H
#define IMPORT_PLAN_H

#include "config/memory.h"

#include <stdbool.h>
#include <stdio.h>

/* What the source says, and where. Line 0: nowhere, it follows from what it does not say. */
struct said {
	unsigned line;
	const char *text;
};

struct plan_value {
	struct plan_value *next;
	const char *text; /* as YAML */
};

/* A value of a key, an entry of a map, or a rule. */
struct plan_entry {
	struct plan_entry *next;
	struct said said;
	const char *id; /* no other of the same key has it */
	const char *head; /* of a map: its key; of a rule: what it is about. As YAML */
	const char *tail; /* of a rule: what stands at its end; NULL: nothing */
	const char *name; /* of a map: its key, unquoted */
	const char *does; /* of a rule: the key of its values */
	struct plan_value *values, *except;
};

struct plan_remark;
struct plan {
	struct memory memory;
	const char *source; /* name of the file, for people */
	FILE *err; /* told what is left */
	bool lenient; /* what is no part of the format is left, and does not spoil all of it */
	bool broken; /* it is not of this format: there is nothing to be written */
	unsigned left; /* of what was said, could not be carried */
	void *state; /* the reader's */
	struct said clear; /* the first public upstream in clear; text NULL: there is none */
	struct plan_remark *remarks, **remarks_end;
	struct plan_entry **entries, **last; /* first and last of each key */
	void *by_id; /* tree of entries */
};

void plan_init(struct plan *, const char *source, FILE *err);
void plan_clear(struct plan *);

/* Tells that it is not carried, and why. */
void plan_leave(struct plan *, const struct said *, const char *why, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of what makes the whole source useless. */
void plan_break(struct plan *, const struct said *, const char *why, ...)
	__attribute__((format(printf, 3, 4)));
/* Nothing need be carried, for this reason, which becomes a comment. */
void plan_remark(struct plan *, const struct said *, const char *why);

/* Sets a key, as "cache.size"; the last one holds. */
void plan_set(struct plan *, const struct said *, const char *key, const char *value);
/* The same of a value that is YAML already. */
void plan_set_yaml(struct plan *, const struct said *, const char *key, const char *yaml);
/* Adds to a list; twice the same is once. */
void plan_add(struct plan *, const struct said *, const char *key, const char *value);
/* Adds to the list of an entry of a map. */
void plan_put(
	struct plan *, const struct said *, const char *key, const char *entry, const char *value);

/* A rule. Those that are alike but for their value become one with several. */
struct plan_rule {
	const char *kind, *name; /* a key of patterns, and its text; kind NULL: every name */
	const char *types; /* "A", "A, AAAA"; NULL: all */
	const char *does, *value; /* a key of what is done, and its value, unquoted */
	const char *ttl; /* NULL: as usual */
};
struct plan_entry *plan_rule(struct plan *, const struct said *, const struct plan_rule *);
/* The one that it would become part of; NULL: none. */
struct plan_entry *plan_find_rule(struct plan *, const struct plan_rule *);
/* The rule does not hold there; a pattern, unquoted. */
void plan_except(struct plan *, struct plan_entry *, const char *pattern);
/* The entries of a key, in order. */
struct plan_entry *plan_entries(const struct plan *, const char *key);

/* As a YAML scalar, in quotes if need be. */
const char *plan_quote(struct plan *, const char *text);
/* Can it be a domain name? Else it is left. */
bool plan_is_name(struct plan *, const struct said *, const char *name);

/* Writes what there is. */
void plan_print(struct plan *, FILE *out);

#endif
