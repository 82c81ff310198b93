/* syntax: YAML text into a tree of nodes that know where they stand.
 *
 * A small and strict part of YAML: maps, lists and scalars of one document. Anchors, aliases, tags,
 * duplicate keys and second documents are problems. JSON is YAML.
 */
#ifndef CONFIG_SYNTAX_H
#define CONFIG_SYNTAX_H

#include "config/memory.h"
#include "config/problems.h"

#include <stdbool.h>

enum node_kind {
	NODE_NOTHING, /* no value: `key:`, `~`, `null` */
	NODE_TEXT,
	NODE_LIST,
	NODE_MAP,
	NODE_BAD /* its problem has been told */
};

struct node {
	enum node_kind kind;
	struct place place;
	const char *text; /* of NODE_TEXT */
	struct node *key; /* if it is in a map: NODE_TEXT, with the place of the key */
	struct node *first; /* of a list or map */
	struct node *next; /* in the list or map that it is in */
};

/* "a list", ... as it is said in problems. */
const char *node_kind_name(enum node_kind);

/* The tree of a source's text; it lives in the memory and borrows the source. NULL: the text is not
 * YAML, which has been told; other problems leave a tree. No document gives NODE_NOTHING. */
struct node *syntax_read(
	const struct source *, const char *text, size_t len, struct memory *, struct problems *);

/* Nodes made without YAML. */
struct node *syntax_node(struct memory *, enum node_kind, struct place);
struct node *syntax_text(struct memory *, struct place, const char *text, size_t len);

#endif
