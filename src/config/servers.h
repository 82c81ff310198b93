/* servers: lists of upstreams, as they are written. */
#ifndef CONFIG_SERVERS_H
#define CONFIG_SERVERS_H

#include "config/kinds.h"

/* The list of a group or a zone: the field is a struct written_servers. */
extern const struct kind kind_servers;

/* Empties the list that is the field. */
void servers_begin(const struct setting *, size_t count);
/* Reads text, an upstream, into the list that is the field; tells what is wrong, at the node. NULL:
 * something was. */
struct written_server *servers_add(const struct setting *, const struct node *, const char *text);

#endif
