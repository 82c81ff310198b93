/* told: what others are shown of queries: `dump`, `events`, and what rules say of them. */
#ifndef CONFIG_TOLD_H
#define CONFIG_TOLD_H

#include "config/config.h"

/* Names of events, by number. */
struct told_events {
	const char *names[EVENTS_MAX];
	unsigned count;
};

/* Borrows all of it. */
struct told {
	const struct config *config;
	struct told_events *events; /* of the rules so far */
	struct problems *problems;
};

/* When all sources have been read: takes what that rule tells. Tells if nobody would hear it. */
void told_rule(const struct told *, const struct written_rule *, struct rule_conf *);

#endif
