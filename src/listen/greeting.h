/* greeting: what comes on a connection before there is a query: whom a proxy says that it is for,
 * what it is, and, where that is TLS, its handshake, or the relay that has it from then on. */
#ifndef LISTEN_GREETING_H
#define LISTEN_GREETING_H

#include "listen/conn.h"

/* Takes what has come. True: what is in the buffer now are queries, and all that follows. */
bool greeting_take(struct stream_conn *, struct buf *in);
/* TLS stands: what is inside has yet to be told. */
void greeting_secured(struct stream_conn *);
/* Its turn to have its handshake has come: of struct stream_conn.handshake. */
void greeting_on_turn(struct handshake *);

#endif
