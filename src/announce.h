/* announce: the first line of the log: what sotto does now. */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "config/config.h"

/* Logs what it listens on, where it sends, that this is encrypted, and how it is verified. */
void announce(const struct config *);

#endif
