/* announce: the first lines of the log: what sotto does now. */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "config/config.h"

/* Logs what it listens on, where it sends, what of that is encrypted and what is not, and how
 * servers are verified, or that they are not. */
void announce(const struct config *);

/* Logs each certificate that clients see, and its pin. */
void announce_shown(const struct tls_front *);

/* What of it says where questions go and how safe that is, for another line. */
void announce_upstreams(struct log_line *, const struct config *);

#endif
