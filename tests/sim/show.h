/* show: a play being played: its statements, one after the other, against the daemon.
 *
 * A statement is run when everything that is to happen at that moment has. An action takes no time.
 * A check that does not hold yet is asked again at each later moment, until its time is over.
 */
#ifndef SIM_SHOW_H
#define SIM_SHOW_H

#include "cast.h"
#include "chronicle.h"
#include "daemon.h"
#include "play.h"

#include <stdio.h>

#define SHOW_OVERRIDES 16
#define SHOW_UPSTREAMS DAEMON_UPSTREAMS
#define SHOW_URI       64
#define SHOW_TEXTS     64

struct show {
	struct play play;
	struct chronicle chronicle;
	struct cast cast;
	struct daemon daemon;

	struct config_override overrides[SHOW_OVERRIDES];
	size_t override_count;
	char bootstrap[SHOW_UPSTREAMS * SHOW_URI]; /* servers, with commas */
	char state[32]; /* the folder for what is kept; empty: none */

	size_t at; /* the statement */
	const struct statement *statement;
	const struct verb *verb;
	bool entered; /* it was run at least once */
	bool settled; /* nothing is to happen at this moment any more */
	uint64_t began_ms; /* it; by the chronicle */
	size_t progress; /* of a check that takes several messages */
	char instead[MESSAGE_TEXT]; /* of what is expected */
	struct event wake, too_late;

	char uris[SHOW_UPSTREAMS][SHOW_URI]; /* of upstreams, as the command line has them */
	char *texts[SHOW_TEXTS]; /* of settings, spelled */
	size_t text_count;

	struct buf log; /* lines, each with its NUL */
	size_t log_read;
};

/* Opens the file of addresses that the daemon keeps over a restart; from then on, it does. NULL,
 * with errno: it cannot be opened. Close it. */
FILE *show_state(struct show *, const char *mode);

/* The text, each @SERVER in it as the configuration spells that one. Lives as long as the show. */
const char *show_spelled(struct show *, const char *text);

/* Plays it and checks it; ends the process with a report if it fails. */
void show_run(struct show *, const char *file);

#endif
