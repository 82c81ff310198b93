/* look: who says which resolver the programs of a host ask, by what is there. */
#ifndef HOST_LOOK_H
#define HOST_LOOK_H

#include "host/root.h"

#define LOOK_FOLDER "/etc"
#define LOOK_NAME   "resolv.conf"

enum look_owner {
	LOOK_NOBODY, /* a file that somebody has written, or DHCP, or none */
	LOOK_RESOLVED, /* programs ask systemd-resolved */
	LOOK_RESOLVED_LIST, /* they ask whom systemd-resolved would ask */
	LOOK_MANAGER, /* NetworkManager writes it */
	LOOK_RESOLVCONF, /* resolvconf writes a file that it links to */
	LOOK_OPENRESOLV, /* resolvconf writes it */
};

struct look {
	enum look_owner owner;
	char link[256]; /* where /etc/resolv.conf leads to; "": it is no link */
	char text[ROOT_TEXT]; /* what it says; "": nothing, or it cannot be read */
};

/* 0 or -errno; that there is no resolv.conf is no failure. */
int look_at(const struct root *, struct look *);
/* Whose resolv.conf it is, in words. */
const char *look_says(const struct look *);

#endif
