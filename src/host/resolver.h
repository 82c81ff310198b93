/* resolver: the programs of this host are made to ask the proxy, and as before again. */
#ifndef HOST_RESOLVER_H
#define HOST_RESOLVER_H

#include "config/config.h"
#include "host/root.h"

/* Does the proxy answer at one of its listeners? */
typedef bool resolver_alive_fn(const struct listen_conf *, const struct endpoint *);

struct resolver_job {
	const struct root *root;
	bool dry_run; /* only tells what would be done */
	bool force; /* enable: nobody needs to answer yet; disable: over what others wrote */
	const struct config *config; /* of enable: the proxy's */
	resolver_alive_fn *is_alive; /* likewise */
};

/* Each tells what it does on standard output, and what is wrong on standard error, and returns the
 * exit status. What enable has begun and not ended, it takes back, and so does disable. */
int resolver_enable(const struct resolver_job *);
int resolver_disable(const struct resolver_job *);
/* 0: enabled, and nothing has been changed since. */
int resolver_status(const struct resolver_job *);

#endif
