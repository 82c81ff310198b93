#include "sandbox/sandbox.h"

#include "base/log.h"
#include "sandbox/calls.h"
#include "sandbox/privileges.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Root owns what the system is made of, and needs no capability to change it. */
static const char *hint_of(const struct sandbox *s)
{
	return s->landlock || geteuid() != 0
		? "this kernel, container or build lacks them; sotto runs all the same"
		: "start sotto as a user of its own: without Landlock, root can still write "
		  "root's files";
}

static void say_gaps(const struct sandbox *s, int privileges, int landlock, int calls)
{
	struct log_line l;

	if (s->no_privileges && s->landlock && s->seccomp)
		return;
	log_begin(&l, LOG_WARN, "the sandbox has gaps");
	if (!s->no_privileges)
		log_str(&l, "privileges", strerror(-privileges));
	if (!s->landlock)
		log_str(&l, "landlock", strerror(-landlock));
	if (!s->seccomp)
		log_str(&l, "seccomp", strerror(-calls));
	log_str(&l, "hint", hint_of(s));
	log_end(&l);
}

/* Where there can be no filter, there will be none later that forbids a ring. */
void sandbox_prepare(enum sandbox_mode mode)
{
	if (mode != SANDBOX_OFF)
		calls_forbid_rings();
}

/* Each in turn takes what those before it need. */
void sandbox_enter(struct sandbox *s, enum sandbox_mode mode, struct landlock *l)
{
	*s = (struct sandbox){ .mode = mode };
	if (mode == SANDBOX_OFF)
		return;
	int privileges = privileges_drop(), landlock = landlock_enter(l);
	int calls = calls_confine(mode == SANDBOX_STRICT);

	s->no_privileges = privileges == 0;
	s->landlock = landlock > 0 ? landlock : 0;
	s->seccomp = calls == 0;
	s->rules = *l;
	say_gaps(s, privileges, landlock, calls);
}

const char *sandbox_hint(const struct sandbox *s, const char *reason)
{
	if (!s->landlock || !strstr(reason, strerror(EACCES)))
		return NULL;
	return "the sandbox allows the files and ports that were configured at the start; restart "
	       "sotto to have others";
}
