/* holder: which process holds a port. */
#ifndef HOLDER_H
#define HOLDER_H

#include "net/addr.h"

#define HOLDER_TEXT 96

/* Writes "pid 123 (name)" of the process whose UDP or TCP socket is in the way of that address;
 * "another process" if it cannot be seen from here. Returns text. */
const char *holder_find(const struct addr *, bool stream, char text[HOLDER_TEXT]);

#endif
