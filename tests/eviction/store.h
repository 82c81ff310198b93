/* store: entries known by number, in queues: what the models of policies are made of. They cost
 * no memory but their size, and are found without a table. */
#ifndef EVICTION_STORE_H
#define EVICTION_STORE_H

#include "trace.h"

#define NOBODY UINT32_MAX

enum place { NOWHERE, SMALL, MAIN, GHOST, PLACES };

struct entry {
	uint32_t older, newer; /* in its queue */
	uint8_t place;
	uint8_t hits; /* lately */
};

struct queue {
	uint32_t oldest, newest;
	uint64_t octets;
};

struct store {
	uint64_t octets; /* that may be taken */
	struct queue queues[PLACES];
	struct entry entries[];
};

struct store *store_new(uint64_t octets, uint32_t names);
/* As the newest of a queue; it must be nowhere. */
void store_add(struct store *, enum place, uint32_t name);
void store_remove(struct store *, uint32_t name);

#endif
