/* handshakes: a few begin in each millisecond, or turn of the loop, the others wait in a line.
 *
 * One costs as much as several hundred answers. So who floods us with them waits for himself, and
 * who is connected is answered in between.
 */
#ifndef LISTEN_HANDSHAKES_H
#define LISTEN_HANDSHAKES_H

#include "base/list.h"
#include "base/loop.h"

struct handshakes {
	struct loop *loop;
	struct list line;
	struct timer turn; /* the next one */
	unsigned left; /* that may begin before it */
};

/* Embedded in whoever is to begin one. */
struct handshake {
	struct list node; /* in the line; list_init() it first */
	void (*begin)(struct handshake *);
};

void handshakes_init(struct handshakes *, struct loop *);
/* begin() is called, now or in a later turn. */
void handshakes_ask(struct handshakes *, struct handshake *);
/* It will not be called. Of one that does not wait it is nothing. */
void handshakes_leave(struct handshake *);

#endif
