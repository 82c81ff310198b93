/* landlock: what of the file system and of TCP this thread, and those it starts, can still reach.
 *
 * What is allowed is gathered first, and then the thread enters. A rule holds a file or folder
 * itself, not its name: of a file that is replaced, the new one is not allowed, unless its folder
 * is. Nothing here is an error before landlock_enter() says so.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct landlock {
	int version; /* of the kernel's ABI */
	int fd; /* the rules so far; -1: there can be none */
	int err; /* 0, or the first -errno */
	uint8_t connects[UINT16_MAX / 8 + 1], binds[UINT16_MAX / 8 + 1]; /* ports: a bit each */
};

/* Nothing is allowed yet. */
void landlock_begin(struct landlock *);

/* Of these, what does not exist is left out. */
/* To read that file, or all below that folder. */
void landlock_read(struct landlock *, const char *path);
/* To read, make, write, replace and remove files below that folder. */
void landlock_write(struct landlock *, const char *folder);
/* To make and remove unix sockets below that folder. */
void landlock_sockets(struct landlock *, const char *folder);

/* TCP to that port of any host, and from that one of this host. */
void landlock_connect(struct landlock *, uint16_t port);
void landlock_bind(struct landlock *, uint16_t port);

/* Would that be allowed? Also after it was entered. */
bool landlock_lets_connect(const struct landlock *, uint16_t port);
bool landlock_lets_bind(const struct landlock *, uint16_t port);

/* From now on nothing else is allowed; needs PR_SET_NO_NEW_PRIVS. The version, which tells how much
 * is held back: files from 1 on, TCP from 4, signals and abstract unix sockets of others from 6. Or
 * -errno, and nothing is held back: -ENOSYS, -EOPNOTSUPP if the kernel has none or none is switched
 * on. Ends what landlock_begin() began. */
int landlock_enter(struct landlock *);

#endif
