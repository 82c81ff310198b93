/* print: values as YAML. */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include <stdio.h>

/* A scalar that YAML takes for nothing but itself, or in quotes. */
void print_scalar(const char *text, FILE *);

#endif
