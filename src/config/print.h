/* print: values as YAML. */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include "config/kinds.h"

#include <stdio.h>

/* A scalar that YAML takes for nothing but itself, or in quotes. */
void print_scalar(const char *text, FILE *);

/* `name: VALUE` and a line feed. */
void print_option(const struct config *, const struct config_option *, const char *name, FILE *);

#endif
