/* pool: objects of one size, bounded in number, kept for reuse.
 *
 * Under AddressSanitizer each object goes back to malloc at once, so that use after free is seen.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
	size_t size, most; /* of one object; at the same time, which its owner may change */
	size_t live;
	size_t kept;
	void *spare;
};

void pool_init(struct pool *, size_t size, size_t most);
/* Frees what is kept. Every object must have been put back. */
void pool_clear(struct pool *);

/* Not zeroed. NULL: `most` or more are in use, or memory is out. */
void *pool_get(struct pool *);
void pool_put(struct pool *, void *);

#endif
