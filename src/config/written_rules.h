/* written_rules: rules, local data, lists and views the way the sources of a configuration name
 * them. assemble_rules.c makes of them, when all sources have been read, what rules/ takes.
 */
#ifndef CONFIG_WRITTEN_RULES_H
#define CONFIG_WRITTEN_RULES_H

#include "config/problems.h"
#include "config/syntax.h"
#include "rules/rules.h"

/* Words of a list, as they are printed. */
struct word_list {
	const char **all;
	size_t count;
};

/* Prefixes, and the words that they are written as. */
struct written_clients {
	struct acl acl; /* in the configuration's memory */
	struct word_list words;
};

enum { PATTERN_KINDS = PATTERN_DNSCHEF + 1 };

struct written_rule {
	const struct node *node; /* all of it, for the places of its keys */
	const char *path;
	struct word_list patterns[PATTERN_KINDS]; /* by kind */
	struct word_list except, types, identities, listeners, records;
	struct written_clients clients;
	int priority;
	unsigned ttl_ms;
	int ede;
	const char *ede_text;
	const char *cname, *rewrite, *route; /* NULL: not said */
	unsigned action; /* what kind_action means by it; 0: not said */
	unsigned delay_ms, jitter_ms, first, per, chance;
	uint64_t seed;
	bool dump;
	const char *event; /* NULL: not said */
};

struct written_rule_list {
	struct written_rule *all;
	size_t count;
};

/* `hosts:`, one name. */
struct written_host {
	struct written_host *next;
	const char *name; /* lower case */
	struct place place;
	struct word_list addresses;
};

struct written_zone_file {
	struct written_zone_file *next;
	const char *origin; /* lower case */
	struct place place;
	const char *file;
};

/* `synthesized:`, one form of names. */
struct written_synth {
	struct written_synth *next;
	const char *form;
	struct place place;
	struct written_clients nets;
};

struct written_view {
	struct written_view *next;
	const char *name;
	struct place place; /* of its latest mention */
	const char *path;
	struct written_clients clients;
	struct word_list macs, cpe_ids;
	struct written_rule_list rules;
	struct written_host *hosts;
	struct word_list hosts_files;
	struct written_zone_file *zone_files, *leases_files;
	struct written_synth *synthesized;
	struct word_list lists;
	bool has_lists; /* even if there are none of them */
	const char *group; /* NULL: that of `upstreams:`, or as zones say */
};

struct written_list {
	struct written_list *next;
	const char *name;
	struct place place; /* of its latest mention */
	const char *path;
	const char *file;
	unsigned format; /* enum list_format */
	bool allows;
	struct word_list answer;
	unsigned ttl_ms;
	unsigned ede; /* counted from EDE_BLOCKED */
};

struct written_rules {
	struct written_view everybody; /* what stands at the top */
	struct written_view *views;
	struct written_list *lists;
	struct word_list special_except, rebinding_except;
	struct written_clients forwarders, block, bogus, dns64_clients, dns64_exclude;
	unsigned ttl_ms;
};

#endif
