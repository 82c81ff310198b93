/* local: hosts, zone files and names made of addresses of a view, as they are written. */
#ifndef CONFIG_LOCAL_H
#define CONFIG_LOCAL_H

#include "config/kinds.h"

/* Write maps behind their colon, each entry in a line of its own behind so many blanks. */
void local_print_hosts(const struct written_host *, int indent, FILE *);
void local_print_zone_files(const struct written_zone_file *, int indent, FILE *);
void local_print_synthesized(const struct written_synth *, int indent, FILE *);

#endif
