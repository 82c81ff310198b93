#include "base/bug.h"

#include "base/log.h"

#include <stdlib.h>

static void say(const char *msg, const char *what, const char *file, int line)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, msg);
	log_str(&l, "check", what);
	log_fmt(&l, "at", "%s:%d", file, line);
	log_end(&l);
}

void bug(const char *what, const char *file, int line)
{
	say("impossible state, aborting; please report this", what, file, line);
	abort();
}

bool bug_seen(const char *what, const char *file, int line)
{
	say("unexpected state, recovering; please report this", what, file, line);
#ifdef SOTTO_DEBUG
	abort();
#endif
	return false;
}
