/* lack: memory for libraries that go on without what they could not get, and do not say so: a
 * context for TLS may come out of it that knows no groups, or an object with a key too few. */
#ifndef BASE_LACK_H
#define BASE_LACK_H

#include <stdbool.h>
#include <stddef.h>

/* As malloc(3) and realloc(3); it is given back by free(3). */
void *lack_malloc(size_t);
void *lack_realloc(void *, size_t);

/* Did one of them return NULL in this thread, since it was asked last? */
bool lack_seen(void);

#endif
