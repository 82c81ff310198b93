/* object: pieces of what +json prints. */
#ifndef ASK_OBJECT_H
#define ASK_OBJECT_H

#include <jansson.h>
#include <stdio.h>

/* A string; servers have a say in some, and what is no UTF-8 does not spoil the rest. NULL: out of
 * memory. */
json_t *object_word(const char *text);
/* Takes an object and writes it as a line. NULL: there was no memory, and the line says so. */
void object_put(json_t *, FILE *);

#endif
