/* sandbox: what a process can still do once it serves, should somebody get hold of it.
 *
 * Three walls, each of use without the others: no privilege (privileges.h), no other files and
 * ports (landlock.h), no other system calls (calls.h). A kernel or a container that lacks one of
 * them is told of in one line of the log, and the rest stands all the same. docs/sandbox.md tells
 * what is left, and decision 010 why.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "sandbox/landlock.h"

#include <stdbool.h>

/* What is refused fails; or, if strict, a system call that is refused ends the process. */
enum sandbox_mode { SANDBOX_OFF, SANDBOX_ON, SANDBOX_STRICT };

/* What is in force. */
struct sandbox {
	enum sandbox_mode mode;
	bool no_privileges; /* capabilities, core files, set-user-ID programs */
	int landlock; /* its version; 0: none */
	struct landlock rules; /* if there is one: what it allows */
	bool seccomp;
};

/* What must be so before there is a loop. */
void sandbox_prepare(enum sandbox_mode);

/* Takes what was gathered. Holds for this thread and those that it starts: there is no other one
 * yet. With SANDBOX_OFF nothing happens. */
void sandbox_enter(struct sandbox *, enum sandbox_mode, struct landlock *);

/* What to do about something that failed later, for that reason, in words; NULL: the sandbox has no
 * part in it. */
const char *sandbox_hint(const struct sandbox *, const char *reason);

#endif
