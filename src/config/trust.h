/* trust: whom the servers are verified against, and what they are shown. */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "config/config.h"

/* Loads the CAs, each file once, and the certificates that we show, when the table of servers is
 * there. Files that are named must be good; the system's CAs only where a server cannot do without
 * them. ca_at: where tls.ca got its value. Tells what is wrong. */
void trust_load(struct config *, const struct place *ca_at, struct problems *);

void trust_free(struct config *);

#endif
