/* views: what views, and what stands at the top for everybody, have in common. */
#ifndef CONFIG_VIEWS_H
#define CONFIG_VIEWS_H

#include "config/parts.h"

/* The name of the view that is what stands at the top. */
#define VIEW_EVERYBODY "everybody"

/* Is the node's key what a list or a view may be called? Tells if not. */
bool views_check_name(const struct setting *, const struct node *);

/* Write maps behind their colon, each entry in a line of its own behind so many blanks. */
void local_print_hosts(const struct written_host *, int indent, FILE *);
void local_print_zone_files(const struct written_zone_file *, int indent, FILE *);

/* A word for what is blocked, and no address? */
bool list_answer_word(const char *text, enum block_answer *);

#endif
