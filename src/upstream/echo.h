/* echo: does a server send our queries back to us?
 *
 * Two forwarders that point at each other would pass a query on until somebody's tables are full.
 * Here such a query joins the lookup it comes from, so it goes round once; but it waits for itself.
 * So when a lookup has been joined and its server is late, the server is asked for a TXT record of
 * a name below the one in question that nobody can guess: it begins with a mark which is this
 * process's own. If that comes in as a query, it is answered with a proof that only this process
 * can make, for this name alone; and when that comes back through the server, the loop is proven. A
 * server cannot prove it without having asked us. It is not asked for five seconds then.
 */
#ifndef UPSTREAM_ECHO_H
#define UPSTREAM_ECHO_H

#include "upstream/upstream.h"

/* Sends the probe, if there is none under way and the last one was a while ago. */
void echo_suspect(struct server *, const struct question *);

/* Is this a probe of this process? */
bool echo_is_ours(const struct upstreams *, const struct question *);
/* What a probe is answered: the reply, in a message of at most that many octets. */
#define ECHO_REPLY_MAX 512
struct reply echo_reply(
	const struct upstreams *, const struct question *, uint8_t message[ECHO_REPLY_MAX]);

#endif
