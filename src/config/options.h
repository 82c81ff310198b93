/* options: the table of everything that can be set. A key is here or it does not exist; defaults,
 * checks, `sotto check` and the documentation follow from its row. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/kinds.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* At least the rows of the table. */
#define OPTIONS_MAX 96

/* Ends with a row without a key. */
extern const struct config_option options[];

/* By dotted key. NULL: there is none. */
const struct config_option *options_find(const char *key);
/* The same, or the map whose entry this is the key of; *entry is then what stands behind the map's
 * key, else NULL. */
const struct config_option *options_find_entry(const char *key, const char **entry);
/* A reload does not change it. */
bool options_needs_restart(const struct config_option *);
size_t options_index(const struct config_option *);

/* The name of the variable that sets it, SOTTO_A_B, into name; returns name. */
#define OPTIONS_VARIABLE 64
const char *options_variable(const struct config_option *, char name[OPTIONS_VARIABLE]);

/* The table for people, as Markdown. */
void options_print(FILE *);

#endif
