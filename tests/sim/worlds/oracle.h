/* oracle: what must never be, whatever happens. Each of these ends the process with a sentence,
 * what happened before it, and how to see it again.
 *
 * What an answer may say is known from its signature: the reply it is from (signed.h). When things
 * happen is measured at the daemon's edge, so what the network does to clients is no excuse.
 */
#ifndef WORLDS_ORACLE_H
#define WORLDS_ORACLE_H

#include "drama.h"

/* All faults are over for long, and everybody has been answered. */
void oracle_calm(struct drama *);
/* Its last octet is on its way; a datagram has come. */
void oracle_awaits(struct asked *);
/* A query came to the daemon, now. */
void oracle_asked(struct asked *);
/* What the daemon told a client over that line (NULL: as a datagram); asked NULL: under an ID that
 * this client never used. */
void oracle_answered(struct client_peer *, struct line *, struct asked *, struct span message);
/* A client's connection is over, and the daemon did that. */
void oracle_left(struct line *);
/* A server was sent this. from NULL: over that line. */
void oracle_sent(struct server_peer *, struct line *, struct span message);
/* A moment is over. */
void oracle_moment(struct drama *);
/* The world is over. */
void oracle_end(struct drama *);

struct count *oracle_count(struct drama *, const struct meant *);

#endif
