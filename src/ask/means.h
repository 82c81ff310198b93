/* means: what every driver of `sotto query` asks by: the loop, the server's address, TLS with it.
 */
#ifndef ASK_MEANS_H
#define ASK_MEANS_H

#include "ask/plan.h"
#include "ask/way.h"
#include "base/rand.h"

struct means {
	const struct ask_plan *plan; /* borrowed */
	struct server_conf server; /* the plan's, by address, with what its files hold */
	char *path; /* of a unix socket, which stands for its address; NULL: none. Owned */
	struct loop *loop;
	struct rand rand;
	struct tls_client *tls; /* NULL: it is not asked over TLS */
	struct tls_identity identity; /* who it has to be; tickets for the next way */
};

/* Looks the server up, reads the files, begins a loop. 0, or an ask_status: why has been written
 * to standard error. means_clear() is owed either way. */
int means_init(struct means *, const struct ask_plan *);
void means_clear(struct means *);

/* How messages get there: UDP, TCP or TLS, as the plan says. */
enum scheme means_scheme(const struct means *);
/* How long it is waited for a connection, and for a reply over it, by who asks much (ask/patience
 * is for one question). */
unsigned means_patience_ms(const struct means *);
/* The exit status of a way that ended so: ASK_UNREACHED if it never stood, ASK_TLS if because of
 * that, ASK_SILENCE if it did. */
int means_status(const struct fault *);
/* Opens a way: as way_open(), with all that is the server's filled in; open_ms 0: as above. */
int means_way(struct means *, struct way **, struct way_conf *);

#endif
