/* door: how many connections there may be, of all clients and of each, and who gives way when there
 * are too many, or too much is left untaken by them. */
#ifndef LISTEN_DOOR_H
#define LISTEN_DOOR_H

#include "listen/conn.h"

/* Counts a newcomer, of whose client there may be so many. In a full table, who has been quiet
 * longest gives way (RFC 9210 §4.2). False: there is no room; nothing was counted. */
bool door_enter(struct stream_listener *, const struct addr *peer, size_t most);
/* The same of the client's own share alone: its connection is there, and counted for another. */
bool door_enter_client(struct stream_listener *, const struct addr *client, size_t most);

/* Somebody may be slow: it is looked at when what this turn sends is out. */
void door_look_at_unsent(struct stream_listener *);
/* That look: of struct listening.relief. */
void door_on_relief(struct task *);

#endif
