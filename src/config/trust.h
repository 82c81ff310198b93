/* trust: whom the servers are verified against, and what they are shown. */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "config/config.h"

/* Loads the CAs, each file once, and the certificates that we show, when the table of servers is
 * there. Files that are named must be good; the system's CAs only where a server cannot do without
 * them. before: what clients were shown so far, or NULL; set_at: where each option got its
 * value. Tells what is wrong. */
void trust_load(struct config *, const struct tls_front *before, const struct place *set_at,
	struct problems *);

/* What clients are shown, from files as they are now. NULL and a fault: it cannot be used. From any
 * thread. */
struct tls_front *trust_load_front(
	const struct config *, const struct tls_front *before, struct fault *);

/* How the files of all that stand: another number where one of them has changed. From any thread.
 */
uint64_t trust_files(const struct config *);

void trust_free(struct config *);

#endif
