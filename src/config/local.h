/* local: hosts and zone files of a view, as they are written. */
#ifndef CONFIG_LOCAL_H
#define CONFIG_LOCAL_H

#include "config/kinds.h"

/* Write maps behind their colon, each entry in a line of its own behind so many blanks. */
void local_print_hosts(const struct written_host *, int indent, FILE *);
void local_print_zone_files(const struct written_zone_file *, int indent, FILE *);

#endif
