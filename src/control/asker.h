/* asker: asks the running daemon over its control socket, and tells people what it says, or why
 * nobody answers. */
#ifndef CONTROL_ASKER_H
#define CONTROL_ASKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct asker {
	const char *control; /* of the configuration, which tells where the socket is */
	const char *line; /* the command, as after `sotto` */
	bool as_json; /* the object is printed as it came; else ... */
	void (*show)(const json_t *, FILE *); /* ... by this */
};

/* The daemon's configuration is wrong, which is why it does not do it. */
#define ASKER_CONFIG 2

/* 0, 1 or ASKER_CONFIG; unless 0, why not has been said. */
int asker_run(const struct asker *);

#endif
