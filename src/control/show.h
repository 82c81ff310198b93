/* show: the object of a status, as control/report makes it, for people. */
#ifndef CONTROL_SHOW_H
#define CONTROL_SHOW_H

#include <jansson.h>
#include <stdio.h>

/* Prints it, 80 columns wide. Whatever is missing in the object is left out: it may be of a daemon
 * of another version. */
void show_status(const json_t *status, FILE *out);

/* Likewise what came of a reload that went well: what changed. */
void show_reload(const json_t *, FILE *out);

#endif
